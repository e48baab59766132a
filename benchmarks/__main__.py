"""`python -m benchmarks`: measure everything, print the table, and write it to docs/performance.md."""

import os
import platform
import re
import sys
from itertools import chain, groupby
from pathlib import Path

from benchmarks import http_rows, peers, process_rows, room, store_rows
from benchmarks.load import CONNECTIONS, ROOT, SECONDS, needs
from benchmarks.rows import Row, show

PAGE = ROOT / "docs/performance.md"
_TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main() -> None:
    """Run each group of rows; the ones named on the command line only are printed, all together are written down."""
    groups = {"http": http_rows, "store": store_rows, "process": process_rows, "room": room, "peers": peers}
    chosen = sys.argv[1:] or list(groups)
    unknown = set(chosen) - set(groups)
    if unknown:
        sys.exit(f"Unknown group {min(unknown)}: choose of {', '.join(groups)}")
    needs("wrk", "taskset", *(("npm",) if "peers" in chosen else ()))
    rows = []
    for row in chain.from_iterable(groups[name].rows() for name in chosen):
        print(
            f"{'ok   ' if row.is_met else 'SHORT'} {row.work}: {_reached(row)} ({_wanted(row)}) {row.detail}",
            flush=True,
        )
        rows.append(row)
    if set(chosen) == set(groups):
        _write(PAGE, rows)


def _write(page: Path, rows: list[Row]) -> None:
    text = page.read_text("utf-8")
    page.write_text(_TABLE.sub(lambda _: _report(rows), text), "utf-8")


def _report(rows: list[Row]) -> str:
    cores = len(os.sched_getaffinity(0))
    lines = [
        f"\nPython {platform.python_version()} on {cores} cores, server and client on one each; "
        f"{CONNECTIONS} connections, rounds of {SECONDS} seconds in turns, the median of the rounds. "
        f"Figures in the last column are of that run, to place the ratio.\n",
    ]
    for section, group in groupby(rows, key=lambda row: row.section):
        lines += [f"\n### {section}\n", "\n| Work | Wanted | Reached | | The run |\n", "|---|---|---|---|---|\n"]
        for row in group:
            verdict = "met" if row.is_met else "**short**"
            lines.append(f"| {row.work} | {_wanted(row)} | {_reached(row)} | {verdict} | {row.detail} |\n")
    return "".join(lines) + "\n"


def _wanted(row: Row) -> str:
    return f"{row.bound} {row.wanted:g} {row.unit}".strip()


def _reached(row: Row) -> str:
    return f"{show(row.reached)} {row.unit}".strip()


if __name__ == "__main__":
    main()
