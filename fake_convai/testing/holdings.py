"""What an account holds: characters, people, memories, sessions, and all of it saved and put back."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from fake_convai.control.client import document_of
from fake_convai.domain.identity import normalise_end_user_id
from fake_convai.domain.text import normalise_fact
from fake_convai.testing.driving import Driven, checked, given
from fake_convai.testing.records import EndUser, Memory, Session, read
from fake_convai.testing.timing import iso

__tracebackhide__ = True


@checked
class Holdings(Driven):
    """The part of the handle that arranges and looks."""

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
        self.seed({"characters": [given(character)]})
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
        return self._memories(character_id, end_user_id)

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
        anonymous. Nothing is learned from it: for that, hold one with `talk`.
        """
        session_id = str(uuid.uuid4())
        session = {
            "sessionID": session_id,
            "character_id": character_id,
            "end_user_id": end_user_id,
            "started_at": iso(started_at),
            "is_added_to_memory": is_added_to_memory,
            "interactions": [{"user": user, "character": character} for user, character in turns],
        }
        self.seed({"sessions": [given(session)]})
        return next(read(Session, one) for one in self.state()["sessions"] if one["sessionID"] == session_id)

    def seed(self, document: Mapping[str, Any] | str | Path) -> None:
        """Add a seed document to the account, all or nothing; a file is JSON, or YAML by its ending."""
        self._call("POST", "/seed", document if isinstance(document, Mapping) else document_of(Path(document)))

    def state(self) -> dict[str, Any]:
        """The account as a seed document: `characters, end_users, memories, sessions`."""
        return self._call("GET", "/state")

    def reset(self) -> None:
        """Make the account as new: data, clock, faults, journal, snapshots, replies."""
        self._call("POST", "/reset")

    def snapshot(self, name: str | None = None) -> str:
        """Save the account, under a new name unless one is given; returns the name."""
        name = name or f"snapshot-{uuid.uuid4().hex[:8]}"
        self._call("PUT", _snapshot(name))
        return name

    def snapshots(self) -> list[str]:
        """The names of the account's snapshots."""
        names: list[str] = self._call("GET", "/snapshots")["snapshots"]
        return names

    def restore(self, name: str) -> None:
        """Put the account back as it was saved, ids and times included."""
        self._call("POST", f"{_snapshot(name)}/restore")

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot."""
        self._call("DELETE", _snapshot(name))


def _snapshot(name: str) -> str:
    # A dot would be resolved on the way, as in a path of files.
    return f"/snapshots/{quote(name, safe='').replace('.', '%2E')}"
