# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of error codes that cross the wire (PROTOCOL.md section 5). A code, once given, keeps its meaning.

The high byte groups them: 01 frames and dispatch, 02 state of the unit, 03 keys, 04 capsules, 05 sessions.
"""

from .layout import ON_A_BOARD

TABLE: dict[int, str] = {}


def _declare(code: int, name: str) -> int:
    if not ON_A_BOARD:
        TABLE[code] = name
    return code


BAD_REQUEST = _declare(0x0101, "BAD_REQUEST")
UNKNOWN_COMMAND = _declare(0x0102, "UNKNOWN_COMMAND")
INTERNAL = _declare(0x0103, "INTERNAL")
BLANK = _declare(0x0201, "BLANK")
PROVISIONED = _declare(0x0202, "PROVISIONED")
STORAGE = _declare(0x0203, "STORAGE")
STATE_FORMAT = _declare(0x0204, "STATE_FORMAT")
TAMPERED = _declare(0x0205, "TAMPERED")
RANGE = _declare(0x0301, "RANGE")
EPOCH = _declare(0x0302, "EPOCH")
TOO_FAR = _declare(0x0303, "TOO_FAR")
CAPSULE_VERSION = _declare(0x0401, "VERSION")
HEADER = _declare(0x0402, "HEADER")
SUITE = _declare(0x0403, "SUITE")
KIND = _declare(0x0404, "KIND")
REFLECTED = _declare(0x0405, "REFLECTED")
DUPLICATE = _declare(0x0406, "DUPLICATE")
TOO_OLD = _declare(0x0407, "TOO_OLD")
SENDERS = _declare(0x0408, "SENDERS")
AUTH = _declare(0x0409, "AUTH")
DIVERGED = _declare(0x040A, "DIVERGED")
BINDING = _declare(0x040B, "BINDING")
CONFLICT = _declare(0x040C, "CONFLICT")
LOCKED = _declare(0x0501, "LOCKED")
KEK = _declare(0x0502, "KEK")
SESSION_ENDED = _declare(0x0503, "SESSION_ENDED")
DELAYED = _declare(0x0504, "DELAYED")


def name_of(code: int) -> str:
    """Return the name of an error code; a code that this version (or a board) does not know keeps its number."""
    return TABLE[code] if code in TABLE else "UNKNOWN_%04X" % code


class UnitError(Exception):
    """What a unit answers instead of a result: one code, and no text that could carry a secret."""

    def __init__(self, code: int):
        super().__init__(name_of(code))
        self.code = code


def check_flag(value: int) -> None:
    """UnitError(RANGE) unless the value is 0 or 1."""
    if value > 1:
        raise UnitError(RANGE)
