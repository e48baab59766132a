"""Faults and the journal from a shell."""

import pytest

from fake_convai.testing import FakeConvai
from tests.cli.conftest import LIST, NOON, Shell


def cells(table: str) -> list[list[str]]:
    """The rows of a table, heading first, whatever the lines between them look like."""
    lines = (line.replace("\u2503", "\u2502").strip().strip("\u2502") for line in table.splitlines())
    return [[cell.strip() for cell in line.split("\u2502")] for line in lines if "\u2502" in line]


class TestFaults:
    def test_are_added_listed_and_cleared(self, shell: Shell) -> None:
        assert shell.says("faults") == "No fault is waiting.\n"
        where = ("--path", "/memory/add", "--surface", "beta", "--character-id", "npc", "--end-user-id", "player-42")
        what = ("--status", "429", "--delay-ms", "200", "--when", "after", "--always", "--rate", "0.1")
        answer = ("--body", '{"ERROR": "Slow."}', "--header", "Retry-After: 30", "--header", "X-Time: 12:00")
        added = shell.json("faults", "add", *where, *what, *answer)
        assert added == {
            "match": {"surface": "beta", "path": "/memory/add", "character_id": "npc", "end_user_id": "player-42"},
            "times": None,
            "rate": 0.1,
            "status": 429,
            "headers": {"retry-after": "30", "x-time": "12:00"},
            "delay_ms": 200,
            "body": {"ERROR": "Slow."},
            "when": "after",
        }
        assert shell.says("faults", "add", "--disconnect", "--times", "2") == "Added: disconnect.\n"
        assert cells(shell.says("faults", "list")) == [
            ["Surface", "Path", "Character", "End user", "What", "When", "Times"],
            ["beta", "/memory/add", "npc", "player-42", "10% of requests, delay 200 ms, status 429", "after", "always"],
            ["any", "any", "any", "any", "disconnect", "before", "2"],
        ]
        assert [one["when"] for one in shell.json("faults")["faults"]] == ["after", "before"]
        assert shell.says("faults", "clear") == "No fault is waiting.\n"
        assert shell.json("faults", "list") == {"faults": []}

    def test_happen(self, shell: Shell) -> None:
        assert shell.says("faults", "add", "--status", "503") == "Added: status 503.\n"
        assert [shell.ask(LIST).status_code for _ in range(2)] == [503, 200]

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (["--status", "200"], "'status'"),
            (["--status", "many"], "--status"),
            (["--status", "429", "--surface", "gamma"], "'match.surface'"),
            (["--status", "429", "--body", "{"], "--body"),
            (["--status", "429", "--header", "Retry-After"], "--header"),
            (["--status", "429", "--times", "2", "--always"], "--always"),
            (["--status", "429", "--rate", "nan"], "--rate"),
            ([], "'status'"),
        ],
    )
    def test_bad_ones_are_refused(self, shell: Shell, arguments: list[str], word: str) -> None:
        assert word in shell.refused("faults", "add", *arguments)
        assert shell.json("faults") == {"faults": []}


class TestRequests:
    def test_are_a_table_for_people_and_json_for_scripts(self, shell: Shell) -> None:
        shell.says("clock", "freeze", NOON)
        shell.ask(LIST, {"limit": "5", "[red]": 1})
        shell.says("faults", "add", "--status", "503")
        shell.ask("/beta/user/speaker/list")
        shell.ask("/beta/user/speaker")
        entries = shell.json("requests")["requests"]
        assert [entry["path"] for entry in entries] == ["/user/end-users/list", "/user/speaker/list", "/user/speaker"]
        assert cells(shell.says("requests")) == [
            ["At", "Request", "Status", "ms"],
            [
                "2026-01-01 12:00:00",
                "POST /beta/user/end-users/list",
                "200",
                str(entries[0]["duration_ms"]),
            ],
            ["", "nobody reads '[red]'", "", ""],
            ["", "Invalid parameter 'limit': send a whole number from 1 to 200, not '5'.", "", ""],
            [
                "2026-01-01 12:00:00",
                "POST /beta/user/speaker/list",
                "503",
                str(entries[1]["duration_ms"]),
            ],
            ["", "fault 503", "", ""],
            [
                "2026-01-01 12:00:00",
                "POST /beta/user/speaker",
                "404",
                str(entries[2]["duration_ms"]),
            ],
            ["", entries[2]["response"]["ERROR"], "", ""],
        ]

    def test_are_filtered(self, shell: Shell) -> None:
        for path in (LIST, "/beta/user/speaker/list", "/production/user/speaker/list"):
            shell.ask(path)
        filters = ("--path", "/user/speaker/list", "--surface", "production", "--status", "200")
        assert [entry["surface"] for entry in shell.json("requests", *filters)["requests"]] == ["production"]
        nothing = "There are no such requests. The nearest: /user/speaker/list, /user/end-users/list.\n"
        assert shell.says("requests", "--path", "/user/speaker/new") == nothing
        assert shell.json("requests", "--status", "429") == {"requests": [], "dropped": 0, "nearest": ["200"]}
        assert "'surface'" in shell.refused("requests", "--surface", "gamma")

    def test_may_be_none_yet(self, shell: Shell) -> None:
        assert shell.says("requests") == "There are no such requests.\n"


def test_dropped_requests_are_counted(shell: Shell) -> None:
    with FakeConvai({"journal_size": 1}) as served:
        shell.url = served.url
        shell.set(FAKE_CONVAI_URL=served.url)
        for _ in range(3):
            assert shell.ask(LIST).status_code == 200
        assert shell.says("requests").endswith("2 older requests were dropped.\n")
        shell.set(FAKE_CONVAI_ACCOUNT_KEY="")
        of_all = cells(shell.says("requests"))
        assert of_all[0] == ["At", "Account", "Request", "Status", "ms"]
        assert of_all[1][1:4] == [f"...{shell.key[-4:]}", f"POST {LIST}", "200"]
