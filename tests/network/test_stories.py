# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A minute of the simulator: with the product, with product and model in lockstep, and with the model."""

from collections.abc import Callable

import pytest

from network.simulator import FAULTS, Task, run

PRODUCT = [Task("product", seed, 5000) for seed in range(1, 11)]
LOCKSTEP = [Task("pair", seed, 3000) for seed in range(20, 23)]
MODEL = [Task("model", seed, 5000) for seed in range(40, 44)]


@pytest.mark.parametrize("task", [*PRODUCT, *LOCKSTEP, *MODEL], ids=lambda task: f"{task.side}-{task.seed}")
def test_story(task: Task, record_property: Callable[[str, object], None]) -> None:
    ended = run(task)
    faults = sum(ended.counts[name] for name in FAULTS)
    record_property("events", ended.counts["events"])
    assert not ended.violation, f"{ended.violation}\nreplay: {task.command}"
    assert faults
    assert ended.counts["delivered"]
