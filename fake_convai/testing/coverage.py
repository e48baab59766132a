"""What a suite has met of Convai's contract, test by test: `--fake-convai-coverage`."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_convai.testing import FakeConvai

NOTABLE = ("400", "401", "403", "404", "429", "500", "503")
"""Statuses that an app ought to have met once."""


class Coverage:
    """Grows while tests run; workers of pytest-xdist hand theirs to the controller."""

    def __init__(self) -> None:
        self._operations: dict[str, set[str]] = defaultdict(set)
        """The statuses that were met of each operation of the contract."""
        self._messages: dict[str, Counter[str]] = {"in": Counter(), "out": Counter()}
        self._rests: dict[str, set[str]] = defaultdict(set)
        """The tests that rest on a guess, by its id."""
        self._says: dict[str, str] = {}
        self._before: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        """How often an account had met what, when it was asked last."""

    def note(self, test: str, accounts: Iterable["FakeConvai"]) -> None:
        """Ask each account that still runs what it has met; of one that outlives a test, what it met since."""
        running = [account for account in accounts if account.is_running]
        for account in running:
            answer = account._call("GET", "/coverage")
            before = self._before[account.api_key]
            now = Counter({(one["direction"], one["type"]): one["met"] for one in answer["messages"]})
            in_room = now["out", "bot-ready"] > before["out", "bot-ready"]
            for one in answer["operations"]:
                name = f"{one['method']} /{one['surface']}{one['path']}"
                statuses = self._operations[name]
                now["request", name] = one["requests"]
                if one["requests"] != before["request", name]:
                    statuses.update(map(str, one["met"]))
                    for guess in one["assumptions"]:
                        if in_room or not guess["id"].startswith("room-"):
                            self._rests[guess["id"]].add(test)
                            self._says[guess["id"]] = guess["says"]
            for one in answer["messages"]:
                kind = (one["direction"], one["type"])
                self._messages[one["direction"]][one["type"]] += max(0, one["met"] - before[kind])
            self._before[account.api_key] = now
        # A request that is refused as nobody's is only in the journal of the whole server, which we read if it is ours.
        servers = {account.url: account._running() for account in running if account._server is not None}
        for server in servers.values():
            self._note_refused(server.call("GET", "/coverage"))

    def _note_refused(self, answer: Mapping[str, Any]) -> None:
        for one in answer["operations"]:
            if 401 in one["met"]:
                self._operations[f"{one['method']} /{one['surface']}{one['path']}"].add("401")

    def handed_over(self) -> dict[str, Any]:
        """All of it in simple types, for `add` in another process."""
        return {
            "operations": {name: sorted(met) for name, met in self._operations.items()},
            "messages": {way: dict(counts) for way, counts in self._messages.items()},
            "rests": {guess: sorted(tests) for guess, tests in self._rests.items()},
            "says": self._says,
        }

    def add(self, other: Mapping[str, Any]) -> None:
        """Take what another process has handed over."""
        for name, met in other["operations"].items():
            self._operations[name].update(met)
        for way, counts in other["messages"].items():
            self._messages[way].update(counts)
        for guess, tests in other["rests"].items():
            self._rests[guess].update(tests)
        self._says.update(other["says"])

    def report(self) -> dict[str, Any]:
        """All of it, for programs."""
        met = [name for name, statuses in self._operations.items() if statuses]
        statuses = set().union(*self._operations.values())
        counts = [count for counted in self._messages.values() for count in counted.values()]
        rests = sorted(self._rests.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        return {
            "operations": {name: sorted(found) for name, found in sorted(self._operations.items())},
            "met": len(met),
            "of": len(self._operations),
            "percent": round(self.percent, 1),
            "never": sorted(set(self._operations) - set(met)),
            "statuses_never_met": [status for status in NOTABLE if status not in statuses],
            "messages": {way: dict(counts) for way, counts in self._messages.items()},
            "messages_met": sum(1 for count in counts if count),
            "messages_of": len(counts),
            "rests_on": [{"id": one, "says": self._says[one], "tests": sorted(tests)} for one, tests in rests],
        }

    @property
    def percent(self) -> float:
        """The share of the contract's operations that was met."""
        there = self._operations.values()
        return 100 * sum(1 for found in there if found) / len(there) if there else 0.0

    def lines(self, threshold: float | None) -> Iterator[str]:
        """The report as it is printed."""
        report = self.report()
        if not report["of"]:
            yield "No test used the fake."
            return
        never = report["statuses_never_met"]
        unmet = f"; no {', '.join(never)} ever met" if never else ""
        messages = f"{report['messages_met']} of {report['messages_of']} messages"
        yield f"{report['met']} of {report['of']} operations{unmet}; {messages}"
        if report["never"]:
            yield f"never met: {', '.join(report['never'])}"
        for one in report["rests_on"]:
            number = len(one["tests"])
            yield f"{number} test{'s rest' if number > 1 else ' rests'} on: {one['says']} ({one['id']})"
        if threshold is not None and self.percent < threshold:
            yield f"FAIL: {report['percent']:g} % of the operations were met, wanted are {threshold:g} %"

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(json.dumps(self.report(), indent=2) + "\n", "utf-8")
