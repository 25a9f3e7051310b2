# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1 with keys kept in files: the cable is pulled during one of them."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import ndks
from ndks.exceptions import CheckFailed
from ndks.whole_file import write_private
from ndks_laboratory.outcome import Check, Outcome

from .no_channel import Cages, run_in_cages
from .plugging import open_unit, plugged_in
from .processes import log
from .sides import Side


@dataclass(frozen=True)
class SharedKey:
    """A key of both sides by fingerprint, the first 8 bytes of its SHA-256; "" for a missing key."""

    index: int
    bits: int
    fingerprints: tuple[str, str]

    @property
    def same(self) -> bool:
        return bool(self.fingerprints[0]) and self.fingerprints[0] == self.fingerprints[1]


@dataclass(frozen=True)
class KeptKeys:
    """The results of stage 1 with kept keys."""

    cages: Cages
    keys: tuple[SharedKey, ...]
    checks: tuple[Check, ...]


def run_with_keys(sides: Sequence[Side], before: Sequence[int], cut_off: int, after: Sequence[int]) -> KeptKeys:
    """Run stage 1: the sides take keys of the sizes `before`, lose the cable during a key of `cut_off` bits, and then
    take keys of the sizes `after`. They run emulated units themselves (`pty:`). CheckFailed if a side fails.
    """
    cages = run_in_cages(sides, ("keep", {"before": before, "cut_off": cut_off, "after": after}))
    names = sorted({path.name for side in sides for path in side.keys.iterdir()})
    keys = tuple(_shared_key(sides, name) for name in names)
    return KeptKeys(cages, keys, _check_keys([found["interrupted"] for found in cages.evidence], keys))


def keep_keys(side: Side, before: Sequence[int], cut_off: int, after: Sequence[int]) -> dict[str, Any]:
    """Take keys as a laptop in a cage does; return the index of the interrupted key as evidence."""
    side.keys.mkdir(mode=0o700)
    with plugged_in(side) as (port, pull), ndks.open(port) as unit:
        _take(unit, side, before)
        interrupted = _until_unplugged(unit, cut_off, pull)
    with open_unit(side) as unit:
        _take(unit, side, after)
    return {"interrupted": interrupted}


def _take(unit: ndks.Unit, side: Side, sizes: Sequence[int]) -> None:
    """Take the next key of each size, and acknowledge it when it is on the disk."""
    for bits in sizes:
        with unit.taking_key(bits) as key:
            write_private(side.keys / f"{key.index:03d}-{bits}.key", key.read().data)
        log(f"key {key.index}, {bits} bits")


def _until_unplugged(unit: ndks.Unit, bits: int, pull: Callable[[], None]) -> int:
    """Read a key until the cable is pulled, and return its index; the key is not acknowledged."""
    index = 0
    with contextlib.suppress(ndks.UnitRemoved), unit.taking_key(bits) as key:
        index = key.index
        for _ in key.blocks():
            pull()
        raise CheckFailed(f"key {index} was complete before the cable was pulled", "choose a longer key")
    log(f"cable pulled in the middle of key {index}")
    return index


def _shared_key(sides: Sequence[Side], name: str) -> SharedKey:
    index, bits = map(int, name.removesuffix(".key").split("-"))
    paths = [side.keys / name for side in sides]
    one, other = (sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else "" for path in paths)
    return SharedKey(index, bits, (one, other))


def _check_keys(interrupted: Sequence[int], keys: Sequence[SharedKey]) -> tuple[Check, ...]:
    different = ", ".join(str(key.index) for key in keys if not key.same)
    indices = [key.index for key in keys]
    once = len({key.fingerprints[0] for key in keys}) == len(keys) and indices == list(range(1, len(keys) + 1))
    again = len(set(interrupted)) == 1 and set(interrupted) <= set(indices)
    return (
        Check("both sides hold the same keys", Outcome.of(not different, different and f"different: {different}")),
        Check("no key was given twice", Outcome.of(once)),
        Check("the interrupted key was given again", Outcome.of(again)),
    )
