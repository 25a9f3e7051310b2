# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Minimum counters: lower bounds of a unit's counters, which detect a restored old image of its flash.

Strategy: each change is written at once and in place, without fsync; it survives a killed process, but not a power cut
of the laptop. `sync` makes it durable at the end of a session. An answer of a unit raises a minimum by a bounded step
only, so that one false answer can neither lock the true unit out nor use up its numbers.
"""

import json
import logging
import os
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ndks_protocol.commands import MAX_JUMP, MAX_NUMBER

from .. import strict_json
from ..exceptions import reason
from ..files import read_private
from ..on_disk import where_supported
from ..paths import keep_owner, make_private_directory
from ..system_errors import file_errors

_log = logging.getLogger(__name__)

FORMAT = 1
_SIZE = 2048  # fixed size of the file in bytes, less than a page: one write replaces the content
_MOST_EPOCHS = 16
_MOST_EPOCH = 0xFFFFFFFF


@dataclass(frozen=True)
class Minimum:
    """The minimum counters in one epoch: message counter, and highest acknowledged index of an exported key.

    The numbers of messages go on over epochs, so their minimum is the highest of all.
    """

    message_counter: int = 0
    exported: int = 0


class MinimumCounters:
    """The minimum counters of one unit since its provisioning, which is identified by its `salt`."""

    def __init__(self, path: Path, salt: str, before: dict[int, Minimum] | None = None) -> None:
        self._path = path
        self._salt = salt
        self._is_written = True
        self._epochs = self._load() or dict(before or {})  # in the order of their last change

    def of(self, epoch: int) -> Minimum:
        """Return the minimum counters of an epoch."""
        highest = max((minimum.message_counter for minimum in self._epochs.values()), default=0)
        return Minimum(highest, self._epochs.get(epoch, Minimum()).exported)

    def note(self, epoch: int, *, message_counter: int = 0, exported: int = 0, allow_jump: bool = False) -> None:
        """Raise the minimum counters of an epoch, by 2^20 at most unless `allow_jump`."""
        noted, known = self._epochs.get(epoch), self.of(epoch)
        step = MAX_NUMBER if allow_jump else MAX_JUMP
        minimum = Minimum(
            _raised(known.message_counter, message_counter, step), _raised(known.exported, exported, step)
        )
        if minimum == noted and next(reversed(self._epochs), None) == epoch:
            return
        self._epochs.pop(epoch, None)
        self._epochs[epoch] = minimum
        while len(self._epochs) > _MOST_EPOCHS:
            del self._epochs[next(iter(self._epochs))]
        self._guarded(self._write)

    def sync(self) -> None:
        """Write the minimum counters to the disk."""
        self._guarded(self._sync)

    def store(self) -> None:
        """Write the minimum counters to the disk. FileError."""
        with file_errors():
            self._write()
            self._sync()

    def _load(self) -> dict[int, Minimum]:
        try:
            raw = read_private(self._path)
        except FileNotFoundError:
            return {}
        if not raw.strip(b" \n\0"):
            return {}  # a process was killed just after it created the file
        try:
            values = strict_json.loads(raw)
            if not strict_json.is_version(values["ndks_counters"], FORMAT):
                raise ValueError
            return _epochs_from(values["epochs"]) if values["salt"] == self._salt else {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            _log.warning("%s is damaged: the minimum counters of the unit are lost", self._path)
            return {}

    def _write(self) -> None:
        epochs = {str(epoch): astuple(minimum) for epoch, minimum in self._epochs.items()}
        text = json.dumps({"ndks_counters": FORMAT, "salt": self._salt, "epochs": epochs})
        make_private_directory(self._path.parent)
        with _opened(self._path) as file:
            keep_owner(file.fileno(), self._path.parent)
            file.write(f"{text:{_SIZE - 1}}\n".encode())
            file.truncate()  # a longer file was there before

    def _sync(self) -> None:
        if self._epochs:
            with _opened(self._path) as file, where_supported():
                os.fsync(file.fileno())

    def _guarded(self, write: Any) -> None:
        """Write to the file; log only the first failure and go on: the counted event has already happened."""
        try:
            write()
        except OSError as error:
            if self._is_written:
                self._is_written = False
                _log.warning("the minimum counters cannot be written to %s: %s", self._path, reason(error))


def _opened(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b", buffering=0)


def _raised(known: int, value: int, step: int) -> int:
    return max(known, min(value, known + step))


def _epochs_from(values: Any) -> dict[int, Minimum]:
    epochs = {int(epoch): Minimum(number(own), number(exported)) for epoch, (own, exported) in values.items()}
    if len(epochs) > _MOST_EPOCHS or not all(0 <= epoch <= _MOST_EPOCH for epoch in epochs):
        raise ValueError
    return epochs


def number(value: Any) -> int:
    """Return the value of a JSON field as a number from 0 to 2^48 - 1. Raises ValueError."""
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:  # not a bool
        raise ValueError
    return value
