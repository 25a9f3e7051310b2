# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in its network: generations, epochs and roles (PROTOCOL.md section 11).

Strategy: the modules of this folder take heap only in units that need them. `held` stays for a session, if the unit has
generations or its host uses commands of networks; the others are loaded for one task. All of them work on the bodies of
the records, whose layouts are here: a generation begins as a past one does.
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

# Offsets in the bodies of GENERATION and PAST: g u16, d, f1, f2 u8, number u16, low u16
AT_OPERATORS = 2
AT_NUMBER = 5
AT_LOW = 7
# GENERATION: moves, mode u8, settled u8, keys. SETTLED: nothing that it superseded is left in flash. GREW: not settled,
# and more lanes are revoked than before.
AT_MOVES = 9  # their count u8, then the numbers u16, the oldest first
AT_MODE = 26
AT_SETTLED = 27
AT_MEMBER_KEY = 28
AT_HEADER_KEYS = 60
AT_CONTROL_KEY = 124
AT_LOW_SECRET = 156
AT_SECRET = 188
AT_REVOKED = 220  # their count u8, then the lanes u16, ascending
NOT_SETTLED, SETTLED, GREW = 0, 1, 2
# PAST, repeated, the latest first: the number of revoked lanes u8, keys
AT_PAST_REVOKED = 9
AT_PAST_HEADER_KEYS = 10
AT_PAST_SECRET = 74
PAST_SIZE = 106
KEY = 32
# FIRST_KEY: g u16, member key, mode u8
AT_FIRST_KEY = 2
AT_FIRST_MODE = 34


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
