"""Seed documents: what goes in, what is refused and where, and that it is all or nothing."""

import json
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from fake_convai.control.seed_document import read_seed, read_seeds
from fake_convai.domain.errors import Invalid
from tests.api.talking import details
from tests.conftest import Api, on_sqlite, refused
from tests.control.conftest import Run
from tests.control.driving import NOON, Control, account

DAY, EVE = "2026-01-02T00:00:00.000000Z", "2026-01-02T20:00:00.123456Z"
SESSION = "11111111-1111-4111-8111-111111111111"
CHARACTER: dict[str, Any] = {
    "character_id": "npc",
    "character_name": "Coach",
    "voice_type": "FEMALE",
    "backstory": " Trains people. ",
    "listing": "public",
    "language_codes": ["de-DE", "en-US"],
    "character_actions": ["wave"],
    "memory_settings": {"enabled": True},
    "timestamp": NOON,
}
FULL: dict[str, Any] = {
    "account": {"plan": "scale", "dedup": "exact"},
    "characters": [CHARACTER, {**CHARACTER, "character_id": "npc-2", "memory_settings": {"enabled": False}}],
    "end_users": [
        {
            "end_user_id": "player-42",
            "end_user_metadata": {"name": "Jordan", "level": 3, "tags": ["a", None], "deep": {"x": None}},
            "last_active_ts": NOON,
            "last_ltm_usage_ts": DAY,
        },
        {"end_user_id": "player-43", "end_user_metadata": {}, "last_active_ts": None, "last_ltm_usage_ts": None},
    ],
    "memories": [
        {
            "character_id": "npc",
            "end_user_id": "player-42",
            "id": "00000000-0000-4000-8000-000000000001",
            "memory": "The user's name is Jordan.",
            "metadata": {"source": "seed", "n": None},
            "created_at": NOON,
            "updated_at": EVE,
        }
    ],
    "sessions": [
        {
            "character_id": "npc",
            "end_user_id": "player-42",
            "sessionID": SESSION,
            "started_at": DAY,
            "is_added_to_memory": True,
            "interactions": [
                {"timestamp": DAY, "user": "Hello.", "character": "Hi!", "is_trigger_input": False},
                {"timestamp": EVE, "user": "wave", "character": "", "is_trigger_input": True},
            ],
        },
        {
            "character_id": "npc-2",
            "end_user_id": None,
            "sessionID": "22222222-2222-4222-8222-222222222222",
            "started_at": EVE,
            "is_added_to_memory": False,
            "interactions": [],
        },
    ],
}
"""Every key of the document, in the form in which a state has it."""

SMALL = {
    "characters": [{"character_id": "npc"}],
    "memories": [{"character_id": "npc", "end_user_id": "player-42", "memory": "  The user \n has a dog. "}],
    "sessions": [
        {"character_id": "npc", "end_user_id": "player-43", "interactions": [{"user": "Hello.", "character": "Hi!"}]}
    ],
}
"""Only what a document must have."""


TRIGGER = {"user": "wave", "character": "", "is_trigger_input": 1}


def part(name: str, **fields: Any) -> dict[str, Any]:
    """The full document with other fields in the first of a list."""
    first, *others = FULL[name]
    return {**FULL, name: [{**first, **fields}, *others]}


def without(name: str, field: str) -> dict[str, Any]:
    """The full document without a field in the first of a list."""
    document = part(name)
    del document[name][0][field]
    return document


def test_a_seed_is_what_the_state_shows_then(control: Control) -> None:
    assert control.ok("POST", "/seed", FULL) == {
        "status": "seeded",
        "characters": 2,
        "end_users": 2,
        "memories": 1,
        "sessions": 2,
    }
    assert control.state() == FULL


def test_what_was_seeded_is_what_convais_routes_say(api: Api, control: Control) -> None:
    control.ok("POST", "/seed", FULL)
    assert api.memories("npc", "player-42") == [
        {name: value for name, value in FULL["memories"][0].items() if name not in ("character_id", "end_user_id")}
    ]
    assert api.ok("/beta/user/end-users/get", {"end_user_id": "player-43"}) == FULL["end_users"][1]
    character = api.ok("/production/character/get", {"charID": "npc"})
    assert {name: character[name] for name in CHARACTER} == CHARACTER
    assert [turn["interaction"][0]["message"] for turn in details(api, "npc", SESSION)] == ["Hello.", "wave"]
    listed = api.ok("/beta/user/end-users/list", {"active_after": "2025-12-31", "active_before": "2026-01-02"})
    assert [user["end_user_id"] for user in listed["end_users"]] == ["player-42"]


