# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure `ndks encrypt FOLDER` and `ndks decrypt` with empty files, 100 in each folder and all in one folder.

python tests/benchmarks/many_files.py [FILES]    1000000

CPU time in microseconds a file, from the start of a command to its end, and its memory. The units are emulated, in the
process of `ndks`. A file system needs four times as many inodes as there are files.
"""

import sys
import tempfile
import time
from pathlib import Path

from folders import COMMANDS, make_units, measured


def main(files: int) -> None:
    print(f"{files} files{'':14}CPU us a file     s   MB")
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:  # all of them stay to the end: folders.check
        for layout, in_one in (("100 in a folder", 100), ("all in one folder", files)):
            place = Path(name) / layout
            for first in range(0, files, in_one):
                make_files(place / "folder" / f"{first // in_one:x}", first, min(first + in_one, files))
            make_units(place)
            for way, command in zip(("encrypt", "decrypt"), COMMANDS["ndks"], strict=True):
                begun = time.monotonic()
                seconds, memory = measured(command, place)
                taken = time.monotonic() - begun
                print(f"{layout:18}{way}{seconds / files * 1e6:15.0f}{taken:6.0f}{memory:5.0f}", flush=True)
            if sum(1 for path in (place / "out").glob("*/*")) != files:
                raise SystemExit("files are missing")


def make_files(folder: Path, first: int, end: int) -> None:
    folder.mkdir(parents=True)
    for number in range(first, end):
        (folder / f"{number:x}").touch()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]) if sys.argv[1:] else [1_000_000])
