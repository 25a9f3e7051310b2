# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""States of emulated units that would take long to reach, put into their record log."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

import ndks
from ndks.line.transport import EMULATOR
from ndks_emulator import UnitDirectory
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.lines import MemoryLine
from ndks_protocol.capsule import Window
from ndks_unit.flash.record_log import RecordLog
from ndks_unit.flash.records import MESSAGE_COUNTER, WINDOW_KINDS

_STRANGERS = 1000  # their first lane


def have_sent_up_to(port: str, number: int) -> None:
    """Let the unit's next message have this number."""
    with _log(port) as log:
        log.append(MESSAGE_COUNTER, struct.pack(">IQ", 0, number))


def have_heard_of_strangers(port: str) -> None:
    """Let the unit have accepted capsules of as many other units as it can keep account of."""
    window = Window()
    window.accept(1)
    with _log(port) as log:
        for lane, kind in enumerate(WINDOW_KINDS, _STRANGERS):
            log.append(kind, struct.pack(">H", lane) + window.pack())


@contextlib.contextmanager
def _log(port: str) -> Iterator[RecordLog]:
    """Give the record log of a unit that is bound to this laptop, unlocked."""
    with ndks.open(port) as unit:
        keys = ndks.BindingStore().keys(unit.hello)
    with UnitDirectory(Path(port.removeprefix(EMULATOR)), create=False) as directory:
        log = RecordLog(EmulatedBoard(directory, MemoryLine()))
        log.load()
        log.set_auth(keys.auth)
        log.unlock(keys.kek)
        yield log
