# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Loads of modules for one request: how much heap each takes, and what stays after many of them."""

import gc
import sys

from harness import report
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import wire
from ndks_unit import dispatcher, on_demand

_LOADS = 200
_LANES = (2, 3)


def free() -> int:
    gc.collect()
    return gc.mem_free()


def size_of(name: str) -> int:
    before = free()
    handlers = on_demand.load(name)
    size = before - free()
    handlers.clear()
    on_demand.drop(name)
    return size


def growth(action) -> int:
    """Return the bytes that many calls leave. The first ones leave the names of a module for good."""
    action()
    action()
    before = free()
    for _ in range(_LOADS):
        action()
    return before - free()


def load(name: str) -> None:
    on_demand.load(name)
    on_demand.drop(name)


def trust(host: Host) -> None:
    """Change a record by requests that load their module."""
    for lane in _LANES:
        host.call(wire.TRUST, lane, bytes(16))
        host.call(wire.TRUST, lane, bytes(range(16)))


host = Host(MemoryBoard())
host.provision()
host.open_session()
loaded = set(sys.modules)
for module in dispatcher.ON_DEMAND.values():
    report("bytes_of_" + module, size_of(module))
    report("growth_by_" + module, growth(lambda: load(module)))  # noqa: B023 (called at once)
report("growth_by_requests", growth(lambda: trust(host)))
report("modules_left", len(set(sys.modules) - loaded))
