# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Range checks of the fields of answers (PROTOCOL.md section 5).

A unit may be forged or of another version, and an answer may be damaged. Fields of fixed size and numbers without a
range need no check. A number that stands for a name may be one that this version does not know.
"""

import functools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

from ndks_protocol import commands, service
from ndks_protocol.capsule import LARGEST_PIECE
from ndks_protocol.capsule.header import VERSION
from ndks_protocol.commands import (
    CIPHERS,
    KINDS,
    LOWER_RANK,
    MAX_IN_TURN,
    MAX_LANE,
    MAX_NAME,
    MAX_NUMBER,
    MONITOR,
    STATE_PROVISIONED,
    Command,
)
from ndks_protocol.control.limits import BEACON_SIZE, LAST_GENERATION, MAX_REVOKED
from ndks_protocol.generator import MAX_DIGITS
from ndks_protocol.session import OVERHEAD

from ..exceptions import ProtocolError

Check = Callable[[Any], bool]

_AES_KEY_SIZES = (0, 32)


def check_answer(command: Command, values: tuple[Any, ...]) -> Any:
    """Return the fields of an answer as a named tuple, with the names from the command table.

    ProtocolError for a value out of its range. The message does not quote the value, which may be anything.
    """
    fields = _type_of(command)(*values)
    checks = _CHECKS.get(command.code, {}) | (_status_checks(fields) if command is commands.STATUS else {})
    for name, is_right in checks.items():
        if not is_right(getattr(fields, name)):
            raise ProtocolError(f"the answer to {command.name} is malformed: {name} is out of its range")
    return fields


@functools.cache
def _type_of(command: Command) -> Callable[..., Any]:
    return namedtuple(command.name, command.answer.names)  # pyright: ignore[reportUntypedNamedTuple]


def _status_checks(fields: Any) -> dict[str, Check]:
    is_member = fields.state == STATE_PROVISIONED
    return {
        "network": _is_name if is_member else lambda name: not name,
        "lane": (lambda lane: lane > 0) if is_member else lambda lane: lane == 0,
        "digits": (lambda digits: 1 <= digits <= MAX_DIGITS) if is_member else lambda digits: digits == 0,
        "log_used": lambda used: used <= fields.log_size,
    }


def _between(low: int, high: int) -> Check:
    return lambda value: low <= value <= high


def _is_name(name: str) -> bool:
    return name.isprintable() and 1 <= len(name.encode()) <= MAX_NAME


def _is_header(header: bytes) -> bool:
    return header[0] == VERSION


def _at_least(low: int) -> Check:
    return lambda value: value >= low


_IN_A_LANE = _between(1, MAX_NUMBER)
_LANE = _between(1, MAX_LANE)
_KNOWN_CIPHER = _between(0, len(CIPHERS) - 1)
_KIND = _between(0, KINDS - 1)
_CHECKS: dict[int, dict[str, Check]] = {
    commands.HELLO.code: {
        "max_payload": _at_least(LARGEST_PIECE + OVERHEAD),  # the largest request of this host
        "lanes": _at_least(1),
        "window": _at_least(1),
        "epochs": _at_least(1),
    },
    commands.STATUS.code: {"message_counter": _between(0, MAX_NUMBER)},
    commands.NEXT_INDEX.code: {"index": _between(1, MAX_IN_TURN)},
    commands.ACKNOWLEDGE.code: {"index": _between(1, MAX_NUMBER + 1)},  # units of 0.1 to 0.4 acknowledged all
    commands.SEAL_BEGIN.code: {"header": _is_header},
    commands.SEAL_KEYS.code: {"header": _is_header, "aes_key": lambda key: len(key) in _AES_KEY_SIZES},
    commands.OPEN_BEGIN.code: {"lane": _LANE, "number": _IN_A_LANE, "cipher": _KNOWN_CIPHER, "kind": _KIND},
    commands.OPEN_KEYS.code: {
        "lane": _LANE,
        "number": _IN_A_LANE,
        "kind": _KIND,
        "aes_key": lambda key: len(key) in _AES_KEY_SIZES,
    },
    commands.ENROL.code: {"lane": _LANE, "generation": _between(0, LAST_GENERATION)},
    commands.TICK.code: {
        "role": _between(0, MONITOR),
        "revoked": _between(0, MAX_REVOKED),
        "capsule": lambda capsule: len(capsule) in (0, BEACON_SIZE),
    },
    commands.CONTROL.code: {"event": _between(0, LOWER_RANK)},
    service.WATCH.code: {"present": lambda present: present in (0, 1), "role": _between(0, MONITOR)},
    service.TAKE_NUMBER.code: {"lane": _LANE, "number": _IN_A_LANE},
    service.MESSAGE_KEYS.code: {"header": _is_header},
    service.OPEN_MESSAGE_KEYS.code: {"lane": _LANE, "number": _IN_A_LANE},
}
