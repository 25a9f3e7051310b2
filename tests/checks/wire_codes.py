# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Codes on the wire from PROTOCOL.md section 5 alone: nothing of the project is imported here.

Their names are short because tables are made of them.
"""

from enum import IntEnum


class C(IntEnum):
    """Commands."""

    HELLO = 0x01
    STATUS = 0x02
    PROVISION = 0x03
    CLOSE = 0x04
    OPEN_SESSION = 0x05
    PROVE = 0x06
    UNLOCK = 0x07
    BIND = 0x08
    TRUST = 0x09
    ZEROIZE = 0x0A
    ENROL = 0x0B
    JOINING_KEY = 0x0C
    PROVISION_SEALED = 0x0D
    NEXT_INDEX = 0x10
    KEY_CHUNK = 0x11
    ACKNOWLEDGE = 0x12
    SEAL_BEGIN = 0x20
    SEAL_CHUNK = 0x21
    SEAL_KEYS = 0x22
    OPEN_BEGIN = 0x23
    OPEN_CHUNK = 0x24
    OPEN_KEYS = 0x25
    MESSAGE_STREAM = 0x26
    MESSAGE_CHECK = 0x27
    ACCEPT = 0x28
    TICK = 0x30
    CONTROL = 0x31
    NOTICE = 0x32
    HINT = 0x33
    RENEW = 0x34
    ROLE = 0x35


class E(IntEnum):
    """Errors."""

    BAD_REQUEST = 0x0101
    UNKNOWN_COMMAND = 0x0102
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
    VERSION = 0x0401
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
