# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record of one unit: which network, which epoch, and check values of keys and messages, but no key and no text."""

import functools
import json
import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self, cast

from ndks_protocol import commands
from ndks_protocol.exported import is_exportable
from ndks_protocol.generator import F1, F2

from .. import strict_json
from ..exceptions import FileError, UsageError
from ..files import read_small
from ..whole_file import write_private
from .key_checks import BLOCK, MOST_BITS, check_bits

FORMAT = 1
DEFINITION = "definition"  # in place of a serial number: computed from a file of the network
_MARK = "ndks_confinement"
_LARGEST = 1 << 26  # bytes
_MOST_CODE = 40  # characters of an error's name


@dataclass(frozen=True)
class KeyRecord:
    """The checks of a key; or the name of the error with which the unit refused it."""

    index: int
    checks: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class MessageRecord:
    """The key check value of a capsule; `capsule` is its SHA-256, `message` its header's SHA-256, by which it is named.

    `lane` and `number` are those of its sender, None if the unit cannot tell; `error` names what the unit found wrong.
    """

    capsule: str
    message: str
    lane: int | None = None
    number: int | None = None
    check: str = ""
    error: str = ""


@dataclass(frozen=True)
class Record:
    """What one unit says. `epoch` is that of the unit, `of_epoch` that of the keys that were recorded."""

    serial_number: str
    network: str
    network_id: str
    generation_id: str
    lane: int
    epoch: int
    suite: str
    digits: int
    f1: str
    f2: str
    date: str
    of_epoch: int
    bits: int
    keys: tuple[KeyRecord, ...]
    messages: tuple[MessageRecord, ...]

    @property
    def name(self) -> str:
        """What the unit is called in findings."""
        is_unit = self.serial_number != DEFINITION
        return f"unit {self.serial_number} (lane {self.lane})" if is_unit else "the definition"

    def key(self, index: int) -> KeyRecord | None:
        """Return what is recorded about a key."""
        return self._by_index.get(index)

    @functools.cached_property
    def _by_index(self) -> dict[int, KeyRecord]:
        return {key.index: key for key in self.keys}

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the file atomically, for this user alone. FileError."""
        write_private(
            path, (json.dumps({_MARK: FORMAT, **asdict(self)}, indent=1) + "\n").encode(), overwrite=overwrite
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record. FileError: it is not one, or is damaged; OSError."""
        raw = read_small(path, _LARGEST)
        try:
            values: Any = strict_json.loads(raw)
            values = cast(dict[str, Any], strict_json.typed(dict, values))
            if not strict_json.is_version(values.pop(_MARK, None), FORMAT):
                raise ValueError
            record = cls._of(values)
            _check(record)
        except (ValueError, KeyError, TypeError, RecursionError, UsageError):
            advice = "check the name; if it is the right file, copy it from its laptop again"
            raise FileError(f"{path} is no record of ndks confine, or it is damaged", advice) from None
        return record

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        keys = tuple(KeyRecord(each["index"], tuple(each["checks"]), each["error"]) for each in values.pop("keys"))
        messages = tuple(MessageRecord(**each) for each in values.pop("messages"))
        return cls(**values, keys=keys, messages=messages)


def _check(record: Record) -> None:
    """Raise ValueError, TypeError or UsageError for what no record can have: its texts are printed."""
    check_bits(record.bits)
    datetime.fromisoformat(record.date)
    for part in (record, *record.keys, *record.messages):
        _check_types(part)
    holds = (
        re.fullmatch(f"[0-9A-F]{{16}}|{DEFINITION}", record.serial_number),
        _is_hex(record.network_id, 8) and _is_hex(record.generation_id, 8),
        len(record.network) <= commands.MAX_NAME and record.suite in commands.SUITES,
        record.f1 in F1 and record.f2 in F2 and record.digits >= 1,
        0 <= record.lane <= commands.MAX_LANE and max(record.epoch, record.of_epoch) < 1 << 32,
        all(is_exportable(key.index) and _has_checks(key, record.bits) for key in record.keys),
        all(_is_hex(each.capsule, 32) and _is_hex(each.message, 16) for each in record.messages),
        all(_is_hex(each.check, 8) or not each.check for each in record.messages),
    )
    if not all(holds):
        raise ValueError


def _has_checks(key: KeyRecord, bits: int) -> bool:
    return bool(key.error) or (len(key.checks) == bits // BLOCK and all(_is_hex(check, 16) for check in key.checks))


def _check_types(part: Any) -> None:
    for each in fields(part):
        value, kind = getattr(part, each.name), str(each.type)
        allowed = (int,) if "int" in kind else (str,) if "str" in kind and "tuple" not in kind else (tuple,)
        if type(value) not in (*allowed, *((type(None),) if "None" in kind else ())):
            raise TypeError
        if isinstance(value, str) and not (value.isprintable() and len(value) <= MOST_BITS):
            raise TypeError
        if type(value) is int and value < 0:
            raise TypeError
    if len(getattr(part, "error", "")) > _MOST_CODE:
        raise TypeError


def _is_hex(text: str, size: int) -> bool:
    return re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text) is not None
