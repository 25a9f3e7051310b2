# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stories by seed: each runs to its end or to a violation; one that fails is shrunk to the actions that matter."""

import time
import traceback
from collections import Counter
from collections.abc import Collection, Iterator
from random import Random
from typing import NamedTuple

from .model import rules
from .sides import SIDES
from .world.checks import Violation
from .world.story import GENTLE, HARD, Story

SIZES = (2, 3, 3, 4, 5, 6, 8, 10, 12, 16, 24, 50)
FAULTS = ("cut_power", "crash", "away", "split", "steal", "attack", "erase", "roll_back", "lose_store", "damage")
SHRINKING = 120  # seconds at most


class Task(NamedTuple):
    """A story to run. `nodes` 0: drawn from the seed; `only`: the actions that happen, None: all."""

    side: str
    seed: int
    events: int
    nodes: int = 0
    gentle: bool = False
    only: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        return self.nodes or Random(f"size {self.seed}").choice(SIZES)

    @property
    def command(self) -> str:
        """What replays it."""
        options = f"--side {self.side} --seed {self.seed} --nodes {self.size} --events {self.events}"
        only = "" if self.only is None else " --only " + " ".join(map(str, self.only))
        return f"PYTHONPATH=tests .venv/bin/python -m network {options}{' --gentle' * self.gentle}{only}"


class Ended(NamedTuple):
    """What came of a story: the violation, or "", how many actions there were, and what happened."""

    task: Task
    violation: str
    actions: int
    counts: "Counter[str]"


class _AllBut(Collection[int]):
    """The actions that are left out."""

    def __init__(self, kept: tuple[int, ...]) -> None:
        self._kept = frozenset(kept)

    def __contains__(self, action: object) -> bool:
        return action not in self._kept

    def __iter__(self) -> Iterator[int]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


def run(task: Task) -> Ended:
    """Run a story. A side that the model's rules bind alone has small limits, which bring rare cases about sooner."""
    rules.set_limits(rules.SMALL if task.side == "model" else rules.Limits())
    weights = GENTLE if task.gentle else HARD
    try:
        story = Story(SIDES[task.side](), task.seed, task.size, task.events, weights)
        violation = _violation(story, task)
    finally:
        rules.set_limits(rules.Limits())
    counts = Counter(story.done)
    counts["events"] = story.world.events
    counts["delivered"] = sum(len(node.machine.log) for node in story.world.nodes.values())
    counts["lost by the rules"] = story.world.checks.lost
    return Ended(task, violation, story.actions, counts)


def _violation(story: Story, task: Task) -> str:
    try:
        story.run(skip=() if task.only is None else _AllBut(task.only))
    except Violation as violation:
        return str(violation)
    except Exception as error:  # the product has failed
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} {error} at {place.filename}:{place.lineno}"
    return ""


def shrink(ended: Ended) -> Task:
    """Leave out actions as long as the same kind of violation remains; return the story that is left."""
    task, kept = ended.task, tuple(range(ended.actions))
    part, until = max(1, len(kept) // 2), time.monotonic() + SHRINKING
    while part:
        for start in range(0, len(kept), part):
            rest = kept[:start] + kept[start + part :]
            if time.monotonic() > until:
                return task._replace(only=kept)
            if run(task._replace(only=rest)).violation[:20] == ended.violation[:20]:
                kept = rest
                break
        else:
            part //= 2
    return task._replace(only=kept)
