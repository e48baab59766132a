"""Mistakes that would pass in silence are said, in these words."""

from pathlib import Path

import pytest

from fake_convai import FakeConvai
from fake_convai.testing import ControlError, DidNotHappen
from tests.testing.conftest import App

pytest_plugins = ["pytester"]


def test_a_fault_for_a_path_that_nobody_has(fake: FakeConvai) -> None:
    with pytest.raises(ControlError) as refused:
        fake.fail("/memory/lst")
    words = "Invalid fault at 'match.path': there is no route /memory/lst; the nearest is /memory/list."
    assert str(refused.value) == words


def test_paths_as_reports_spell_them(app: App, fake: FakeConvai) -> None:
    fake.fail("/beta/user/end-users/list", 503)
    assert app.post("/beta/user/end-users/list").status_code == 503
    assert [one.status for one in fake.requests("/beta/user/end-users/list")] == [503]
    assert fake.requests("/production/user/end-users/list") == []
    assert fake.wait_for_request(f"{fake.beta_url}/user/end-users/list").status == 503


def test_waiting_in_vain_tells_the_nearest(app: App, fake: FakeConvai) -> None:
    with pytest.raises(DidNotHappen) as nothing:
        fake.wait_for_request("/memory/add", timeout=0)
    assert str(nothing.value) == "Waited 0 s for a request with path /memory/add: no such request came, nor any other."
    app.ok("/beta/user/end-users/list")
    with pytest.raises(DidNotHappen) as nearest:
        fake.wait_for_request("/user/end-users/list", timeout=0, status=429)
    assert str(nearest.value) == (
        "Waited 0 s for a request with path /user/end-users/list, status 429: no such request came; the nearest: "
        "POST /beta/user/end-users/list -> 200 (status is 200, not 429)."
    )
    with pytest.raises(DidNotHappen) as fewer:
        fake.wait_for_request("/user/end-users/list", timeout=0, count=2)
    assert str(fewer.value).endswith("/user/end-users/list: 1 of 2 such requests came.")


def test_waiting_for_a_message_in_vain_tells_the_nearest(fake: FakeConvai) -> None:
    with pytest.raises(DidNotHappen) as nothing:
        fake.wait_for_message("bot-llm-text", timeout=0)
    assert str(nothing.value) == "Waited 0 s for a message with type bot-llm-text: no such message came, nor any other."
    fake.talk(fake.character(), None, "Hello.")
    with pytest.raises(DidNotHappen) as nearest:
        fake.wait_for_message("bot-llm-txt", timeout=0.01)
    assert str(nearest.value) == (
        "Waited 0.01 s for a message with type bot-llm-txt: no such message came; the nearest: bot-llm-text (out) "
        "(type is bot-llm-text, not bot-llm-txt)."
    )
    with pytest.raises(DidNotHappen) as fewer:
        fake.wait_for_message("bot-turn-completed", timeout=0, direction="out", count=2)
    assert str(fewer.value).endswith("type bot-turn-completed, direction out: 1 of 2 such messages came.")


def test_waiting_for_longer_than_anybody_should(fake: FakeConvai) -> None:
    with pytest.raises(ControlError) as refused:
        fake.wait_for_request("/memory/add", timeout=301)
    assert str(refused.value) == ("Invalid filter 'wait' or 'count': send at most 300 seconds and a whole number.")


def test_a_fault_for_a_path_that_only_a_stub_has(app: App, fake: FakeConvai) -> None:
    fake.stub("/tts/{voice}", text="sound")
    fake.fail("/tts/anna", 503)
    assert [app.post("/tts/anna").status_code for _ in range(2)] == [503, 200]
    assert fake.unhappened() == []
    with pytest.raises(ControlError, match=r"there is no route /ttss/voice; the nearest is /tts/\{voice\}\.$"):
        fake.fail("/ttss/voice")


def test_a_stub_that_never_answered(app: App, fake: FakeConvai) -> None:
    fake.stub("/tts", 201)
    fake.stub("/beta/voices/*", method="get")
    fake.stub("/fine", optional=True)
    app.post("/tts")
    never = ["The stub for /voices/* never answered. If that is fine, say optional=True."]
    assert fake.unhappened() == never
    fake.clear_requests()
    assert fake.unhappened() == never, "what has answered is known, though its request is forgotten"
    fake.clear_stubs()
    assert fake.unhappened() == []


def test_two_equal_faults_of_which_one_happened(app: App, fake: FakeConvai) -> None:
    for _ in range(2):
        fake.fail("/character/list", 503)
    assert app.post("/production/character/list").status_code == 503
    assert len(fake.unhappened()) == 1
    fake.clear_faults()


@pytest.mark.parametrize(
    ("path", "wrong", "words"),
    [
        ("tts", {}, "Invalid stubs at 'stubs[0].match.path': send a path such as /memory/add."),
        ("/tts", {"body": 1, "text": "1"}, "Invalid stubs at 'stubs[0]': send one of body, text and base64."),
        (
            "/tts*",
            {},
            "Invalid stubs at 'stubs[0].match.path': a * stands for all that follows: send it as the last part of the "
            "path, alone.",
        ),
    ],
)
def test_a_wrong_stub_is_refused(fake: FakeConvai, path: str, wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ControlError) as refused:
        fake.stub(path, **wrong)  # type: ignore[arg-type]
    assert str(refused.value) == words
    assert fake.unhappened() == []


