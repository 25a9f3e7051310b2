# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run the simulator: `python -m network [--side model] [--seed N] [--seeds N] [--nodes N] [--events N]`.

The last line says seeds, events, faults and violations; exit status 1: there was a violation. A seed that fails is
shrunk to the actions that matter, and the command that replays it is printed.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from random import Random

from .model import rules
from .sides import SIDES
from .world.checks import Violation
from .world.interface import Side
from .world.story import GENTLE, HARD, Story

SIZES = (2, 3, 3, 4, 5, 6, 8, 10, 12, 16, 24, 50)
Make = Callable[[], Side]
FAULTS = ("cut_power", "crash", "away", "split", "steal", "attack", "erase", "roll_back", "lose_store")


def size_of(seed: int) -> int:
    return Random(f"size {seed}").choice(SIZES)


def attempt(
    make: Make, seed: int, size: int, events: int, weights: dict[str, float], kept: set[int] | None = None
) -> tuple[str | None, Story]:
    """Return the violation, or None, and the story. `kept`: the actions that are not left out, None for all."""
    story = Story(make(), seed, size, events, weights)
    try:
        story.run(skip=() if kept is None else _AllBut(kept))
    except Violation as violation:
        return str(violation), story
    except Exception as error:  # the product has failed
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} {error} at {frame.filename}:{frame.lineno}", story
    return None, story


class _AllBut:
    def __init__(self, kept: set[int]) -> None:
        self._kept = kept

    def __contains__(self, action: object) -> bool:
        return action not in self._kept


def shrink(make: Make, seed: int, size: int, events: int, weights: dict[str, float]) -> list[int]:
    """Leave out actions as long as the same kind of violation remains; return those that matter."""
    found, story = attempt(make, seed, size, events, weights)
    assert found
    kept, part = list(range(story.actions)), max(1, story.actions // 2)
    while part:
        for start in range(0, len(kept), part):
            rest = kept[:start] + kept[start + part :]
            text, _ = attempt(make, seed, size, events, weights, set(rest))
            if text and text[:20] == found[:20]:
                kept = rest
                break
        else:
            part //= 2
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(prog="network", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--side", choices=SIDES, default="model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--events", type=int, default=10000, help="of trouble, for each seed")
    parser.add_argument("--nodes", type=int, default=0, help="2 to 50; drawn for each seed unless given")
    parser.add_argument("--gentle", action="store_true", help="no thieves, few changes")
    parser.add_argument("--small", action="store_true", help="small limits, which bring rare cases about sooner")
    parser.add_argument("--without", action="append", default=[], metavar="RULE", help="leave a rule out")
    parser.add_argument("--only", type=int, nargs="*", help="the actions that happen")
    options = parser.parse_args()
    rules.left_out.update(options.without)
    if options.small:
        rules.set_limits(rules.SMALL)
    make, weights = SIDES[options.side], GENTLE if options.gentle else HARD
    total: Counter[str] = Counter()
    violations, began = 0, time.monotonic()
    for seed in range(options.seed, options.seed + options.seeds):
        size = options.nodes or size_of(seed)
        kept = None if options.only is None else set(options.only)
        text, story = attempt(make, seed, size, options.events, weights, kept)
        total.update(story.done)
        total["events"] += story.world.events
        total["delivered"] += sum(len(node.machine.log) for node in story.world.nodes.values())
        total["lost by the rules"] += story.world.checks.lost
        if text:
            violations += 1
            print(f"seed {seed}, {size} nodes: {text}", flush=True)
            if kept is None:
                matter = shrink(make, seed, size, options.events, weights)
                given = " ".join(sys.argv[1:])
                only = " ".join(map(str, matter))
                print(f"replay: python -m network {given} --seed {seed} --seeds 1 --only {only}", flush=True)
    print(", ".join(f"{name} {number}" for name, number in sorted(total.items()) if name != "events"))
    faults = sum(total[name] for name in FAULTS)
    seconds = time.monotonic() - began
    print(f"{options.seeds} seeds, {total['events']} events, {faults} faults, {violations} violations, {seconds:.0f} s")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