def test_what_is_missing_is_made(control: Control) -> None:
    control.freeze()
    control.ok("POST", "/seed", SMALL)
    state = control.state()
    (memory,), (session,) = state["memories"], state["sessions"]
    nobody: dict[str, Any] = {"end_user_metadata": {}, "last_active_ts": None, "last_ltm_usage_ts": None}
    assert state == {
        "characters": [
            {
                "character_id": "npc",
                "character_name": "Character npc",
                "voice_type": "MALE",
                "backstory": "",
                "listing": "private",
                "language_codes": ["en-US"],
                "character_actions": [],
                "memory_settings": {"enabled": False},
                "timestamp": NOON,
            }
        ],
        "end_users": [{"end_user_id": "player-42", **nobody}, {"end_user_id": "player-43", **nobody}],
        "memories": [
            {
                "character_id": "npc",
                "end_user_id": "player-42",
                "id": str(uuid.UUID(memory["id"])),
                "memory": "The user has a dog.",
                "metadata": {},
                "created_at": NOON,
                "updated_at": NOON,
            }
        ],
        "sessions": [
            {
                "character_id": "npc",
                "end_user_id": "player-43",
                "sessionID": str(uuid.UUID(session["sessionID"])),
                "started_at": NOON,
                "is_added_to_memory": False,
                "interactions": [{"timestamp": NOON, "user": "Hello.", "character": "Hi!", "is_trigger_input": False}],
            }
        ],
    }
    control.ok("POST", "/seed", SMALL)
    assert control.state() == state


def test_an_empty_document_changes_nothing(control: Control) -> None:
    control.ok("POST", "/seed", FULL)
    assert control.ok("POST", "/seed", {})["characters"] == 0
    assert control.state() == FULL


def test_seeding_again_replaces_what_has_the_same_id(control: Control) -> None:
    control.ok("POST", "/seed", FULL)
    control.ok("POST", "/seed", FULL)
    assert control.state() == FULL
    control.ok("POST", "/seed", {"memories": part("memories", memory="The user's name is Jo.")["memories"]})
    control.ok("POST", "/seed", {"sessions": part("sessions", interactions=[])["sessions"][:1]})
    control.ok("POST", "/seed", {"end_users": [{"end_user_id": "player-43", "end_user_metadata": {"name": "Sam"}}]})
    control.ok("POST", "/seed", {"characters": [{"character_id": "npc", "character_name": "Guide"}]})
    state = control.state()
    assert [memory["memory"] for memory in state["memories"]] == ["The user's name is Jo."]
    assert {one["sessionID"]: len(one["interactions"]) for one in state["sessions"]}[SESSION] == 0
    assert state["end_users"][1]["end_user_metadata"] == {"name": "Sam"}
    assert [character["character_name"] for character in state["characters"]] == ["Guide", "Coach"]


def test_a_seeded_fact_is_updated_by_one_that_overlaps(api: Api, control: Control) -> None:
    control.ok("POST", "/seed", {**FULL, "account": {}})
    (added,) = api.remember("npc", "player-42", "The user's name is Jordan Kim.")
    assert (added["event"], added["id"]) == ("update", FULL["memories"][0]["id"])


def test_a_memory_may_be_of_a_character_that_is_there_already(control: Control) -> None:
    control.ok("POST", "/seed", {"characters": [CHARACTER]})
    control.ok("POST", "/seed", {"memories": FULL["memories"]})
    assert control.state()["memories"] == FULL["memories"]


def test_two_accounts_may_hold_the_same_ids(control: Control, other: Api) -> None:
    control.ok("POST", "/seed", FULL)
    Control(other.client, other.key).ok("POST", "/seed", FULL)
    assert Control(other.client, other.key).state() == control.state() == FULL


