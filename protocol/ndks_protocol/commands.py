# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The table of commands with names, for hosts and documents (PROTOCOL.md section 5). A unit uses `wire` alone.

The other numbers of `wire` are here as well, so that a host needs one module.
"""

from . import wire
from .layout import Layout
from .wire import (
    AES,
    AGAIN,
    ALLOW_JUMP,
    CIPHERS,
    COMMON_LANE,
    CONFIRMATION,
    CONTROL,
    DATA,
    INDEX_BITS,
    IS_BLANK,
    IS_PROVISIONED,
    MAX_CHUNK,
    MAX_JUMP,
    MAX_KEY_BYTES,
    MAX_LANE,
    MAX_NAME,
    MAX_NUMBER,
    MAX_SENDERS,
    MEMBER,
    MEMBERSHIP,
    NEWER_STATE,
    NOT_SEALED,
    NOTHING,
    PROVED,
    READ_ONLY,
    SESSION,
    STATE_BLANK,
    STATE_LOCKED,
    STATE_PROVISIONED,
    STATE_TAMPERED,
    SUITES,
    USABLE,
    VERNAM,
    WINDOW_SIZE,
    WIRE_HEADER_SIZE,
)

__all__ = (
    "AES",
    "AGAIN",
    "ALLOW_JUMP",
    "CIPHERS",
    "COMMON_LANE",
    "CONFIRMATION",
    "CONTROL",
    "DATA",
    "INDEX_BITS",
    "IS_BLANK",
    "IS_PROVISIONED",
    "MAX_CHUNK",
    "MAX_JUMP",
    "MAX_KEY_BYTES",
    "MAX_LANE",
    "MAX_NAME",
    "MAX_NUMBER",
    "MAX_SENDERS",
    "MEMBER",
    "MEMBERSHIP",
    "NEWER_STATE",
    "NOTHING",
    "NOT_SEALED",
    "PROVED",
    "READ_ONLY",
    "SESSION",
    "STATE_BLANK",
    "STATE_LOCKED",
    "STATE_PROVISIONED",
    "STATE_TAMPERED",
    "SUITES",
    "USABLE",
    "VERNAM",
    "WINDOW_SIZE",
    "WIRE_HEADER_SIZE",
    "MEMBERSHIP_LAYOUT",
    "Command",
    "ACCEPT",
    "ACKNOWLEDGE",
    "BIND",
    "CLOSE",
    "HELLO",
    "JOINING_KEY",
    "KEY_CHUNK",
    "MESSAGE_CHECK",
    "MESSAGE_STREAM",
    "NEXT_INDEX",
    "OPEN_BEGIN",
    "OPEN_CHUNK",
    "OPEN_KEYS",
    "OPEN_SESSION",
    "PROVE",
    "PROVISION",
    "PROVISION_SEALED",
    "SEAL_BEGIN",
    "SEAL_CHUNK",
    "SEAL_KEYS",
    "STATUS",
    "TRUST",
    "UNLOCK",
    "ZEROIZE",
    "TABLE",
)

TABLE: dict[int, "Command"] = {}


class Command:
    """One command: its code, name, preconditions, and the layouts of request and answer."""

    name = ""  # that of its assignment below

    def __init__(self, code: int, request: str, answer: str) -> None:
        self.code = code
        self.needs, request_fields, answer_fields = wire.COMMANDS[code]
        self.request = Layout(request_fields, request)
        self.answer = Layout(answer_fields, answer)
        TABLE[code] = self


_MEMBERSHIP_NAMES = "epoch lane suite cipher digits secret network p1 p2 f1 f2"
MEMBERSHIP_LAYOUT = Layout(MEMBERSHIP, _MEMBERSHIP_NAMES)

HELLO = Command(
    wire.HELLO, "", "major minor firmware state_format state flags uid salt binding_id max_payload lanes window epochs"
)
STATUS = Command(
    wire.STATUS,
    "",
    "state flags epoch lane suite cipher digits network network_id log_used log_size free_memory dropped_frames f1 f2"
    " boots reset_reason erases wrong_attempts message_counter",
)
PROVISION = Command(wire.PROVISION, "binding " + _MEMBERSHIP_NAMES, "")
CLOSE = Command(wire.CLOSE, "unplug", "")
OPEN_SESSION = Command(wire.OPEN_SESSION, "public random", "public random proof")
PROVE = Command(wire.PROVE, "proof", "")
UNLOCK = Command(wire.UNLOCK, "kek minimum allow_jump", "")
BIND = Command(wire.BIND, "binding", "")
TRUST = Command(wire.TRUST, "lane binding_id", "")
ZEROIZE = Command(wire.ZEROIZE, "confirmation uid", "")
JOINING_KEY = Command(wire.JOINING_KEY, "", "public")
PROVISION_SEALED = Command(wire.PROVISION_SEALED, "binding package", "")
NEXT_INDEX = Command(wire.NEXT_INDEX, "", "epoch index")
KEY_CHUNK = Command(wire.KEY_CHUNK, "epoch index offset size", "key")
ACKNOWLEDGE = Command(wire.ACKNOWLEDGE, "epoch index allow_jump", "index")
SEAL_BEGIN = Command(wire.SEAL_BEGIN, "token cipher kind random", "header")
SEAL_CHUNK = Command(wire.SEAL_CHUNK, "token number last data", "chunks")
SEAL_KEYS = Command(wire.SEAL_KEYS, "token cipher kind random", "header tag_key sync aes_key")
OPEN_BEGIN = Command(wire.OPEN_BEGIN, "header flags", "handle lane number cipher")
OPEN_CHUNK = Command(wire.OPEN_CHUNK, "handle number last chunk", "data")
OPEN_KEYS = Command(wire.OPEN_KEYS, "header flags", "handle lane number tag_key sync aes_key")
MESSAGE_STREAM = Command(wire.MESSAGE_STREAM, "message offset size", "keystream")
MESSAGE_CHECK = Command(wire.MESSAGE_CHECK, "message size", "check")
ACCEPT = Command(wire.ACCEPT, "header allow_jump", "")

for _name, _value in list(globals().items()):
    if isinstance(_value, Command):
        _value.name = _name
