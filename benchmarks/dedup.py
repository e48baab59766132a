"""How well and how fast facts are deduplicated: `make dedup`.

For each set of labelled pairs it prints how many merged pairs are the same (precision), how many hard ones are kept
apart, and how many near ones are found, with the interval of each. No pair is shown: half of the own set and the
fresh one are not to be read. PAIRS="FILE ..." counts other files too.

Then it prints what reading a new fact and making its keys costs, and how the pure index grows: what finding the match
of one more fact costs in partitions of 100 to 10,000 facts, and with how many records a fact shares a key.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from fake_convai.domain.dedup import Candidate, companion_keys, find_match, index_keys, is_same, lookup_keys
from tests.domain.pairs import Pair, all_sets, rates, read_pairs

SIZES = (100, 1_000, 10_000)
NEW_FACTS = 200

SYLLABLES = tuple(a + b for a in "bdfgkl" for b in "aio")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", type=Path, help="more files of labelled pairs")
    sets = all_sets() | {file.name: read_pairs(file) for file in parser.parse_args().pairs}
    for title, pairs in sets.items():
        print_rates(title, pairs)
    print(f"\nCPU of a fact never seen, keys included: {microseconds_a_fact():.0f} microseconds")
    print("\nadding one fact to a partition of templated facts")
    for name, template in TEMPLATES.items():
        for size in SIZES:
            print_growth(name, template, size)


def print_rates(title: str, pairs: list[Pair]) -> None:
    print(f"{title}: {len(pairs)} pairs")
    for name, rate in rates([(pair, is_same(pair.existing, pair.new)) for pair in pairs]).items():
        print(f"  {name:18}{rate}")


def microseconds_a_fact() -> float:
    """The median of ten batches of templated facts."""
    facts = [mixed(number) for number in range(2_200)]
    batches = []
    for first in range(0, len(facts), 200):
        start = time.process_time()
        for fact in facts[first : first + 200]:
            lookup_keys(fact)
            index_keys(fact)
        batches.append((time.process_time() - start) / 200 * 1e6)
    return statistics.median(batches[1:])  # the first one reads the word files


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


def found_in(index: Mapping[str, set[int]], fact: str) -> list[int]:
    """The records that have one of the keys to look up, and with it one of its companions if there are any."""
    companions = companion_keys(fact)
    return sorted(
        {
            record
            for key in lookup_keys(fact)
            for record in index[key]
            if any(record in index[other] for other in companions.get(key, (key,)))
        }
    )


def print_growth(title: str, template: Callable[[int], str], size: int) -> None:
    facts = [template(number) for number in range(size + NEW_FACTS)]
    index: dict[str, set[int]] = defaultdict(set)
    for number, fact in enumerate(facts[:size]):
        for key in index_keys(fact):
            index[key].add(number)
    times, met = [], []
    for fact in facts[size:]:
        start = time.perf_counter()
        found = found_in(index, fact)
        find_match(fact, [Candidate(str(number), facts[number]) for number in found])
        times.append((time.perf_counter() - start) * 1e6)
        met.append(len(found))
    print(
        f"  {title:10} {size:6} facts  {statistics.median(times):6.0f} microseconds"
        f"   candidates: median {statistics.median(met):.0f}, most {max(met)}"
    )


if __name__ == "__main__":
    main()
