# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Minimum counters: how far a unit has come, as far as this laptop knows. An old image of its flash is noticed by them.

Strategy: each step is written at once and in place, without fsync: it survives a killed process, not a power cut of the
laptop. `sync`, at the end of a session, makes it durable. A unit's answer raises a minimum by a bounded step only: one
false answer can neither lock the true unit out nor use up its numbers.
"""

import json
import logging
import os
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ndks_protocol.commands import INDEX_BITS, MAX_JUMP

from .. import strict_json
from ..exceptions import reason
from ..files import read_private, where_supported
from ..paths import keep_owner, make_private_directory

_log = logging.getLogger(__name__)

FORMAT = 1
_SIZE = 2048  # bytes of the file, always: written in place, by one write of less than a page
_MOST_EPOCHS = 16
_MOST_EPOCH = 0xFFFFFFFF


@dataclass(frozen=True)
class Minimum:
    """What was reached in one epoch: the message counter, and the highest index of an exported key acknowledged."""

    message_counter: int = 0
    exported: int = 0


class MinimumCounters:
    """The minimum counters of one unit. Each provisioning makes another `salt`: those of another life do not count."""

    def __init__(self, path: Path, salt: str, before: dict[int, Minimum] | None = None) -> None:
        self._path = path
        self._salt = salt
        self._is_written = True
        self._epochs = self._load() or dict(before or {})  # the epoch noted last is the last

    def of(self, epoch: int) -> Minimum:
        """Return the minimum of an epoch."""
        return self._epochs.get(epoch, Minimum())

    def note(self, epoch: int, *, message_counter: int = 0, exported: int = 0, allow_jump: bool = False) -> None:
        """Raise the minimum of an epoch: by 2^20 at the most, unless the user has allowed a jump."""
        known = self.of(epoch)
        step = 1 << INDEX_BITS if allow_jump else MAX_JUMP
        minimum = Minimum(
            _raised(known.message_counter, message_counter, step), _raised(known.exported, exported, step)
        )
        if minimum == known and next(reversed(self._epochs), None) == epoch:
            return
        self._epochs.pop(epoch, None)
        self._epochs[epoch] = minimum
        while len(self._epochs) > _MOST_EPOCHS:
            del self._epochs[next(iter(self._epochs))]
        self._guarded(self._write)

    def sync(self) -> None:
        """Return when what was noted is on the disk."""
        self._guarded(self._sync)

    def _load(self) -> dict[int, Minimum]:
        try:
            raw = read_private(self._path)
        except FileNotFoundError:
            return {}
        if not raw.strip(b" \n\0"):
            return {}  # the process was killed when it had just made the file
        try:
            values = strict_json.loads(raw)
            if values["ndks_counters"] != FORMAT:
                raise ValueError
            return _epochs_from(values["epochs"]) if values["salt"] == self._salt else {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            _log.warning("%s is damaged: what it said of how far the unit has come is lost", self._path)
            return {}

    def _write(self) -> None:
        epochs = {str(epoch): astuple(minimum) for epoch, minimum in self._epochs.items()}
        text = json.dumps({"ndks_counters": FORMAT, "salt": self._salt, "epochs": epochs})
        make_private_directory(self._path.parent)
        with _opened(self._path) as file:
            keep_owner(file.fileno(), self._path.parent)  # also when root writes it
            file.write(f"{text:{_SIZE - 1}}\n".encode())
            file.truncate()  # of something else that was there

    def _sync(self) -> None:
        if self._epochs:
            with _opened(self._path) as file, where_supported():
                os.fsync(file.fileno())

    def _guarded(self, write: Any) -> None:
        """Write, and say it once where that cannot be: what it counts has happened already."""
        try:
            write()
        except OSError as error:
            if self._is_written:
                self._is_written = False
                _log.warning("how far the unit has come cannot be noted in %s: %s", self._path, reason(error))


def _opened(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b", buffering=0)


def _raised(known: int, value: int, step: int) -> int:
    return max(known, min(value, known + step))


def _epochs_from(values: Any) -> dict[int, Minimum]:
    epochs = {int(epoch): Minimum(_number(own), _number(exported)) for epoch, (own, exported) in values.items()}
    if len(epochs) > _MOST_EPOCHS or not all(0 <= epoch <= _MOST_EPOCH for epoch in epochs):
        raise ValueError
    return epochs


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << INDEX_BITS:  # nor a bool
        raise ValueError
    return value
