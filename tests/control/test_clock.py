"""The clock: every time that is stored, returned or compared is the account's."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from tests.api.talking import ASK_NAME, MY_NAME, NAME_FACT, chat, connect, details, disconnect, end_user, history
from tests.conftest import Api, refused
from tests.control.conftest import Run
from tests.control.driving import NOON, Control, account

EVE = "2026-01-01T20:00:00.000000Z"
HOUR, DAY = 3600, 86400


def near_real_time(moment: str, offset: int = 0) -> bool:
    """Whether a moment is real time, shifted by `offset` seconds, give or take a minute."""
    shifted = datetime.now(UTC) + timedelta(seconds=offset)
    return abs(datetime.fromisoformat(moment) - shifted) < timedelta(minutes=1)


def test_a_new_clock_shows_real_time(control: Control) -> None:
    clock = control.ok("GET", "/clock")
    assert near_real_time(clock["now"])
    assert clock == {"now": clock["now"], "frozen": False, "offset": 0.0}


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T12:00:00", NOON),
        ("2026-01-01T14:00:00+02:00", NOON),
        ("2026-01-01", "2026-01-01T00:00:00.000000Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000000Z"),
        ("9998-12-31T23:59:59.999999Z", "9998-12-31T23:59:59.999999Z"),
    ],
)
def test_it_can_be_frozen(api: Api, control: Control, now: str, shown: str) -> None:
    clock = {"now": shown, "frozen": True, "offset": 0.0}
    assert control.ok("PUT", "/clock", {"now": now}) == clock
    assert control.ok("GET", "/clock") == clock
    api.remember(npc := api.character(memory=True), "player-42", "The user has a dog.")
    api.ok("/production/user/connect")
    disconnect(api, connect(api, npc, "player-42", transport="livekit"))
    assert end_user(api, "player-42")["last_active_ts"] == shown
    assert len(history(api, npc)) == 1


def test_a_frozen_clock_is_moved_by_seconds(control: Control) -> None:
    control.freeze()
    assert control.ok("PUT", "/clock", {"advance": 8 * HOUR})["now"] == EVE
    assert control.ok("PUT", "/clock", {"advance": 0.000001})["now"] == "2026-01-01T20:00:00.000001Z"
    assert control.ok("PUT", "/clock", {"advance": -8 * HOUR})["now"] == "2026-01-01T12:00:00.000001Z"


def test_a_running_clock_is_shifted(control: Control) -> None:
    for wish, offset in (({"offset": DAY}, DAY), ({"advance": HOUR}, DAY + HOUR), ({"offset": -DAY}, -DAY)):
        clock = control.ok("PUT", "/clock", wish)
        assert (clock["frozen"], clock["offset"]) == (False, offset)
        assert near_real_time(clock["now"], offset)


def test_an_offset_lets_a_frozen_clock_run_and_delete_goes_back_to_real_time(control: Control) -> None:
    control.freeze()
    assert control.ok("PUT", "/clock", {"offset": DAY})["frozen"] is False
    control.freeze()
    clock = control.ok("DELETE", "/clock")
    assert (clock["frozen"], clock["offset"], near_real_time(clock["now"])) == (False, 0.0, True)


@pytest.mark.parametrize(
    ("place", "wish"),
    [
        ("now", {"now": "noon"}),
        ("now", {"now": "2026-02-30"}),
        ("now", {"now": 5}),
        ("now", {"now": None}),
        ("now", {"now": "9999-12-31"}),
        ("advance", {"advance": "3600"}),
        ("advance", {"advance": True}),
        ("advance", {"advance": -1e11}),
        ("offset", {"offset": None}),
        ("offset", {"offset": 1e300}),
        ("offset", {"offset": 1e12}),
        ("at", {"at": NOON}),
        ('{"now":', {}),
        ('{"now":', {"now": NOON, "advance": 1}),
    ],
)
def test_a_clock_in_no_known_format_is_refused_and_changes_nothing(
    control: Control, place: str, wish: dict[str, Any]
) -> None:
    control.freeze(EVE)
    refused(control.send("PUT", "/clock", wish), 400, place)
    assert control.ok("GET", "/clock") == {"now": EVE, "frozen": True, "offset": 0.0}


def test_each_account_has_its_own(control: Control, other: Api) -> None:
    control.freeze()
    assert near_real_time(Control(other.client, other.key).ok("GET", "/clock")["now"])


def test_without_a_key_it_is_everybodys(server: Control, control: Control) -> None:
    control.freeze(EVE)
    assert server.ok("PUT", "/clock", {"now": NOON}) == {"now": NOON, "frozen": True, "offset": 0.0}
    assert server.ok("GET", "/clock")["now"] == NOON
    _, new = account(server.client)
    assert [one.ok("GET", "/clock")["now"] for one in (control, new)] == [NOON, NOON]
    new.freeze(EVE)
    new.ok("POST", "/reset")
    assert new.ok("GET", "/clock")["now"] == NOON
    server.client.post("/beta/memory/list")
    assert [entry["at"] for entry in server.requests(path="/memory/list")] == [NOON]
    server.ok("DELETE", "/clock")
    assert [one.ok("GET", "/clock")["frozen"] for one in (control, new)] == [False, False]


class TestWhatObeysIt:
    """Stored and returned times, comparisons, expiries."""

    def test_every_time_that_is_returned(self, api: Api, control: Control) -> None:
        control.freeze()
        npc = api.character(memory=True)
        (dog,) = api.remember(npc, "player-42", "The user has a dog.")
        connected = api.ok("/live/connect", {"character_id": npc, "end_user_id": "player-42"})
        with chat(api, session := connect(api, npc, "player-43")) as talk:
            talk.say("My name is Jordan.")
        claims = jwt.decode(connected["token"], options={"verify_signature": False})
        assert datetime.fromtimestamp(claims["nbf"], UTC) == datetime.fromisoformat(NOON)
        assert api.ok("/production/character/get", {"charID": npc})["timestamp"] == NOON
        times = [(one["created_at"], one["updated_at"]) for one in api.memories(npc, "player-43")]
        assert times == [(NOON, NOON)]
        control.freeze(EVE)
        api.remember(npc, "player-42", "The user has a dog.")
        record = api.ok("/beta/memory/get", {"character_id": npc, "end_user_id": "player-42", "memory_id": dog["id"]})
        assert (record["created_at"], record["updated_at"]) == (NOON, EVE)
        assert (end_user(api, "player-42")["last_active_ts"], end_user(api, "player-42")["last_ltm_usage_ts"]) == (
            NOON,
            EVE,
        )
        assert [(one["date"], one["time"]) for one in history(api, npc)] == [("01-01-2026", "12:00:00")] * 2
        (turn,) = details(api, npc, session["character_session_id"])
        assert turn["timestamp"] == "2026-01-01 12:00:00.000000"
        assert {entry["at"] for entry in control.requests()} == {NOON, EVE}

    def test_an_entry_of_the_journal_keeps_the_time_of_its_request(self, api: Api, control: Control) -> None:
        for at in (NOON, EVE):
            control.freeze(at)
            api.ok("/beta/user/end-users/list")
        control.ok("DELETE", "/clock")
        before = time.time()
        api.ok("/beta/user/end-users/list")
        control.ok("PUT", "/clock", {"offset": DAY})
        *frozen, running = (entry["at"] for entry in control.requests())
        assert frozen == [NOON, EVE]
        assert before - 1 < datetime.fromisoformat(running).timestamp() < time.time() + 1

    def test_filters_of_the_end_user_list(self, api: Api, control: Control) -> None:
        npc = api.character()
        for at, user in ((NOON, "player-1"), (EVE, "player-2")):
            control.freeze(at)
            disconnect(api, connect(api, npc, user))
        assert api.end_users(active_after=NOON) == ["player-2"]
        assert api.end_users(active_before=EVE) == ["player-1"]

    def test_a_token(self, api: Api, control: Control) -> None:
        control.freeze()
        token = api.ok("/production/user/connect")
        assert token["expirationTime"] == "2026-01-01T13:00:00.000000Z"

        def works() -> bool:
            headers = {"API-AUTH-TOKEN": token["apiAuthToken"]}
            return api.client.post("/beta/user/end-users/list", headers=headers).status_code == 200

        worked = []
        for now in ("2026-01-01T12:59:59.999999Z", "2026-01-01T13:00:00Z", NOON):
            control.freeze(now)
            worked.append(works())
        assert worked == [True, False, True]
        extended = api.ok("/production/user/extend-token", {"apiAuthToken": token["apiAuthToken"]})
        assert extended == {"expirationTime": "2026-01-02T12:00:00.000000Z"}
        control.ok("PUT", "/clock", {"advance": DAY - 1})
        assert works()
        control.ok("PUT", "/clock", {"advance": 1})
        assert not works()

    @pytest.mark.parametrize("wish", [{"advance": 600}, {"now": EVE}, {"offset": 0}, None])
    def test_an_idle_session(self, api: Api, control: Control, wish: dict[str, Any] | None) -> None:
        control.freeze()
        npc = api.character(memory=True)
        with chat(api, connect(api, npc, "player-42")) as talk:
            talk.say(MY_NAME)
            control.ok("PUT", "/clock", {"advance": 299})
            control.ok("PUT", "/clock", wish) if wish else control.ok("DELETE", "/clock")
            assert [one["memory"] for one in control.state()["memories"]] == [NAME_FACT]
            assert talk.receive()["data"]["type"] == "user-idle-warning"
            assert talk.closed() == (1000, "Session ended")

    def test_a_delayed_deletion(self, run: Run) -> None:
        with run(delete_all_delay=60) as client:
            api, control = account(client)
            control.freeze()
            npc = api.character(memory=True)
            api.remember(npc, "player-42", "The user's name is Jordan.")
            api.ok("/beta/memory/delete-all", {"character_id": npc, "end_user_id": "player-42"})
            control.ok("PUT", "/clock", {"advance": 59.999999})
            assert len(control.state()["memories"]) == len(api.memories(npc, "player-42")) == 1
            control.ok("PUT", "/clock", {"advance": 0.000001})
            assert control.state()["memories"] == []
            with chat(api, connect(api, npc, "player-42")) as talk:
                assert "Jordan" not in talk.say(ASK_NAME)
            assert api.memories(npc, "player-42") == []

    def test_the_rate_limit(self, run: Run) -> None:
        with run(rate_limit="1/s") as client:
            api, control = account(client)
            control.freeze()
            statuses = []
            for advance in (0, 0, 0.5, 0.5, 0):
                control.ok("PUT", "/clock", {"advance": advance})
                statuses.append(api.post("/beta/user/end-users/list").status_code)
            assert statuses == [200, 429, 429, 200, 429]


def test_an_accounts_clock_is_not_the_servers(server: Control, control: Control) -> None:
    control.freeze()
    assert server.ok("GET", "/clock")["frozen"] is False
