# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record of one laptop: its channels, and commitments to its keys and message, but not the keys or the message."""

import hmac
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self, cast, get_args

from ndks import strict_json
from ndks.exceptions import FileError
from ndks.whole_file import write_private
from ndks_protocol import commands
from ndks_protocol.exported import is_exportable
from ndks_protocol.generator import MAX_ELEMENTS

from . import commitments
from .channel import LaptopChannel


class _NoRecordError(Exception):
    """The reason why a file is not a record."""


FORMAT = 1
_MARK = "ndks_faraday"
_LARGEST = 1 << 24  # bytes: enough for ten thousand keys and as many channels
_SERIAL_NUMBER = re.compile("[0-9A-F]{16}")


@dataclass(frozen=True)
class Commitment:
    """A commitment to one key."""

    index: int
    bits: int
    commitment: str


@dataclass(frozen=True)
class RecordedMessage:
    """The encrypted message; `size` is that of its text in bytes."""

    cipher: str
    size: int
    commitment: str
    capsule: str  # SHA-256 of the capsule
    deleted: bool
    deletion: str  # a text on the traces that it leaves


@dataclass(frozen=True)
class Authentication:
    """The tag of the record, and the index of the exported key that made it."""

    index: int
    tag: str


@dataclass(frozen=True)
class Record:
    """The record of one run."""

    unit: str  # serial number
    network_id: str
    lane: int
    epoch: int
    suite: str
    digits: int
    salt: str
    started: str
    ended: str
    channels_before: tuple[LaptopChannel, ...]
    channels_after: tuple[LaptopChannel, ...]
    accepted_risk: bool
    keys: tuple[Commitment, ...]
    repeated: tuple[int, ...]  # indices of keys equal to an earlier one
    message: RecordedMessage | None
    authentication: Authentication

    def signed(self, key: bytes) -> Self:
        """Return the record with its tag under `key`."""
        return replace(self, authentication=replace(self.authentication, tag=self._tag(key)))

    def is_signed_by(self, key: bytes) -> bool:
        """Return whether the tag is valid under `key`."""
        return hmac.compare_digest(self.authentication.tag, self._tag(key))

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the file atomically. FileError, OSError."""
        content = (json.dumps({_MARK: FORMAT, **asdict(self)}, indent=2) + "\n").encode()
        write_private(path, content, overwrite=overwrite)  # in suite `paper`, a record is as secret as the keys

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record from a file. FileError for an invalid file."""
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        try:
            if len(raw) > _LARGEST:
                raise _NoRecordError("it is too large")
            values = strict_json.loads(raw)
            if not isinstance(values, dict) or _MARK not in values:
                raise _NoRecordError("it is another kind of file")
            values = cast(dict[str, Any], values)
            if not strict_json.is_version(values.pop(_MARK), FORMAT):
                raise _NoRecordError("it was written by another version of ndks")
            return cls._of(values)
        except (_NoRecordError, ValueError, TypeError, RecursionError) as error:
            why = str(error) if isinstance(error, _NoRecordError) else "it is damaged"
            advice = "check the name; if it is the right file, copy it from the laptop again"
            raise FileError(f"{path} is not a record of ndks faraday: {why}", advice) from None

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        message: Any = values.get("message", {})
        parts: dict[str, Any] = {
            "channels_before": tuple(LaptopChannel(**each) for each in values.get("channels_before", ())),
            "channels_after": tuple(LaptopChannel(**each) for each in values.get("channels_after", ())),
            "keys": tuple(Commitment(**each) for each in values.get("keys", ())),
            "repeated": tuple(values.get("repeated", ())),
            "message": None if message is None else RecordedMessage(**message),
            "authentication": Authentication(**values.get("authentication", {})),
        }
        record = cls(**{**values, **parts})
        parts_of_it = (record, *record.channels_before, *record.channels_after, *record.keys, record.authentication)
        for part in (*parts_of_it, *filter(None, [record.message])):
            _check_types(part)
        _check(record)
        return record

    def _tag(self, key: bytes) -> str:
        values = asdict(self)
        del values["authentication"]["tag"]
        canonical = json.dumps({_MARK: FORMAT, **values}, sort_keys=True, separators=(",", ":"))
        return commitments.of_record(key, canonical.encode())


def _check_types(part: Any) -> None:
    """Raise TypeError unless each value has its type and all texts are printable."""
    for each in fields(part):
        value, kind = getattr(part, each.name), each.type
        if type(value) not in (get_args(kind) or (kind,)) and not isinstance(value, tuple | RecordedMessage):
            raise TypeError
        if isinstance(value, str) and not value.isprintable():
            raise TypeError


def _check(record: Record) -> None:
    """Raise an error for values that no record can have."""
    message = record.message
    digests = [(each.commitment, 32) for each in record.keys] + [(record.authentication.tag, 32), (record.salt, 16)]
    digests += [(message.commitment, 32), (message.capsule, 32)] if message else []
    indices = [each.index for each in record.keys] + [record.authentication.index]
    for moment in (record.started, record.ended):
        datetime.fromisoformat(moment)
    holds = (
        all(re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text) for text, size in digests),
        re.fullmatch("[0-9a-f]{16}", record.network_id) and _SERIAL_NUMBER.fullmatch(record.unit),
        record.keys and indices == sorted(set(indices)) and is_exportable(indices[0]) and is_exportable(indices[-1]),
        all(1 <= each.bits <= MAX_ELEMENTS for each in record.keys),
        all(type(index) is int and index in indices for index in record.repeated),
        record.suite in commands.SUITES and 0 <= record.epoch < 1 << 32 and 0 < record.lane <= commands.MAX_LANE,
        not message or (message.cipher in commands.CIPHERS and message.size >= 0),
    )
    if not all(holds):
        raise _NoRecordError("a value is out of its range")
