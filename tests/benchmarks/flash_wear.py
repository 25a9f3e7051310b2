# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Compute the years until a unit's flash is worn out, from the erases per operation, counted on the emulated flash.

python tests/benchmarks/flash_wear.py [SECONDS [MOST]]    one operation every SECONDS, day and night

The sector that is erased most often counts: it is nvm, once for each compaction; the two snapshot files take turns. A
board's file system writes its directory too when a snapshot is written; the emulated flash has no such sector.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ndks.driver.unit import Unit
from ndks.keys.generator import VectorGenerator
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks.network.network_file import Network
from ndks_emulator import MemoryFlash, MemoryUnit

RATED_ERASES = 100_000  # a sector: Winbond W25Q16JV, the flash of a Pico, program-erase cycles at least
MINUTE = 60.0
MOST = 12_000  # operations of a kind
_YEAR = 365.25 * 24 * 3600  # seconds
_TEXT = b"Meet me at noon."


class Wear(NamedTuple):
    """The erases that one operation costs the busiest sector."""

    operation: str
    erases: float  # of one operation

    def years(self, seconds: float) -> float:
        """Return how long the sector lasts with one operation every `seconds`."""
        return RATED_ERASES / self.erases * seconds / _YEAR


class Cable:
    """The transport of one session; the unit keeps its power when the cable is pulled."""

    unplugs = False

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit
        self.write, self.read = unit.write, unit.read

    def close(self) -> None:
        self._unit.unplug_host()


class WornUnit:
    """A unit at its own laptop, with counters of the erases of its flash."""

    def __init__(self, directory: Path, uid: bytes) -> None:
        self.flash = MemoryFlash(uid)
        self._unit = MemoryUnit(self.flash, make_generator=VectorGenerator)
        self._bindings = BindingStore(directory)

    @contextmanager
    def session(self) -> Iterator[Unit]:
        with Unit("memory", Link(Cable(self._unit), 1.0), self._bindings) as unit:
            yield unit

    def restart(self) -> None:
        self._unit.start()

    @property
    def erases(self) -> list[int]:
        """Return the erases of each sector so far."""
        return [sector.erases for sector in (self.flash.nvm, *self.flash.snapshots) if sector]


def members(directory: Path) -> tuple[WornUnit, WornUnit]:
    """Return two units of one network."""
    network = Network.new("wear")
    pair = WornUnit(directory / "a", bytes(8)), WornUnit(directory / "b", bytes(7) + b"\1")
    for each in pair:
        with each.session() as unit:
            network, lane = network.admit(unit.hello.serial_number, "")
            unit.bind(unit.provision(network, lane))
    return pair


def wear(most: int) -> list[Wear]:
    """Return the cost of each operation in a session of its own, as one command of `ndks` does it."""
    with tempfile.TemporaryDirectory() as directory:
        alice, bob = members(Path(directory))
        capsules: list[bytes] = []

        def take() -> None:
            with alice.session() as unit:
                unit.next_key(256)

        def seal() -> None:
            with alice.session() as unit:
                capsules.append(unit.seal(_TEXT))

        def unseal() -> None:
            with bob.session() as unit:
                unit.unseal(capsules.pop(0))

        def plug_in() -> None:
            alice.restart()
            take()

        return [
            measured("take the next key", alice, take, most),
            measured("plug in, take the next key", alice, plug_in, most),
            measured("encrypt a message", alice, seal, most),
            measured("decrypt a message", bob, unseal, most),
        ]


def measured(name: str, unit: WornUnit, operation: Callable[[], object], most: int) -> Wear:
    """Count the operations from one erase of the busiest sector to the next; 0 erases if there is none in time."""
    start = unit.erases
    counts: dict[int, int] = {}  # operations before so many erases
    for count in range(most):
        erases = max(now - before for before, now in zip(start, unit.erases, strict=True))
        counts.setdefault(erases, count)
        if erases == 2:
            return Wear(name, 1 / (counts[2] - counts[1]))
        operation()
    return Wear(name, 0.0)


def main(seconds: float = MINUTE, most: int = MOST) -> None:
    print(f"{RATED_ERASES:,} erases of a sector; one operation every {seconds:g} s, day and night")
    print(f"{'operation':28}{'for one erase':>15}{'years':>9}")
    for each in wear(most):
        if each.erases:
            print(f"{each.operation:28}{1 / each.erases:15.0f}{each.years(seconds):9.1f}")
        else:
            print(f"{each.operation:28}{'no erase':>15}{'-':>9}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
