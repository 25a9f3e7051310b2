# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of error codes that cross the wire (PROTOCOL.md section 5). A code, once given, keeps its meaning.

The high byte groups them: 01 frames and dispatch, 02 state of the unit, 03 keys, 04 capsules.
"""

TABLE: dict[int, tuple[str, str]] = {}


def _declare(code: int, name: str, meaning: str) -> int:
    TABLE[code] = (name, meaning)
    return code


BAD_REQUEST = _declare(0x0101, "BAD_REQUEST", "the payload does not fit the layout of the command")
UNKNOWN_COMMAND = _declare(0x0102, "UNKNOWN_COMMAND", "the unit has no such command")
INTERNAL = _declare(0x0103, "INTERNAL", "the unit failed in a way it has no code for")
BLANK = _declare(0x0201, "BLANK", "the unit is not provisioned")
PROVISIONED = _declare(0x0202, "PROVISIONED", "the unit is provisioned already")
STORAGE = _declare(0x0203, "STORAGE", "the unit cannot write its state; nothing was changed")
STATE_FORMAT = _declare(0x0204, "STATE_FORMAT", "the state was written by a newer firmware; nothing was changed")
RANGE = _declare(0x0301, "RANGE", "a number or text lies outside its range")
EPOCH = _declare(0x0302, "EPOCH", "the unit is in another epoch")
TOO_FAR = _declare(0x0303, "TOO_FAR", "more than 2^20 numbers ahead of what the unit knows, without leave")
CAPSULE_VERSION = _declare(0x0401, "VERSION", "the capsule has another version than 1, or it is no capsule")
HEADER = _declare(0x0402, "HEADER", "no capsule of this network, or its header was altered")
SUITE = _declare(0x0403, "SUITE", "the capsule was made with another suite than the network's")
KIND = _declare(0x0404, "KIND", "the capsule carries a control message, which is not defined yet")
REFLECTED = _declare(0x0405, "REFLECTED", "the capsule was made by this same unit")
DUPLICATE = _declare(0x0406, "DUPLICATE", "the capsule was opened and accepted before")
TOO_OLD = _declare(0x0407, "TOO_OLD", "256 or more numbers behind the latest capsule of its sender")
SENDERS = _declare(0x0408, "SENDERS", "the unit keeps account of as many senders as it can, and this is another one")
AUTH = _declare(0x0409, "AUTH", "the capsule was altered or cut off on its way")
DIVERGED = _declare(
    0x040A, "DIVERGED", "the capsule is intact, but the sender's generator made another key than this one"
)
BINDING = _declare(0x040B, "BINDING", "the capsule was made at another laptop than the one known of its sender")
CONFLICT = _declare(0x040C, "CONFLICT", "the request does not continue a message of this session, or alters one")


def name_of(code: int) -> str:
    """Return the name of an error code; a code that this version does not know keeps its number."""
    return TABLE[code][0] if code in TABLE else "UNKNOWN_%04X" % code


class UnitError(Exception):
    """What a unit answers instead of a result: one code, and no text that could carry a secret."""

    def __init__(self, code: int):
        super().__init__(name_of(code))
        self.code = code