def test_waiting_for_a_memory_in_vain_tells_the_nearest(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)
    with pytest.raises(DidNotHappen) as nothing:
        fake.wait_until_remembered(npc, "player-42", "a cat", timeout=0)
    assert str(nothing.value) == (
        "Waited 0 s for a memory that holds 'a cat': there is none; nothing is remembered of 'player-42'."
    )
    fake.remember(npc, "player-42", "The user has a dog.")
    with pytest.raises(DidNotHappen, match=r"the nearest: 'The user has a dog\.'\.$"):
        fake.wait_until_remembered(npc, "player-42", "The user has a cat.", timeout=0)


WRONG_TYPES = {
    "a status as text": (lambda f: f.fail(status="429"), "fail() wants status to be an int or None, not '429'"),
    "a number as a person": (
        lambda f: f.remember("npc", 42, "A fact."),
        "remember() wants end_user_id to be a str, not 42",
    ),
    "half a turn": (
        lambda f: f.session("npc", None, ("Hello.",)),
        "session() wants turns to be a tuple (a str, a str), not ('Hello.',)",
    ),
    "a list as a document": (
        lambda f: f.seed([]),
        "seed() wants document to be a dict or a str or a Path, not []",
    ),
    "a number as a route": (lambda f: f.stub(42), "stub() wants path to be a str, not 42"),
    "a direction": (
        lambda f: f.wait_for_message("x", direction="up"),
        "wait_for_message() wants direction to be 'in' or 'out' or None, not 'up'",
    ),
    "another word": (
        lambda f: f.character(listing="secret"),
        "character() wants listing to be 'private' or 'public', not 'secret'",
    ),
    "a truth as a number": (
        lambda f: f.advance(True),
        "advance() wants seconds to be a number or a timedelta, not True",
    ),
}


@pytest.mark.parametrize(("call", "words"), WRONG_TYPES.values(), ids=WRONG_TYPES.keys())
def test_a_wrong_type_is_said_in_words_of_python(fake_convai: FakeConvai, call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError) as refused:
        call(fake_convai)
    assert str(refused.value) == words


@pytest.mark.parametrize("name", ["seed.yaml", "seed.YML", "seed.json"])
def test_a_document_from_a_file(fake: FakeConvai, tmp_path: Path, name: str) -> None:
    text = '{"characters": [{"character_id": "coach", "timestamp": "2026-01-01T00:00:00Z"}]}'
    (tmp_path / name).write_text(text.replace('"', "") if name.lower().endswith("ml") else text)
    fake.seed(tmp_path / name)
    fake.seed(str(tmp_path / name))
    assert [one["character_id"] for one in fake.state()["characters"]] == ["coach"]


@pytest.mark.parametrize("name", ["a/b::c[d-1]", "..", ".", "x/restore", "ä ö", "?#%2F"])
def test_any_name_of_a_snapshot(fake: FakeConvai, name: str) -> None:
    fake.character("coach")
    assert fake.snapshot(name) == name
    fake.character("guide")
    assert fake.snapshots() == [name]
    fake.restore(name)
    assert [one["character_id"] for one in fake.state()["characters"]] == ["coach"]
    fake.delete_snapshot(name)
    assert fake.snapshots() == []


def test_what_never_happened_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_never(fake_convai):
            fake_convai.fail("/memory/add", 503, end_user_id="player-42")

        def test_always_and_never(fake_convai):
            fake_convai.fail("/memory/add", disconnect=True, status=None, times=None)

        def test_never_inside(fake_convai):
            fake_convai.fail("/connect/stream", do="malformed", at={"event": "*", "nth": 2})

        def test_never_at_the_handshake(fake_convai):
            fake_convai.fail("/chat", handshake=503)

        def test_optional(fake_convai):
            fake_convai.fail("/memory/add", optional=True)

        def test_cleared(fake_convai):
            fake_convai.fail("/memory/add")
            fake_convai.clear_faults()

        def test_happened_once_of_twice(fake_convai):
            fake_convai.fail("/user/end-users/list", times=2)
            key = {"CONVAI-API-KEY": fake_convai.api_key}
            assert httpx.post(f"{fake_convai.beta_url}/user/end-users/list", headers=key).status_code == 429

        def test_happened_of_always(fake_convai):
            fake_convai.fail("/user/end-users/list", times=None)
            key = {"CONVAI-API-KEY": fake_convai.api_key}
            assert httpx.post(f"{fake_convai.beta_url}/user/end-users/list", headers=key).status_code == 429

        def test_fails_anyway(fake_convai):
            fake_convai.fail("/memory/add", 503)
            raise ValueError("mine")
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=4, failed=5)
    never, fine = "never happened: nothing was sent that it is for.", "If that is fine, say optional=True."
    result.stdout.fnmatch_lines(
        [
            f"The fault 503 for /memory/add, end_user_id player-42 {never} {fine}",
            f"The fault disconnect for /memory/add {never} {fine}",
            "The fault malformed for /connect/stream never happened: no answer came as far as "
            f'{{"event": "*", "nth": 2}}. {fine}',
            f"The fault handshake 503 for /chat {never} {fine}",
            "E*ValueError: mine",
            "*- fake-convai journal -*",
            f"The fault 503 for /memory/add {never} {fine}",
        ]
    )
    told, *_ = str(result.stdout).partition("short test summary")  # which in CI repeats the whole of it
    assert told.count("/memory/add, end_user_id player-42 never") == 1


