# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The table of commands with names, for hosts and documents (PROTOCOL.md section 5). A unit uses `wire` alone.

The other numbers of `wire` are here as well, so that a host needs one module.
"""

from . import wire
from .control import rows
from .layout import Layout
from .wire import (
    AES,
    AGAIN,
    ALLOW_JUMP,
    CIPHERS,
    COMMON_LANE,
    CONFIRMATION,
    DATA,
    ELECTED,
    HEARD,
    HOUSEKEEPING,
    INDEX_BITS,
    IS_BLANK,
    IS_PROVISIONED,
    KINDS,
    LOWER_RANK,
    MASTER,
    MAX_CHUNK,
    MAX_IN_TURN,
    MAX_JUMP,
    MAX_KEY_BYTES,
    MAX_LANE,
    MAX_NAME,
    MAX_NUMBER,
    MAX_SENDERS,
    MEMBER,
    MEMBERSHIP,
    MESSAGE,
    MONITOR,
    MOVED,
    NEWER_STATE,
    NOT_SEALED,
    NOTHING,
    OF_CONTROL,
    PROVED,
    READ_ONLY,
    RELAY,
    SESSION,
    SLAVE,
    STATE_BLANK,
    STATE_LOCKED,
    STATE_PROVISIONED,
    STATE_TAMPERED,
    SUITES,
    USABLE,
    VERNAM,
    VOUCHED,
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
    "DATA",
    "ELECTED",
    "HEARD",
    "HOUSEKEEPING",
    "INDEX_BITS",
    "IS_BLANK",
    "IS_PROVISIONED",
    "KINDS",
    "LOWER_RANK",
    "MASTER",
    "MAX_CHUNK",
    "MAX_IN_TURN",
    "MAX_JUMP",
    "MAX_KEY_BYTES",
    "MAX_LANE",
    "MAX_NAME",
    "MAX_NUMBER",
    "MAX_SENDERS",
    "MEMBER",
    "MEMBERSHIP",
    "MESSAGE",
    "MONITOR",
    "MOVED",
    "NEWER_STATE",
    "NOTHING",
    "NOT_SEALED",
    "OF_CONTROL",
    "PROVED",
    "READ_ONLY",
    "RELAY",
    "SESSION",
    "SLAVE",
    "STATE_BLANK",
    "STATE_LOCKED",
    "STATE_PROVISIONED",
    "STATE_TAMPERED",
    "SUITES",
    "USABLE",
    "VERNAM",
    "VOUCHED",
    "WINDOW_SIZE",
    "WIRE_HEADER_SIZE",
    "MEMBERSHIP_LAYOUT",
    "Command",
    "ACCEPT",
    "ACKNOWLEDGE",
    "BIND",
    "CLOSE",
    "CONTROL",
    "ENROL",
    "HELLO",
    "HINT",
    "JOINING_KEY",
    "KEY_CHUNK",
    "MESSAGE_CHECK",
    "MESSAGE_STREAM",
    "NEXT_INDEX",
    "NOTICE",
    "OPEN_BEGIN",
    "OPEN_CHUNK",
    "OPEN_KEYS",
    "OPEN_SESSION",
    "PROVE",
    "PROVISION",
    "PROVISION_SEALED",
    "RENEW",
    "ROLE",
    "SEAL_BEGIN",
    "SEAL_CHUNK",
    "SEAL_KEYS",
    "STATUS",
    "TICK",
    "TRUST",
    "UNLOCK",
    "ZEROIZE",
    "TABLE",
)

TABLE: dict[int, "Command"] = {}
_ROWS = wire.COMMANDS | {code: (MEMBER, *row) for code, row in rows.ROWS.items()}


class Command:
    """One command: its code, name, preconditions, and the layouts of request and answer."""

    name = ""  # that of its assignment below

    def __init__(self, code: int, needs: int, request: Layout, answer: Layout) -> None:
        self.code = code
        self.needs = needs
        self.request = request
        self.answer = answer


def _declared(code: int, request: str, answer: str) -> Command:
    """Add the names of a command's fields to its row in `wire`."""
    needs, request_fields, answer_fields = _ROWS[code]
    TABLE[code] = Command(code, needs, Layout(request_fields, request), Layout(answer_fields, answer))
    return TABLE[code]


_MEMBERSHIP_NAMES = "epoch lane suite cipher digits secret network p1 p2 f1 f2"
MEMBERSHIP_LAYOUT = Layout(MEMBERSHIP, _MEMBERSHIP_NAMES)

HELLO = _declared(
    wire.HELLO, "", "major minor firmware state_format state flags uid salt binding_id max_payload lanes window epochs"
)
STATUS = _declared(
    wire.STATUS,
    "",
    "state flags epoch lane suite cipher digits network network_id log_used log_size free_memory dropped_frames f1 f2"
    " boots reset_reason erases wrong_attempts message_counter generation_id held",
)
PROVISION = _declared(wire.PROVISION, "binding " + _MEMBERSHIP_NAMES, "")
CLOSE = _declared(wire.CLOSE, "unplug", "")
OPEN_SESSION = _declared(wire.OPEN_SESSION, "public random", "public random proof")
PROVE = _declared(wire.PROVE, "proof", "")
UNLOCK = _declared(wire.UNLOCK, "kek minimum allow_jump", "")
BIND = _declared(wire.BIND, "binding", "")
TRUST = _declared(wire.TRUST, "lane binding_id", "")
ZEROIZE = _declared(wire.ZEROIZE, "confirmation uid", "")
ENROL = _declared(wire.ENROL, "binding package", "lane generation")
JOINING_KEY = _declared(wire.JOINING_KEY, "", "public")
PROVISION_SEALED = _declared(wire.PROVISION_SEALED, "binding package", "")
NEXT_INDEX = _declared(wire.NEXT_INDEX, "", "epoch index")
KEY_CHUNK = _declared(wire.KEY_CHUNK, "epoch index offset size", "key")
ACKNOWLEDGE = _declared(wire.ACKNOWLEDGE, "epoch index allow_jump", "index")
SEAL_BEGIN = _declared(wire.SEAL_BEGIN, "token cipher kind random", "header epoch")
SEAL_CHUNK = _declared(wire.SEAL_CHUNK, "token number last data", "chunks")
SEAL_KEYS = _declared(wire.SEAL_KEYS, "token cipher kind random", "header tag_key sync epoch aes_key")
OPEN_BEGIN = _declared(wire.OPEN_BEGIN, "header flags", "handle lane number cipher kind epoch")
OPEN_CHUNK = _declared(wire.OPEN_CHUNK, "handle number last chunk", "data")
OPEN_KEYS = _declared(wire.OPEN_KEYS, "header flags", "handle lane number tag_key sync kind epoch aes_key")
MESSAGE_STREAM = _declared(wire.MESSAGE_STREAM, "message offset size", "keystream")
MESSAGE_CHECK = _declared(wire.MESSAGE_CHECK, "message size", "check")
ACCEPT = _declared(wire.ACCEPT, "header allow_jump", "")
TICK = _declared(wire.TICK, "ticks", "role epoch revoked term master capsule")
CONTROL = _declared(wire.CONTROL, "capsule", "event")
NOTICE = _declared(wire.NOTICE, "generation capsule", "epoch")
HINT = _declared(wire.HINT, "generation", "hint")
RENEW = _declared(wire.RENEW, "", "epoch")
ROLE = _declared(wire.ROLE, "mode", "")

for _name, _value in list(globals().items()):
    if isinstance(_value, Command):
        _value.name = _name
