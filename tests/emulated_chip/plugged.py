# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit on a chip in this process: a transport in the chip's own time, and the states of its flash on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import ndks
from ndks.line.link import Link
from ndks_chip import Chip
from ndks_emulator.sector import half_erased, half_programmed

MS = 1_000_000
TURN_MS = 20  # of one read
PATIENCE = 300.0  # seconds of this computer for an answer


class Change(NamedTuple):
    """An erased sector or a programmed page."""

    at: int
    before: bytes
    after: bytes

    @property
    def half(self) -> bytes:
        if not self.after.strip(b"\xff"):
            return half_erased(self.before)
        return half_programmed(self.before, self.after)


class PluggedChip:
    """The chip as a transport. `changes` are those of its flash since they were last cleared."""

    unplugs = True

    def __init__(self, flash: bytes, uid: bytes) -> None:
        self.flash = bytearray(flash)
        self.changes: list[Change] = []
        self._before = bytearray(flash)
        self._inbound = bytearray()
        self.chip = Chip(self.flash, uid=uid, on_flash=self._changed)
        self.chip.data.on_data = self._inbound.extend
        while not self.chip.data.is_ready:
            self.chip.run(MS)

    def write(self, data: bytes) -> None:
        self.chip.data.write(data)

    def read(self) -> bytes:
        for _ in range(TURN_MS):
            self.chip.run(MS)
            if self._inbound:
                break
        data = bytes(self._inbound)
        self._inbound.clear()
        return data

    def close(self) -> None:
        """Do nothing: nobody runs the chip any more."""

    def _changed(self, at: int, size: int) -> None:
        after = bytes(self.flash[at : at + size])
        self.changes.append(Change(at, bytes(self._before[at : at + size]), after))
        self._before[at : at + size] = after


@contextmanager
def unit_on(plugged: PluggedChip) -> Iterator[ndks.Unit]:
    with ndks.Unit("chip", Link(plugged, PATIENCE), ndks.BindingStore()) as unit:
        yield unit


def flash_after(flash: bytes, changes: list[Change], steps: int) -> bytes:
    """Return the flash after some steps of these changes, two for each."""
    found = bytearray(flash)
    whole, half = divmod(steps, 2)
    for change in changes[:whole]:
        found[change.at : change.at + len(change.after)] = change.after
    if half:
        torn = changes[whole].half
        found[changes[whole].at : changes[whole].at + len(torn)] = torn
    return bytes(found)
