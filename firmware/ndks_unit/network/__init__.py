# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in its network: generations, epochs and roles (PROTOCOL.md section 11).

Strategy: the modules of this folder take heap only in units that need them. `held` stays for a session, if the unit has
generations or its host uses commands for networks; the others are loaded for one task. All of them work on the bodies
of the records, whose layouts are in `layout`.
"""

from .. import on_demand
from ..flash.record_log import RecordLog
from ..flash.records import FIRST_KEY, GENERATION

try:
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from ..state import State
        from .held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def number_at(body: "bytes | bytearray | memoryview", offset: int) -> int:
    """Return a u16 of a body."""
    return body[offset] << 8 | body[offset + 1]


def has_generations(log: RecordLog) -> bool:
    """Return whether an open unit is in a network with generations, or waits for the first one."""
    return bool(log.body(GENERATION) or log.body(FIRST_KEY))


def open_with_generations(state: "State") -> None:
    """Open a unit in its present epoch, or as one that waits for its first notice. Errors as `attached`."""
    roles = attached(state)
    roles.epochs().open_present(roles)


def attached(state: "State") -> "Network":
    """Return the `Network` of an open unit for this session. MemoryError; UnitError(STORAGE): the drive is damaged."""
    roles = state.roles
    if not roles:
        _, module = on_demand.load("ndks_protocol.control.rows", "ndks_unit.network.held")
        state.roles = roles = module.Network(state)
    return roles