@on_sqlite
@pytest.mark.parametrize(
    ("place", "document"),
    [
        ("characters[0].character_id", without("characters", "character_id")),
        ("characters[0].character_id", part("characters", character_id=" ")),
        ("characters[0].memory_settings.enabled", part("characters", memory_settings={"enabled": "yes"})),
        ("characters[0].memory_settings.enable", part("characters", memory_settings={"enable": True})),
        ("characters[0].memory", part("characters", memory=True)),
        ("characters[0].language_codes[1]", part("characters", language_codes=["en", 5])),
        ("characters[0].timestamp", part("characters", timestamp=5)),
        ("characters", {"characters": {}}),
        ("characters[0]", {"characters": ["npc"]}),
        ("end_users[0].end_user_id", part("end_users", end_user_id="x" * 513)),
        ("end_users[0].end_user_metadata", part("end_users", end_user_metadata={"name": 5})),
        ("end_users[0].last_active_ts", part("end_users", last_active_ts="yesterday")),
        ("end_users[0].speaker_id", part("end_users", speaker_id="x")),
        ("memories[0].memory", part("memories", memory=" ")),
        ("memories[0].memory", part("memories", memory="x" * 10_001)),
        ("memories[0].metadata", part("memories", metadata=[])),
        ("memories[0].created_at", part("memories", created_at="2026-13-01")),
        ("memories[0].character_id", part("memories", character_id="ghost")),
        ("sessions[0].character_id", part("sessions", character_id="ghost")),
        ("sessions[1].sessionID", {**FULL, "sessions": [{**one, "sessionID": SESSION} for one in FULL["sessions"]]}),
        ("sessions[0].interactions[0].user", part("sessions", interactions=[{"character": "Hi!"}])),
        ("sessions[0].interactions[0].is_trigger_input", part("sessions", interactions=[TRIGGER])),
        ("sessions[0].is_added_to_memory", part("sessions", is_added_to_memory=None)),
        ("account.plan", {"account": {"plan": "gold"}}),
        ("account.dedup", {"account": {"dedup": "clever"}}),
        ("people", {**FULL, "people": []}),
    ],
)
def test_a_bad_document_names_the_place_and_changes_nothing(
    control: Control, place: str, document: dict[str, Any]
) -> None:
    control.ok("POST", "/seed", SMALL)
    before = control.state()
    refused(control.send("POST", "/seed", document), 400, f"'{place}'")
    assert control.state() == before


@pytest.mark.parametrize("body", [b"[]", b"{", b'"seed"', b"5"])
def test_what_is_no_object_is_refused(control: Control, body: bytes) -> None:
    headers = {"CONVAI-API-KEY": control.key or ""}
    refused(control.client.post("/_fake/seed", content=body, headers=headers), 400, "JSON object")


def test_a_seed_needs_an_account(control: Control) -> None:
    refused(Control(control.client).send("POST", "/seed", SMALL), 400, "CONVAI-API-KEY", "X-API-Key")


def test_a_public_character_of_another_account_takes_no_seeded_memory(control: Control, other: Api) -> None:
    npc = other.character(listing="public")
    document = {"memories": [{"character_id": npc, "end_user_id": "player-42", "memory": "Tall."}]}
    refused(control.send("POST", "/seed", document), 400, "memories[0].character_id", npc)


ALIASES = "a: &a [x]\n" + "\n".join(
    f"{one}: &{one} [{', '.join([f'*{last}'] * 9)}]" for last, one in pairwise("abcdefgh")
)
"""Nine to the seventh power in eight lines."""


