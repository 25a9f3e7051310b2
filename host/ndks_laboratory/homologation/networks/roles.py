# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Roles: one unit is master; when it is gone, another leads, and when it comes back, they agree."""

from collections.abc import Iterator

from ndks_laboratory.outcome import Check
from ndks_protocol.control.limits import BEACON, SILENCE, SLOTS

from .checks import held
from .scene import Scene

_WITHOUT = SILENCE + SLOTS + 2 * BEACON  # ticks within which another must lead and all must have heard it


def roles(scene: Scene) -> Iterator[Check]:
    """Unplug the master, as if it were destroyed, and plug it in again."""
    table = scene.table
    master = table.master()
    yield held("one unit leads, and all others follow it", True, f"lane {master.lane}")
    scene.leave(master)
    ticks = table.until(table.agree, "another unit leads", _WITHOUT)
    yield held("the master is gone: another leads", True, f"after {ticks} ticks")
    table.talk("the master is gone")
    yield held("messages go on without it", True)
    scene.come_back(master)
    table.until_agreed()
    yield held("it comes back: one unit leads", True)
