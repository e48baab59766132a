"""Written from docs/testing.md alone, as somebody would who has just installed it."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_convai import FakeConvai
from fake_convai.testing import AsyncFakeConvai, ControlError, DidNotHappen


def post(fake: FakeConvai, path: str, **body: Any) -> httpx.Response:
    """What my app would send."""
    header = "X-API-Key" if path.startswith("/live/") else "CONVAI-API-KEY"
    return httpx.post(f"{fake.url}{path}", json=body, headers={header: fake.api_key})


def test_a_character_has_the_id_that_i_give(fake_convai: FakeConvai) -> None:
    assert fake_convai.character("coach", name="Coach") == "coach"
    assert post(fake_convai, "/production/character/get", charID="coach").json()["character_name"] == "Coach"


def test_a_character_gets_an_id(fake_convai: FakeConvai) -> None:
    assert fake_convai.character() != fake_convai.character()


def test_memory_is_off_at_first(fake_convai: FakeConvai) -> None:
    assert fake_convai.talk(fake_convai.character(), "player-42", "I have a dog.").memories == ()


def test_memories_come_oldest_first(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    fake_convai.remember(npc, "player-42", "One.", "Two.")
    assert [one.memory for one in fake_convai.memories(npc, "player-42")] == ["One.", "Two."]


def test_memories_of_nobody(fake_convai: FakeConvai) -> None:
    assert fake_convai.memories(fake_convai.character(), "nobody") == []


def test_metadata_of_a_memory(fake_convai: FakeConvai) -> None:
    (memory,) = fake_convai.remember(fake_convai.character(), "player-42", "One.", metadata={"a": 1})
    assert memory.metadata == {"a": 1}


def test_my_app_adds_a_memory(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    added = post(fake_convai, "/beta/memory/add", character_id=npc, end_user_id="p", memories=["The user has a dog."])
    assert added.json()["memories"][0]["event"] == "add"
    assert fake_convai.memories(npc, "p")[0].memory == "The user has a dog."


def test_a_person_has_a_record(fake_convai: FakeConvai) -> None:
    fake_convai.remember(fake_convai.character(), "player-42", "One.")
    person = fake_convai.end_user("player-42")
    assert person is not None
    assert person.end_user_metadata == {}


def test_all_people(fake_convai: FakeConvai) -> None:
    fake_convai.seed({"end_users": [{"end_user_id": "a"}, {"end_user_id": "b"}]})
    assert [one.end_user_id for one in fake_convai.end_users()] == ["a", "b"]


def test_a_session_of_the_past(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    session = fake_convai.session(npc, "player-42", ("Hi.", "Hello."), started_at=datetime(2026, 1, 1, tzinfo=UTC))
    listed = post(fake_convai, "/production/character/chatHistory/list", charID=npc).json()
    assert len(listed) == 1
    assert session.interactions[0].character == "Hello."


def test_a_seed_from_a_file(fake_convai: FakeConvai, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("characters:\n  - character_id: coach\n")
    fake_convai.seed(tmp_path / "seed.yaml")
    assert fake_convai.state()["characters"][0]["character_id"] == "coach"


def test_a_bad_seed_names_the_place(fake_convai: FakeConvai) -> None:
    with pytest.raises(ControlError, match=r"memories\[0\]"):
        fake_convai.seed({"memories": [{"character_id": "no", "end_user_id": "p", "memory": "One."}]})


def test_save_and_roll_back(fake_convai: FakeConvai, request: pytest.FixtureRequest) -> None:
    name = fake_convai.snapshot(request.node.nodeid)
    fake_convai.character("coach")
    fake_convai.restore(name)
    assert fake_convai.state()["characters"] == []
    assert fake_convai.snapshots() == [name]


def test_a_reset(fake_convai: FakeConvai) -> None:
    fake_convai.character()
    fake_convai.reset()
    assert fake_convai.state()["characters"] == []


def test_two_accounts_do_not_meet(fake_convai: FakeConvai) -> None:
    other = fake_convai.account()
    other.character("theirs")
    assert fake_convai.state()["characters"] == []


def test_somebody_elses_character(fake_convai: FakeConvai) -> None:
    npc = fake_convai.account().character(listing="public")
    assert post(fake_convai, "/live/connect", character_id=npc).status_code == 200


def test_talking_gives_text_and_events(fake_convai: FakeConvai) -> None:
    turn = fake_convai.talk(fake_convai.character(name="Coach"), "player-42", "Hello.")
    assert "Coach" in turn.text
    assert {"bot-llm-text", "bot-turn-completed"} <= {event.type for event in turn.events}


def test_talking_without_a_name(fake_convai: FakeConvai) -> None:
    assert fake_convai.talk(fake_convai.character(), None, "Hello.").text


def test_a_scripted_reply(fake_convai: FakeConvai) -> None:
    fake_convai.set_replies({"valve": "Turn it clockwise."}, default="Ask me about valves.")
    npc = fake_convai.character()
    assert fake_convai.talk(npc, None, "The valve?").text == "Turn it clockwise."
    assert fake_convai.talk(npc, None, "The weather?").text == "Ask me about valves."


def test_what_is_remembered_is_used(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    fake_convai.talk(npc, "player-42", "My name is Jordan.")
    assert "Jordan" in fake_convai.talk(npc, "player-42", "What is my name?").text


def test_a_conversation(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    with fake_convai.conversation(npc, "player-42") as conversation:
        assert conversation.say("I have a dog.").text
        conversation.interrupt()
        assert conversation.events
    assert fake_convai.memories(npc, "player-42")[0].memory == "The user has a dog."


def test_talking_to_nobody_says_so(fake_convai: FakeConvai) -> None:
    with pytest.raises(ControlError, match="404"):
        fake_convai.talk("nobody", "player-42", "Hello.")


def test_talking_through_a_fault(fake_convai: FakeConvai) -> None:
    fake_convai.fail("/live/connect", 429)
    with pytest.raises(ControlError, match="429"):
        fake_convai.talk(fake_convai.character(), "player-42", "Hello.")


def test_waiting_for_a_request(fake_convai: FakeConvai) -> None:
    later = threading.Timer(0.05, post, [fake_convai, "/beta/user/end-users/list"])
    later.start()
    assert fake_convai.wait_for_request("/user/end-users/list", timeout=60).status == 200
    later.join()


def test_waiting_in_vain(fake_convai: FakeConvai) -> None:
    with pytest.raises(DidNotHappen, match="no such request came"):
        fake_convai.wait_for_request("/memory/add", timeout=0)


def test_waiting_for_a_memory(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    later = threading.Timer(0.05, fake_convai.remember, [npc, "player-42", "The user has a dog."])
    later.start()
    assert "dog" in fake_convai.wait_until_remembered(npc, "player-42", "dog", timeout=60).memory
    later.join()


def test_what_was_sent(fake_convai: FakeConvai) -> None:
    post(fake_convai, "/beta/memory/list", character_id="x", end_usr="y")
    (request,) = fake_convai.requests()
    assert (request.surface, request.path, request.unknown_fields) == ("beta", "/memory/list", ["end_usr"])
    fake_convai.clear_requests()
    assert fake_convai.requests() == []


def test_a_retry_after_429(fake_convai: FakeConvai) -> None:
    fake_convai.fail("/user/end-users/list", times=2)
    statuses = [post(fake_convai, "/beta/user/end-users/list").status_code for _ in range(3)]
    assert statuses == [429, 429, 200]


def test_a_fault_for_one_person(fake_convai: FakeConvai) -> None:
    fake_convai.fail("/user/end-users/delete", 500, end_user_id="b")
    assert post(fake_convai, "/beta/user/end-users/delete", end_user_id="a").status_code == 200
    assert post(fake_convai, "/beta/user/end-users/delete", end_user_id="b").status_code == 500


def test_a_body_of_my_own(fake_convai: FakeConvai) -> None:
    fake_convai.fail("/character/list", 503, body={"oops": True}, headers={"Retry-After": "9"})
    answer = post(fake_convai, "/production/character/list")
    assert (answer.json(), answer.headers["retry-after"]) == ({"oops": True}, "9")


def test_a_broken_connection(fake_convai: FakeConvai) -> None:
    fake_convai.fail(disconnect=True)
    with pytest.raises(httpx.TransportError):
        post(fake_convai, "/production/character/list")


def test_faults_that_wait(fake_convai: FakeConvai) -> None:
    fake_convai.fail("/memory/add", 503)
    assert [fault.status for fault in fake_convai.faults()] == [503]
    assert fake_convai.unhappened() == [
        "The fault 503 for /memory/add never happened: nothing was sent that it is for. If that is fine, say "
        "optional=True."
    ]
    fake_convai.clear_faults()
    assert fake_convai.faults() == []


def test_time_stands_still_and_moves(fake_convai: FakeConvai) -> None:
    fake_convai.freeze("2026-01-01T00:00:00Z")
    fake_convai.advance(timedelta(hours=1))
    assert fake_convai.now() == datetime(2026, 1, 1, 1, tzinfo=UTC)
    fake_convai.unfreeze()
    assert fake_convai.now() > datetime(2026, 6, 1, tzinfo=UTC)


def test_memories_are_dated_by_the_clock(fake_convai: FakeConvai) -> None:
    fake_convai.freeze("2026-01-01T00:00:00Z")
    (memory,) = fake_convai.remember(fake_convai.character(), "player-42", "One.")
    assert memory.created_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_an_app_in_a_subprocess(fake_convai: FakeConvai) -> None:
    program = (
        "import os, httpx; print(httpx.post(os.environ['CONVAI_BETA_URL'] + '/user/end-users/list', "
        "headers={'CONVAI-API-KEY': os.environ['CONVAI_API_KEY']}).status_code)"
    )
    env = {**os.environ, **fake_convai.env}
    assert subprocess.run([sys.executable, "-c", program], env=env, capture_output=True).stdout.strip() == b"200"


def test_variables_are_set(fake_convai_env: FakeConvai) -> None:
    assert os.environ["CONVAI_API_KEY"] == fake_convai_env.api_key


def test_without_a_socket(fake_convai: FakeConvai) -> None:
    with httpx.Client(base_url="https://api.convai.com", transport=fake_convai.transport) as client:
        assert client.post("/character/list", headers={"CONVAI-API-KEY": fake_convai.api_key}).status_code == 200


@pytest.mark.anyio
async def test_asynchronously(afake_convai: AsyncFakeConvai) -> None:
    npc = await afake_convai.character(memory=True)
    turn = await afake_convai.talk(npc, "player-42", "I have a dog.")
    assert turn.memories == tuple(await afake_convai.memories(npc, "player-42"))


@pytest.mark.anyio
async def test_asynchronous_stubs_and_messages(afake_convai: AsyncFakeConvai) -> None:
    await afake_convai.stub("/tts", body={"audio": "none"})
    async with httpx.AsyncClient(base_url=afake_convai.url) as client:
        answer = await client.post("/tts", headers={"CONVAI-API-KEY": afake_convai.api_key})
    assert answer.json() == {"audio": "none"}
    async with afake_convai.conversation(await afake_convai.character(), "player-42") as conversation:
        await conversation.say("Hello.")
        assert (await afake_convai.wait_for_message("bot-turn-completed")).direction == "out"
    assert {one.type for one in await afake_convai.messages(direction="in")} == {"user_text_message"}
    assert await afake_convai.unhappened() == []


@pytest.mark.parametrize("fake_convai_settings", [{"plan": "free"}, {"plan": "scale"}])
def test_on_two_plans(fake_convai: FakeConvai, fake_convai_settings: dict[str, str]) -> None:
    answer = post(fake_convai, "/production/character/chatHistory/list", charID=fake_convai.character())
    assert answer.status_code == (403 if fake_convai_settings["plan"] == "free" else 200)


def test_a_server_of_my_own(tmp_path: Path) -> None:
    with FakeConvai({"database": str(tmp_path / "fake.db")}) as fake:
        fake.character("coach")
        with FakeConvai.attach(fake.url, fake.api_key) as attached:
            assert attached.state()["characters"][0]["character_id"] == "coach"


def test_a_server_of_a_command() -> None:
    with FakeConvai.run(f"{sys.executable} -m fake_convai", {"plan": "free", "demo": True}) as fake:
        assert post(fake, "/production/character/chatHistory/list", charID=fake.character()).status_code == 403


def test_a_command_that_starts_nothing() -> None:
    with pytest.raises(RuntimeError, match=r"starts no server; it said: no such thing"):
        FakeConvai.run(f"{sys.executable} -c \"print('no such thing')\" serve")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The event loop of the asynchronous tests."""
    return "asyncio"
