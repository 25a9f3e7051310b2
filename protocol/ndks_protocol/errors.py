# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The table of error codes on the wire (PROTOCOL.md section 5). A code never changes its meaning.

The high byte is the group: 01 frames and dispatch, 02 state of the unit, 03 keys, 04 capsules, networks, 05 sessions.
"""

import sys

BAD_REQUEST = 0x0101
UNKNOWN_COMMAND = 0x0102
INTERNAL = 0x0103
BLANK = 0x0201
PROVISIONED = 0x0202
STORAGE = 0x0203
STATE_FORMAT = 0x0204
TAMPERED = 0x0205
NO_JOINING_KEY = 0x0206
PACKAGE = 0x0207
RANGE = 0x0301
EPOCH = 0x0302
TOO_FAR = 0x0303
CAPSULE_VERSION = 0x0401
HEADER = 0x0402
SUITE = 0x0403
KIND = 0x0404
REFLECTED = 0x0405
DUPLICATE = 0x0406
TOO_OLD = 0x0407
SENDERS = 0x0408
AUTH = 0x0409
DIVERGED = 0x040A
BINDING = 0x040B
CONFLICT = 0x040C
STALE = 0x040D
CUT = 0x040E
ROSTER = 0x040F
REVOKED = 0x0410
NO_EPOCH = 0x0411
LOCKED = 0x0501
KEK = 0x0502
SESSION_ENDED = 0x0503
DELAYED = 0x0504
PUBLIC_KEY = 0x0505

# Names by code; a board has no room for them. CAPSULE_VERSION is VERSION on the wire.
TABLE: dict[int, str] = {}
if sys.implementation.name == "cpython":
    for _name, _code in list(globals().items()):
        if _name.isupper() and type(_code) is int:
            TABLE[_code] = _name.replace("CAPSULE_", "")


def name_of(code: int) -> str:
    """Return the name of an error code, or UNKNOWN_ and the number if the table does not have it."""
    return TABLE[code] if code in TABLE else "UNKNOWN_%04X" % code


class UnitError(Exception):
    """An error answer of a unit. It has a code and no text, which could leak a secret."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return name_of(self.code)


def check_flag(value: int) -> None:
    """Raise UnitError(RANGE) unless the value is 0 or 1."""
    if value > 1:
        raise UnitError(RANGE)