def test_a_request_with_another_key_is_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_wrong_key(fake_convai):
            for key in ("hard-coded", "hard-coded", "invalid-key", ""):
                headers = {"CONVAI-API-KEY": key} if key else {}
                httpx.post(f"{fake_convai.beta_url}/user/end-users/list", headers=headers)
            print("mine ends in", fake_convai.api_key[-4:])
            assert False
        """
    )
    result = pytester.runpytest()
    mine = next(line for line in result.outlines if line.startswith("mine ends in"))[-4:]
    result.stdout.fnmatch_lines(
        [
            f"No request reached http://127.0.0.1:* with the API key of this test (it ends in {mine}).",
            f"2 requests came with a key that ends in oded, this test's ends in {mine}.",
            f"1 request came with a key that ends in -key, this test's ends in {mine}.",
            f"1 request came without a key, this test's ends in {mine}.",
        ]
    )


def test_what_an_account_gave_out_is_no_other_key(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_talks(fake_convai):
            key = {"CONVAI-API-KEY": fake_convai.api_key}
            connected = httpx.post(f"{fake_convai.production_url}/user/connect", headers=key).json()
            token = {"API-AUTH-TOKEN": connected["apiAuthToken"]}
            assert httpx.post(f"{fake_convai.production_url}/character/list", headers=token).status_code == 200
            with fake_convai.conversation(fake_convai.character()) as conversation:
                fake_convai.fail("/chat", 500)
                turn = conversation.say("Hello.")
            assert turn.text, turn.events[-1]["message"]
        """
    )
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["E*AssertionError: Injected fault: 500", "*- fake-convai journal -*"])
    result.stdout.no_fnmatch_line("*request* came *")


def test_the_journals_of_all_accounts_are_printed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import unittest

        import httpx
        import pytest

        from fake_convai import FakeConvai

        def post(fake, path):
            httpx.post(fake.url + path, headers={"CONVAI-API-KEY": fake.api_key})

        @pytest.fixture(scope="session")
        def shared(make_fake_convai):
            account = make_fake_convai()
            post(account, "/production/character/list")
            return account

        def test_two_accounts(fake_convai, shared):
            post(fake_convai, "/beta/memory/list")
            post(shared, "/beta/user/end-users/list")
            assert False

        class MyTest(unittest.TestCase):
            def test_of_unittest(self):
                fake = self.enterContext(FakeConvai())
                post(fake, "/production/user/speaker/list")
                self.fail("mine")
        """
    )
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*- fake-convai journal of the account *",
            "POST /beta/user/end-users/list -> 200*",
            "*MyTest.test_of_unittest*",
            "*- fake-convai journal -*",
            "POST /production/user/speaker/list -> 200*",
        ]
    )
    result.stdout.fnmatch_lines(["POST /beta/memory/list -> 400*"])


def test_tracebacks_end_in_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from fake_convai import FakeConvai

        @pytest.mark.parametrize("wrong", [
            lambda f: f.fail("/nothing"), lambda f: f.fail(status="429"), lambda f: f.wait_for_request(timeout=0),
            lambda f: f.wait_for_message('x', timeout=0), lambda f: f.stub('tts'),
            lambda f: f.talk("nobody", None, "Hello."), lambda f: FakeConvai.attach("http://127.0.0.1:1").state(),
        ])
        def test_wrong(fake_convai, wrong):
            wrong(fake_convai)
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=7)
    result.stdout.no_fnmatch_line("*fake_convai/testing/*.py:*")
    result.stdout.no_fnmatch_line("*httpx*.py:*")
    result.stdout.no_fnmatch_line("*control/client.py:*")


def test_what_the_fixture_does_is_not_logged(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import logging
        import httpx

        def test_silence(fake_convai, caplog):
            caplog.set_level(logging.DEBUG)
            npc = fake_convai.character(memory=True)
            assert fake_convai.memories(npc, "player-42") == []
            assert [one.name for one in caplog.records if one.name.startswith(("http", "fake_convai"))] == []
            httpx.get(fake_convai.url)
            assert "httpx" in [one.name for one in caplog.records]
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("variable", ["FAKE_CONVAI_API_KEY=ci", "FAKE_CONVAI_DATABASE=/no/such/fake.db"])
def test_variables_meant_for_a_server_do_not_count(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(*variable.split("="))
    pytester.makepyfile("def test_it(fake_convai): assert fake_convai.state()['characters'] == []")
    pytester.runpytest().assert_outcomes(passed=1)
