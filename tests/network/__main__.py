# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run the simulator: `make network-sim SEED=1 SEEDS=40 NODES=0`, or `python -m network --help` with PYTHONPATH=tests.

The last line says seeds, events, faults and violations; exit status 1: there was a violation. A story that fails is
shrunk to the actions that matter, and the command that replays it is printed.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool

from .model import rules
from .sides import SIDES
from .simulator import FAULTS, Ended, Task, run, shrink

EVERY = ("product", "pair", "model")  # of the product fewer are left out than of the others
ONE_IN = {"product": 1, "pair": 4, "model": 2, "agents": 1}


def tasks_of(options: argparse.Namespace) -> Iterator[Task]:
    only = None if options.only is None else tuple(options.only)
    for seed in range(options.seed, options.seed + options.seeds):
        for side in [options.side] if options.side else EVERY:
            if options.side or seed % ONE_IN[side] == 0:
                yield Task(side, seed, options.events, options.nodes, options.gentle, only)


def ends_of(options: argparse.Namespace) -> Iterator[Ended]:
    """Yield the stories as they end."""
    tasks = list(tasks_of(options))
    if options.jobs == 1 or len(tasks) == 1:
        yield from map(run, tasks)
        return
    with Pool(options.jobs) as pool:
        yield from pool.imap_unordered(run, tasks)


def main() -> int:
    parser = argparse.ArgumentParser(prog="network", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--side", choices=SIDES, help="the product, product and model in lockstep, ... (default: several)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--events", type=int, default=10000, help="of trouble, for each seed")
    parser.add_argument("--nodes", type=int, default=0, help="2 to 50; drawn for each seed unless given")
    parser.add_argument("--gentle", action="store_true", help="no thieves, few changes")
    parser.add_argument("--without", action="append", default=[], metavar="RULE", help="leave a rule of the model out")
    parser.add_argument("--only", type=int, nargs="*", help="the actions that happen")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    rules.left_out.update(options.without)
    total: Counter[str] = Counter()
    violations, began = 0, time.monotonic()
    for ended in ends_of(options):
        total.update(ended.counts)
        what = ended.violation or f"{ended.counts['events']} events"
        print(f"{ended.task.side}, seed {ended.task.seed}, {ended.task.size} nodes: {what}", flush=True)
        if ended.violation:
            violations += 1
            print("replay:", (shrink(ended) if options.only is None else ended.task).command, flush=True)
    print(", ".join(f"{name} {number}" for name, number in sorted(total.items()) if name != "events"))
    faults, seconds = sum(total[name] for name in FAULTS), time.monotonic() - began
    what = f"{options.seeds} seeds, {total['events']} events, {faults} faults, {violations} violations"
    print(f"{what} in {seconds:.0f} s")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
