# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Leave each rule out, and say what finds it: `python -m network.mutants [--side model] [--seeds N] [RULE...]`.

The last line says how many were found; exit status 1: one was not. A rule is found by directed cases, or by the first
seed of the simulator that fails. Which cases fail is said, too, when a seed finds it.
"""

import argparse
import sys
import time
from collections.abc import Iterator

from .directed import CASES
from .sides import MUTANTS, SIDES
from .simulator import Task, run
from .world.checks import Violation


def failing_cases(side: str) -> Iterator[tuple[str, str]]:
    """Yield the directed cases that fail, and how."""
    for name, case in CASES.items():
        try:
            case(SIDES[side]())
        except Violation as violation:
            yield name, str(violation)
        except Exception as error:
            yield name, f"{type(error).__name__}: {error}"


def first_seed(side: str, seeds: int, events: int) -> tuple[int, str]:
    """Return the first seed that fails, and how; (0, "") if none does."""
    for seed in range(1, seeds + 1):
        ended = run(Task(side, seed, events))
        if ended.violation:
            return seed, ended.violation
    return 0, ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="network.mutants", description=__doc__)
    parser.add_argument("rules", nargs="*", metavar="RULE")
    parser.add_argument("--side", choices=SIDES, default="model")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--few", type=int, default=40, help="seeds for a rule that a directed case finds")
    parser.add_argument("--events", type=int, default=6000)
    options = parser.parse_args()
    every = MUTANTS[options.side]
    missed, began = [], time.monotonic()
    usual = {name for name, _ in failing_cases(options.side)}
    if usual:
        print("fail with all rules:", ", ".join(sorted(usual)))
    print("| rule left out | directed cases that fail | first seed | what was seen |\n| --- | --- | --- | --- |")
    for rule in options.rules or every:
        with every[rule]():
            cases = [(name, text) for name, text in failing_cases(options.side) if name not in usual]
            most = options.few if cases else options.seeds
            seed, text = first_seed(options.side, most, options.events)
        seen = text or (cases[0][1] if cases else "")
        found = f"{seed} of {most}" if seed else f"none of {most}"
        print(f"| {rule} | {', '.join(name for name, _ in cases) or '-'} | {found} | {seen} |", flush=True)
        missed += [] if cases or seed else [rule]
    count = len(options.rules or every)
    print(f"{count} rules, {count - len(missed)} found, {time.monotonic() - began:.0f} s; not found: {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
