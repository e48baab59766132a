"""What a suite has met of Convai's contract, test by test: `--fake-convai-coverage`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_convai.testing import FakeConvai

NOTABLE = ("400", "401", "403", "404", "429", "500", "503")
"""Statuses that an app ought to have met once."""

Met = dict[str, Any]


class Coverage:
    """Grows while tests run; workers of pytest-xdist hand theirs to the controller."""

    def __init__(self) -> None:
        self.tests: dict[str, list[Met]] = {}
        """What `GET /_fake/coverage` said at the end of each test, by its name."""

    def note(self, test: str, accounts: Iterable["FakeConvai"]) -> None:
        """Ask each account that still runs."""
        for account in accounts:
            if account.is_running:
                self.tests.setdefault(test, []).append(account._call("GET", "/coverage"))

    def add(self, tests: Mapping[str, list[Met]]) -> None:
        """Take those of another process."""
        self.tests.update(tests)

    def report(self) -> dict[str, Any]:
        """All of it, for programs."""
        met: dict[str, set[str]] = {}
        there: dict[str, Any] = {}
        messages: set[str] = set()
        rests: dict[str, set[str]] = {}
        says: dict[str, str] = {}
        for test, answers in self.tests.items():
            for answer in answers:
                messages.update(answer["messages"])
                for one in answer["operations"]:
                    name = f"{one['method']} /{one['surface']}{one['path']}"
                    there[name] = one
                    met.setdefault(name, set()).update(map(str, one["met"]))
                    for guess in one["assumptions"] if one["met"] else []:
                        rests.setdefault(guess["id"], set()).add(test)
                        says[guess["id"]] = guess["says"]
        statuses = set().union(*met.values()) if met else set()
        return {
            "operations": {name: sorted(found) for name, found in sorted(met.items())},
            "met": sum(1 for found in met.values() if found),
            "of": len(there),
            "percent": round(self._share(met), 1),
            "never": [name for name, found in sorted(met.items()) if not found],
            "statuses_never_met": [status for status in NOTABLE if status not in statuses],
            "messages": sorted(messages),
            "rests_on": [
                {"id": one, "says": says[one], "tests": sorted(tests)}
                for one, tests in sorted(rests.items(), key=lambda pair: (-len(pair[1]), pair[0]))
            ],
        }

    @property
    def percent(self) -> float:
        """The share of the contract's operations that was met."""
        return float(self.report()["percent"])

    def lines(self, threshold: float | None) -> Iterator[str]:
        """The report as it is printed."""
        report = self.report()
        if not report["of"]:
            yield "No test used the fake."
            return
        never = report["statuses_never_met"]
        unmet = f"; no {', '.join(never)} ever met" if never else ""
        yield f"{report['met']} of {report['of']} operations{unmet}; {len(report['messages'])} kinds of messages"
        if report["never"]:
            yield f"never met: {', '.join(report['never'])}"
        for one in report["rests_on"]:
            number = len(one["tests"])
            yield f"{number} test{'s rest' if number > 1 else ' rests'} on: {one['says']} ({one['id']})"
        if threshold is not None and report["percent"] < threshold:
            yield f"FAIL: {report['percent']:g} % of the operations were met, wanted are {threshold:g} %"

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(json.dumps(self.report(), indent=2) + "\n", "utf-8")

    @staticmethod
    def _share(met: Mapping[str, set[str]]) -> float:
        return 100 * sum(1 for found in met.values() if found) / len(met) if met else 0.0
