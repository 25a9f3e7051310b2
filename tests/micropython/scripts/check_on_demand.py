# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Loads of modules for one task: how much heap each takes, and what stays after many of them."""

import gc
import sys

from harness import report
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import wire
from ndks_unit import dispatcher, on_demand

_LOADS = 200
_SESSIONS = 20
_LANES = (2, 3)
_TURNS = 200  # of the unit's loop: it then has a key pair ready
# The modules that are loaded together, by the last of them
_TOGETHER: dict = {
    "public_key": ("ndks_protocol.curve25519", "ndks_protocol.public_key"),
    "x25519": ("ndks_protocol.curve25519", "ndks_protocol.x25519"),
    "sealed_package": ("ndks_protocol.sealed_package",),
    "key_agreement": (on_demand.__name__ + ".key_agreement",),
}
for _name in dispatcher.ON_DEMAND.values():
    _TOGETHER[_name] = (on_demand.__name__ + "." + _name,)


def free() -> int:
    gc.collect()
    return gc.mem_free()


def size_of(names: tuple) -> int:
    before = free()
    modules = on_demand.load(*names)
    size = before - free()
    modules.clear()
    return size


def growth(action, times: int = _LOADS) -> int:
    """Return the bytes that many calls leave. The first ones leave the names of a module for good."""
    action()
    action()
    before = free()
    for _ in range(times):
        action()
    return before - free()


def load(names: tuple) -> None:
    gc.collect()  # as a unit does before it loads what is on demand
    on_demand.load(*names)


def trust(host: Host) -> None:
    """Change a record by requests that load their module."""
    for lane in _LANES:
        host.call(wire.TRUST, lane, bytes(16))
        host.call(wire.TRUST, lane, bytes(range(16)))


def open_session(host: Host) -> None:
    """Open a session with a pair that was made while the unit was idle, and one without."""
    host.close()
    host.board.now_ms += 1000
    for _ in range(_TURNS):
        host._unit.poll()
    host.open_session()
    host.open_session()


blank = Host(MemoryBoard())
report("growth_by_joining_keys", growth(lambda: blank.call(wire.JOINING_KEY), _SESSIONS))
host = Host(MemoryBoard())
host.provision()
host.open_session()
loaded = set(sys.modules)
for last, modules in _TOGETHER.items():
    report("bytes_of_" + last, size_of(modules))
    report("growth_by_" + last, growth(lambda: load(modules)))  # noqa: B023 (called at once)
report("growth_by_requests", growth(lambda: trust(host)))
report("growth_by_sessions", growth(lambda: open_session(host), _SESSIONS))
report("modules_left", len(set(sys.modules) - loaded))