class TestFiles:
    """The documents that `--seed` names."""

    def test_json_and_yaml_say_the_same(self, tmp_path: Path) -> None:
        as_json, as_yaml = tmp_path / "seed.json", tmp_path / "seed.yaml"
        as_json.write_text("\ufeff" + json.dumps(FULL), "utf-8")
        as_yaml.write_text(yaml.safe_dump(FULL), "utf-8")
        assert read_seed(as_json) == read_seed(as_yaml)

    def test_yaml_may_have_plain_times(self, tmp_path: Path) -> None:
        path = tmp_path / "seed.yml"
        path.write_text("end_users:\n- {end_user_id: a, last_active_ts: 2026-01-01 12:00:00Z}\n")
        (end_user,) = read_seed(path).end_users
        path.write_text(f"end_users:\n- {{end_user_id: a, last_active_ts: '{NOON}'}}\n")
        assert read_seed(path).end_users == [end_user]

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("seed.json", b"", ["empty"]),
            ("seed.json", b"{", ["JSON", "line 1"]),
            ("seed.json", b"[]", ["JSON object"]),
            ("seed.json", b'{"characters": [{"character_id": "\\u0000"}]}', ["NUL"]),
            ("seed.json", b'{"memories": [{"memory": "x"}]}', ["memories[0].character_id"]),
            ("seed.json", b"\xff", ["utf-8"]),
            ("seed.yaml", b"a: [", ["line 1"]),
            ("seed.yaml", b"- a", ["JSON object"]),
            ("seed.yaml", b"end_users: [{end_user_id: a, end_user_metadata: {x: {1: 2}}}]", ["key"]),
            ("seed.yaml", b"end_users: [{end_user_id: 42}]", ["end_users[0].end_user_id"]),
            ("seed.yaml", ALIASES.encode(), ["its aliases unfold to too much"]),
            ("seed.yaml", b"memories: &a [*a]", ["its aliases unfold to too much"]),
            ("seed.yaml", b"memories: " + b"[" * 5000, ["nested too deeply"]),
        ],
    )
    def test_a_bad_file_is_named_with_the_place(
        self, tmp_path: Path, name: str, content: bytes, words: list[str]
    ) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(Invalid) as refusal:
            read_seed(path)
        message = refusal.value.message
        assert message.startswith(f"{path} is no seed document: ")
        assert [word for word in words if word.lower() not in message.lower()] == []
        assert "\n" not in message

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=r"ghost\.json is no seed document: .*No such file"):
            read_seed(tmp_path / "ghost.json")

    @pytest.mark.parametrize("part", ["memories", "sessions"])
    def test_a_character_must_be_in_the_file_or_in_one_before(self, tmp_path: Path, part: str) -> None:
        first, second = tmp_path / "first.json", tmp_path / "second.json"
        first.write_text(json.dumps({"characters": [CHARACTER]}))
        second.write_text(json.dumps({part: FULL[part][:1]}))
        assert [len(getattr(document, part)) for document in read_seeds([first, second])] == [0, 1]
        with pytest.raises(Invalid, match=rf"^{second} is no seed document: at '{part}\[0\]\.character_id' .*'npc'"):
            read_seeds([second, first])

    def test_several_files_overlay_each_other_in_every_new_account(self, run: Run, tmp_path: Path) -> None:
        first, second = tmp_path / "first.json", tmp_path / "second.yaml"
        first.write_text(json.dumps(FULL))
        second.write_text(
            "account: {plan: free}\n"
            "characters:\n- {character_id: npc, character_name: Guide, memory_settings: {enabled: false}}\n"
            "memories:\n- {character_id: npc-2, end_user_id: player-43, id: m-2, memory: The user is tall.,"
            f" created_at: '{DAY}'}}\n"
        )
        named = {"character_name": "Guide", "memory_settings": {"enabled": False}}
        tall = {"character_id": "npc-2", "end_user_id": "player-43", "id": "m-2", "memory": "The user is tall."}
        template = {
            **FULL,
            "account": {"plan": "free", "dedup": "exact"},
            "characters": [{**CHARACTER, **named}, FULL["characters"][1]],
            "memories": [*FULL["memories"], {**tall, "metadata": {}, "created_at": DAY, "updated_at": DAY}],
        }
        with run(seed=(first, second)) as client:
            for _ in range(2):
                api, control = account(client)
                assert control.state() == template
                api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})
                assert control.state() != template
                control.ok("POST", "/reset")
                assert control.state() == template


def test_how_a_character_looks_is_handed_back_as_it_is(api: Api, control: Control) -> None:
    looks = {"modelType": "rpm", "modelLink": "https://models.example/coach.glb", "extra": {"a": [1, None]}}
    control.ok("POST", "/seed", {"characters": [{"character_id": "npc", "model_details": looks}]})
    assert api.ok("/production/character/get", {"charID": "npc"})["model_details"] == looks
    assert control.state()["characters"][0]["model_details"] == looks
    copy = api.ok("/production/user/clone_character", {"charID": "npc"})["charID"]
    assert api.ok("/production/character/get", {"charID": copy})["model_details"] == looks
    default = api.ok("/production/character/get", {"charID": api.character()})["model_details"]
    assert sorted(default) == ["modelLink", "modelType"]
    assert "model_details" not in control.state()["characters"][-1]


def test_what_a_second_seed_does_not_say_stays(api: Api, control: Control) -> None:
    first = {
        "character_id": "npc",
        "backstory": "Old.",
        "memory_settings": {"enabled": True},
        "model_details": {"a": 1},
    }
    control.ok("POST", "/seed", {"characters": [first]})
    control.ok("POST", "/seed", {"characters": [{"character_id": "npc", "character_name": "Coach"}]})
    shown = api.ok("/production/character/get", {"charID": "npc"})
    assert (shown["character_name"], shown["backstory"], shown["model_details"]) == ("Coach", "Old.", {"a": 1})
    assert shown["memory_settings"] == {"enabled": True}


def test_two_characters_of_one_id_are_refused(api: Api, control: Control) -> None:
    characters = [{"character_id": "npc"}, {"character_id": " npc "}]
    refused(control.send("POST", "/seed", {"characters": characters}), 400, "'characters'", "two characters", "'npc'")
    assert control.state()["characters"] == []
