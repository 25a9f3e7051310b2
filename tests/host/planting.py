# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""States of emulated units that would take long to reach, or that no command reaches yet, put into their record log."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from ndks.transport import EMULATOR
from ndks_emulator import UnitDirectory
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.lines import MemoryLine
from ndks_protocol.capsule import Window
from ndks_protocol.commands import MAX_SENDERS
from ndks_unit.record_log import RecordLog
from ndks_unit.records import MEMBER_IDS, OWN_NUMBERS, WINDOW

_STRANGERS = 1000  # their first lane


def have_sent_up_to(port: str, number: int) -> None:
    """Let the unit's next message have this number."""
    with _log(port) as log:
        log.append(OWN_NUMBERS, struct.pack(">IQ", 0, number))


def know_laptop(port: str, lane: int, binding_id: bytes) -> None:
    """Let the unit know which laptop the unit of that lane is bound to."""
    with _log(port) as log:
        log.append(MEMBER_IDS, struct.pack(">H16s", lane, binding_id))


def have_heard_of_strangers(port: str) -> None:
    """Let the unit have accepted capsules of as many other units as it can keep account of."""
    window = Window()
    window.accept(1)
    with _log(port) as log:
        for lane in range(_STRANGERS, _STRANGERS + MAX_SENDERS):
            log.append(WINDOW, struct.pack(">H", lane) + window.pack())


@contextlib.contextmanager
def _log(port: str) -> Iterator[RecordLog]:
    with UnitDirectory(Path(port.removeprefix(EMULATOR)), create=False) as directory:
        yield RecordLog(EmulatedBoard(directory, MemoryLine()))
