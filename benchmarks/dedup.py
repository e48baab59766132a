"""How well and how fast facts are deduplicated.

    python benchmarks/dedup.py [PAIRS.jsonl ...]

For each file of labelled pairs ({"existing", "new", "label": "same" or "different", "note": "kind: ..."}; without one,
the project's own) it prints precision, recall, the share of hard negatives kept apart, the share of near positives
found, and the time a pair takes: `cold`, when both facts are read for the first time, and `warm`, when they are known.

Then it prints how the pure index grows: what finding the match of one more fact costs in partitions of 100 to 10,000
facts, and with how many records a fact shares a key. The cost in the store is measured where the store is.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fake_convai.domain.dedup import Candidate, find_match, index_keys, is_same, lookup_keys

OWN_PAIRS = Path(__file__).parents[1] / "tests" / "domain" / "dedup_pairs.jsonl"
NEAR = ("trivial", "close", "extend")
SIZES = (100, 1_000, 10_000)
NEW_FACTS = 200

SYLLABLES = (
    "al",
    "be",
    "cor",
    "da",
    "el",
    "fin",
    "gor",
    "ha",
    "is",
    "jo",
    "ka",
    "lu",
    "mo",
    "ne",
    "or",
    "pa",
    "ru",
    "sa",
)


class Pair(NamedTuple):
    existing: str
    new: str
    same: bool
    kind: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", type=Path, default=[OWN_PAIRS], help="files of labelled pairs")
    options = parser.parse_args()
    for file in options.pairs:
        print(f"{file.name}")
        print_quality(read_pairs(file))
    print("\nadding one fact to a partition of templated facts")
    for name, template in TEMPLATES.items():
        for size in SIZES:
            print_growth(name, template, size)


def read_pairs(file: Path) -> list[Pair]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Pair(row["existing"], row["new"], row["label"] == "same", row["note"].split(":")[0]) for row in rows]


def print_quality(pairs: Sequence[Pair]) -> None:
    is_same("The user is here.", "The user was here.")  # reads the word files
    outcomes, cold = timed(pairs)
    _, warm = timed(pairs)
    merged = [pair for pair, same in outcomes if same]
    print(f"  pairs                {len(pairs)}")
    print(f"  precision            {share([pair.same for pair in merged])}")
    print(f"  recall               {share([same for pair, same in outcomes if pair.same])}")
    print(f"  hard kept apart      {share([not same for pair, same in outcomes if pair.kind.startswith('hard')])}")
    print(f"  near found           {share([same for pair, same in outcomes if pair.same and pair.kind in NEAR])}")
    print(f"  microseconds a pair  {cold:.0f} cold, {warm:.0f} warm")
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for pair, same in outcomes:
        by_kind[f"{'same' if pair.same else 'different'} {pair.kind}"].append(same == pair.same)
    for kind, right in sorted(by_kind.items()):
        print(f"    {kind:24} {sum(right):3} of {len(right)}")
    for pair, same in outcomes:
        if same and not pair.same:
            print(f"    merged by mistake: {pair.existing} / {pair.new}")


def timed(pairs: Sequence[Pair]) -> tuple[list[tuple[Pair, bool]], float]:
    """The outcomes, and the microseconds one took."""
    start = time.perf_counter()
    outcomes = [(pair, is_same(pair.existing, pair.new)) for pair in pairs]
    return outcomes, (time.perf_counter() - start) / len(pairs) * 1e6


def share(right: Sequence[bool]) -> str:
    return f"{sum(right) / len(right):.3f}  ({sum(right)} of {len(right)})" if right else "-"


def name(number: int) -> str:
    """A made-up name, another one for each number below 18 to the third."""
    parts = [SYLLABLES[number // 18**place % 18] for place in range(3)]
    return "".join(parts).capitalize()


def mixed(number: int) -> str:
    templates = [template for key, template in TEMPLATES.items() if key != "mixed"]
    return templates[number % len(templates)](number)


TEMPLATES: dict[str, Callable[[int], str]] = {
    "numbered": lambda number: f"The user visited gallery {number}.",
    "likes": lambda number: f"The user likes {name(number)} {name(number // 7)}.",
    "steps": lambda number: f"The trainee completed step {number} of the valve check.",
    "friends": lambda number: f"My friend {name(number % 400)} lives in {name(number)}ton with {name(number // 5)}.",
    "events": lambda number: (
        f"{name(number % 60)} painted the {name(number)} bridge near the {name(number % 77)} tower."
    ),
    "personas": lambda number: f"i collect {name(number % 800)} coins and i work for {name(number)}",
    "mixed": mixed,
}


def print_growth(title: str, template: Callable[[int], str], size: int) -> None:
    facts = [template(number) for number in range(size + NEW_FACTS)]
    index: dict[str, list[int]] = defaultdict(list)
    for number, fact in enumerate(facts[:size]):
        for key in index_keys(fact):
            index[key].append(number)
    times, met = [], []
    for fact in facts[size:]:
        start = time.perf_counter()
        found = sorted({number for key in lookup_keys(fact) for number in index[key]})
        find_match(fact, [Candidate(str(number), facts[number]) for number in found])
        times.append((time.perf_counter() - start) * 1e6)
        met.append(len(found))
    print(
        f"  {title:10} {size:6} facts  {statistics.median(times):6.0f} microseconds"
        f"   candidates: median {statistics.median(met):.0f}, most {max(met)}"
    )


if __name__ == "__main__":
    main()
