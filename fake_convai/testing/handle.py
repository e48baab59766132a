"""`FakeConvai`: one account of a fake, as a test drives it."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from fake_convai.backend.surface import Surface, under
from fake_convai.control.client import ControlClient
from fake_convai.domain.faults import Fault
from fake_convai.domain.identity import normalise_end_user_id
from fake_convai.domain.text import normalise_fact
from fake_convai.testing.records import EndUser, Memory, Request, Session, read

if TYPE_CHECKING:
    from fake_convai.settings import Settings
    from fake_convai.testing.server_thread import ServerThread
    from fake_convai.testing.transport import InProcessTransport


class FakeConvai:
    """One account of a fake Convai: what the code under test needs to reach it, and what a test does to it.

        with FakeConvai() as fake:           # a server of its own, in a thread
            ...

        fake = FakeConvai.attach("http://localhost:2668")  # a server that runs elsewhere

    What it does to the account goes through the control plane: it is not in the journal, no fault happens to it, and
    looking at memories does not count as using them. Every method raises `ControlError`, which names the reason, when
    the fake refuses or does not answer.
    """

    api_key: str
    """The key that opens this account; give it to the code under test."""

    def __init__(self, settings: "Settings | Mapping[str, Any] | None" = None, *, api_key: str | None = None) -> None:
        """Nothing runs before `start`, or `with`. Without an `api_key` the account is a new one."""
        self.api_key = api_key or _new_key()
        self._settings = settings
        self._server: ServerThread | None = None
        self._client: ControlClient | None = None
        self._owns_client = True

    @classmethod
    def attach(cls, url: str, api_key: str | None = None, *, control_key: str | None = None) -> "FakeConvai":
        """The same for a server or container that runs at `url`; `control_key` is what it was started with."""
        fake = cls(api_key=api_key)
        fake._client = ControlClient(url, control_key)
        return fake

    def account(self, api_key: str | None = None) -> "FakeConvai":
        """Another account of the same server, a new one unless its key is given. It ends with this one."""
        other = FakeConvai(api_key=api_key)
        other._server, other._client, other._owns_client = self._server, self._running(), False
        return other

    def start(self) -> Self:
        """Run a server on a free port of this machine, in a thread; returns once it is ready.

        Raises `fake_convai.settings.BadSetting` for settings it cannot use.
        """
        if self._client is not None:
            raise RuntimeError("This FakeConvai is running already.")
        from fake_convai.testing.server_thread import ServerThread

        self._server = ServerThread(self._settings)
        self._client = ControlClient(
            self._server.url, self._server.settings.control_key, transport=self._server.transport
        )
        return self

    def close(self) -> None:
        """End the server that `start` has started; of an attached one, only the connection."""
        if self._client is None or not self._owns_client:
            return
        self._client.close()
        self._client = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self if self._client is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "not running" if self._client is None else self.url
        return f"<FakeConvai {where}, API key ...{self.api_key[-4:]}>"

    # Where it is

    @property
    def url(self) -> str:
        """The base URL at which all three surfaces are served together."""
        return self._running().url

    @property
    def production_url(self) -> str:
        """The base URL that stands for `https://api.convai.com`."""
        return under(self.url, Surface.PRODUCTION)

    @property
    def beta_url(self) -> str:
        """The base URL that stands for `https://beta.convai.com`."""
        return under(self.url, Surface.BETA)

    @property
    def live_url(self) -> str:
        """The base URL that stands for `https://live.convai.com`."""
        return under(self.url, Surface.LIVE)

    @property
    def transport(self) -> "InProcessTransport":
        """For `httpx.Client(transport=...)` and `httpx.AsyncClient(transport=...)`: the same server without a socket.

        Raises `RuntimeError` when the server runs in another process.
        """
        self._running()
        if self._server is None:
            raise RuntimeError("There is no in-process transport to a server that runs elsewhere: use its URL.")
        return self._server.transport

    # What the account holds

    def character(
        self,
        character_id: str | None = None,
        *,
        memory: bool = False,
        name: str | None = None,
        backstory: str | None = None,
        listing: Literal["private", "public"] = "private",
    ) -> str:
        """Make a character, or change the one with this id; returns its id.

        `memory` switches its long-term memory on, which is off by default as on Convai. Accounts other than this one
        can use it if its `listing` is public.
        """
        character_id = character_id or str(uuid.uuid4())
        character = {
            "character_id": character_id,
            "character_name": name,
            "backstory": backstory,
            "listing": listing,
            "memory_settings": {"enabled": memory},
        }
        self.seed({"characters": [_given(character)]})
        return character_id

    def remember(
        self, character_id: str, end_user_id: str, *facts: str, metadata: Mapping[str, Any] | None = None
    ) -> list[Memory]:
        """Let a character remember facts about a person, exactly as they are given; returns their records.

        A person not seen before gets an end-user record. Facts are not compared with each other as `/memory/add` does,
        and saying one again changes nothing but its times.
        """
        about = {"character_id": character_id, "end_user_id": end_user_id, "metadata": dict(metadata or {})}
        self.seed({"memories": [{**about, "memory": fact} for fact in facts]})
        said = {normalise_fact(fact) for fact in facts}
        return [memory for memory in self.memories(character_id, end_user_id) if memory.memory in said]

    def memories(self, character_id: str, end_user_id: str) -> list[Memory]:
        """What a character remembers about a person, oldest first. Of unknown people it remembers nothing."""
        wanted = (character_id, normalise_end_user_id(end_user_id))
        found = [read(Memory, memory) for memory in self.state()["memories"]]
        return sorted(
            (memory for memory in found if (memory.character_id, memory.end_user_id) == wanted),
            key=lambda memory: memory.created_at,
        )

    def end_user(self, end_user_id: str) -> EndUser | None:
        """The record of a person, or None."""
        wanted = normalise_end_user_id(end_user_id)
        return next((user for user in self.end_users() if user.end_user_id == wanted), None)

    def end_users(self) -> list[EndUser]:
        """The record of each person, in the order they came."""
        return [read(EndUser, user) for user in self.state()["end_users"]]

    def session(
        self,
        character_id: str,
        end_user_id: str | None = None,
        *turns: tuple[str, str],
        started_at: datetime | str | None = None,
        is_added_to_memory: bool = False,
    ) -> Session:
        """Let a person have had a conversation with a character, for the chat history; returns its record.

        A turn is what the user said and what the character said to it. Without an `end_user_id` the session was
        anonymous. Nothing is learned from it: for that, hold a session over the wire.
        """
        session_id = str(uuid.uuid4())
        session = {
            "sessionID": session_id,
            "character_id": character_id,
            "end_user_id": end_user_id,
            "started_at": _iso(started_at),
            "is_added_to_memory": is_added_to_memory,
            "interactions": [{"user": user, "character": character} for user, character in turns],
        }
        self.seed({"sessions": [_given(session)]})
        return next(read(Session, one) for one in self.state()["sessions"] if one["sessionID"] == session_id)

    # What the code under test has sent, and what goes wrong

    def requests(
        self, path: str | None = None, *, surface: str | None = None, status: int | None = None
    ) -> list[Request]:
        """The requests of this account, oldest first; `path` is without the surface's prefix, as in `/memory/add`."""
        query = _given({"path": path, "surface": surface, "status": status})
        return [read(Request, entry) for entry in self._call("GET", "/requests", query=query)["requests"]]

    def clear_requests(self) -> None:
        """Empty the journal that `requests` reads."""
        self._call("DELETE", "/requests")

    def fail(
        self,
        path: str | None = None,
        status: int | None = 429,
        times: int | None = 1,
        *,
        surface: str | None = None,
        character_id: str | None = None,
        end_user_id: str | None = None,
        rate: float | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        delay_ms: int = 0,
        disconnect: bool = False,
        when: Literal["before", "after"] = "before",
    ) -> None:
        """Let coming requests fail: those to `path`, or all, narrowed down by `surface`, `character_id`, `end_user_id`.

        `times` is how often, None for always; `rate` is the share of requests it happens to. The answer is `status`
        with Convai's own body, unless `body` is given; `disconnect=True` breaks the connection instead. `delay_ms`
        comes before the answer; with `status=None` that is all that happens. It happens `before` anything was done, or
        `after` the change was committed.
        """
        match = {"path": path, "surface": surface, "character_id": character_id, "end_user_id": end_user_id}
        fault = {
            "match": _given(match),
            "rate": rate,
            "status": status,
            "body": body,
            "headers": dict(headers or {}),
            "delay_ms": delay_ms,
            "disconnect": disconnect,
            "when": when,
        }
        self._call("POST", "/faults", {**_given(fault), "times": times})

    def faults(self) -> list[Fault]:
        """The faults that wait to happen; `times` is how often each still will."""
        return [read(Fault, fault) for fault in self._call("GET", "/faults")["faults"]]

    def clear_faults(self) -> None:
        """Forget the faults that wait."""
        self._call("DELETE", "/faults")

    def set_replies(self, replies: Mapping[str, str], default: str | None = None) -> None:
        """Script what characters say: a reply for each text or regular expression found in what the user says.

        `default` is for whatever else is said. This takes the place of what was set before.
        """
        script = [{"match": match, "reply": reply} for match, reply in replies.items()]
        self._call("PUT", "/replies", {"replies": script, "default": default})

    # Time

    def now(self) -> datetime:
        """The time by the account's clock."""
        return datetime.fromisoformat(self._call("GET", "/clock")["now"])

    def freeze(self, at: datetime | str | None = None) -> None:
        """Let the account's clock stand still, at this moment (UTC unless it says otherwise) or as it is."""
        self._call("PUT", "/clock", {"now": _iso(self.now() if at is None else at)})

    def advance(self, seconds: float | timedelta) -> None:
        """Move the account's clock, frozen or not; what expires meanwhile has expired when this returns."""
        self._call("PUT", "/clock", {"advance": _seconds(seconds)})

    def offset(self, seconds: float | timedelta) -> None:
        """Let the account's clock run so far ahead of real time, or behind it."""
        self._call("PUT", "/clock", {"offset": _seconds(seconds)})

    def unfreeze(self) -> None:
        """Back to real time."""
        self._call("DELETE", "/clock")

    # All of it

    def seed(self, document: Mapping[str, Any]) -> None:
        """Add a seed document to the account, all or nothing; `ControlError` names the place of what is wrong."""
        self._call("POST", "/seed", dict(document))

    def state(self) -> dict[str, Any]:
        """The account as a seed document, always with `characters, end_users, memories, sessions`."""
        return self._call("GET", "/state")

    def reset(self) -> None:
        """Make the account as new: data, clock, faults, journal, snapshots, replies."""
        self._call("POST", "/reset")

    def snapshot(self, name: str | None = None) -> str:
        """Save the account, under a new name unless one is given; returns the name."""
        name = name or f"snapshot-{uuid.uuid4().hex[:8]}"
        self._call("PUT", f"/snapshots/{quote(name, safe='')}")
        return name

    def snapshots(self) -> list[str]:
        """The names of the account's snapshots."""
        names: list[str] = self._call("GET", "/snapshots")["snapshots"]
        return names

    def restore(self, name: str) -> None:
        """Put the account back as it was saved, ids and times included."""
        self._call("POST", f"/snapshots/{quote(name, safe='')}/restore")

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot."""
        self._call("DELETE", f"/snapshots/{quote(name, safe='')}")

    def _running(self) -> ControlClient:
        if self._client is None:
            raise RuntimeError("This FakeConvai is not running: use `with FakeConvai() as fake:`, or start().")
        return self._client

    def _call(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._running().call(method, path, body, query, api_key=self.api_key)


def _new_key() -> str:
    return f"test-{uuid.uuid4().hex}"


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _iso(moment: datetime | str | None) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration
