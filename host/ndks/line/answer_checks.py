# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the fields of an answer may be (PROTOCOL.md section 5): a unit may be false, old, or its answer damaged.

Fields whose size the layout fixes, and numbers that mean the same whatever they are, need no check. A number that
names something keeps its value where this version does not know it.
"""

from collections.abc import Callable
from typing import Any

from ndks_protocol import commands
from ndks_protocol.capsule.header import VERSION
from ndks_protocol.commands import CIPHERS, INDEX_BITS, MAX_NAME, STATE_PROVISIONED, Command
from ndks_protocol.generator import MAX_DIGITS

from ..exceptions import ProtocolError

Check = Callable[[Any], bool]

_MOST = (1 << INDEX_BITS) - 1  # a number within a lane
_AES_KEY_SIZES = (0, 32)


def check_answer(command: Command, values: tuple[Any, ...]) -> None:
    """Raise ProtocolError for a field that no unit answers; its value is not told: it could be anything."""
    fields = dict(zip(command.answer.names, values, strict=True))
    for name, is_right in _CHECKS.get(command.code, {}).items():
        if not is_right(fields[name]):
            raise ProtocolError(f"the answer to {command.name} is malformed: {name} is out of its range")
    if command is commands.STATUS:
        _check_status(fields)


def _check_status(fields: dict[str, Any]) -> None:
    is_member = fields["state"] == STATE_PROVISIONED
    ranges: dict[str, Check] = {
        "network": (lambda name: 1 <= len(name.encode()) <= MAX_NAME) if is_member else lambda name: not name,
        "lane": (lambda lane: lane > 0) if is_member else lambda lane: lane == 0,
        "digits": (lambda digits: 1 <= digits <= MAX_DIGITS) if is_member else lambda digits: digits == 0,
        "log_used": lambda used: used <= fields["log_size"],
    }
    for name, is_right in ranges.items():
        if not is_right(fields[name]):
            raise ProtocolError(f"the answer to STATUS is malformed: {name} is out of its range")


def _between(low: int, high: int) -> Check:
    return lambda value: low <= value <= high


def _is_header(header: bytes) -> bool:
    return header[0] == VERSION


_IN_A_LANE = _between(1, _MOST)
_LANE = _between(1, 0xFFFF)
_KNOWN_CIPHER = _between(0, len(CIPHERS) - 1)
_CHECKS: dict[int, dict[str, Check]] = {
    commands.STATUS.code: {"network": str.isprintable, "message_counter": _between(0, _MOST)},
    commands.NEXT_INDEX.code: {"index": _IN_A_LANE},
    commands.ACKNOWLEDGE.code: {"index": _between(1, _MOST + 1)},  # one more than there are: none is left
    commands.SEAL_BEGIN.code: {"header": _is_header},
    commands.SEAL_KEYS.code: {"header": _is_header, "aes_key": lambda key: len(key) in _AES_KEY_SIZES},
    commands.OPEN_BEGIN.code: {"lane": _LANE, "number": _IN_A_LANE, "cipher": _KNOWN_CIPHER},
    commands.OPEN_KEYS.code: {
        "lane": _LANE,
        "number": _IN_A_LANE,
        "aes_key": lambda key: len(key) in _AES_KEY_SIZES,
    },
}
