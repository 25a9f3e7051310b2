# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One side's laptop: a process that asks its unit for keys and writes them down.

python -m ndks_laboratory.demo.laptop PORT DIR before|after
"""

import sys
from pathlib import Path

import ndks
from ndks.files import write_private

from .plan import AFTER_UNPLUG, BEFORE_UNPLUG, INTERRUPTED, STREAMING, SideFiles

_LOST_THE_UNIT = 0
_CABLE_STILL_IN = 1


def take_keys(unit: ndks.Unit, files: SideFiles, sizes: tuple[int, ...]) -> None:
    """Get the next key of each size; acknowledge it when it is on the disk."""
    for bits in sizes:
        epoch, index = unit.next_index()
        key = unit.key(index, bits, epoch=epoch)
        write_private(files.key(index, bits), key.data)
        unit.acknowledge(epoch, index)
        print(f"laptop: key {index}, {bits} bits", flush=True)


def until_unplugged(unit: ndks.Unit) -> int:
    """Stream a long key until the cable is pulled; it is not acknowledged."""
    epoch, index = unit.next_index()
    try:
        for number, _ in enumerate(unit.stream_key(index, INTERRUPTED, epoch=epoch)):
            if number == 0:
                print(STREAMING, index, flush=True)
    except ndks.UnitRemoved as error:
        print(f"laptop: {error}", flush=True)
        return _LOST_THE_UNIT
    return _CABLE_STILL_IN


def main(port: str, directory: str, phase: str) -> int:
    files = SideFiles(Path(directory))
    with ndks.open(port) as unit:
        if phase == "after":
            take_keys(unit, files, AFTER_UNPLUG)
            return 0
        take_keys(unit, files, BEFORE_UNPLUG)
        return until_unplugged(unit)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
