# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A process that runs a unit of a test: commands on stdin, an answer on stdout for each. It ends with its stdin.

python -m ndks_pytest.process DIRECTORY LINK [IMAGE]
"""

import os
import sys
import threading
from pathlib import Path

from ndks.keys.generator import VectorGenerator
from ndks_emulator import PortLink, Powered, PtyLine, RunningUnit, UnitDirectory
from ndks_emulator.control import answer


def main(directory: Path, link: Path, image: Path | None = None) -> None:
    line = PtyLine(PortLink(link))
    unit = _chip(directory, line, image) if image else _unit(directory, line)
    threading.Thread(target=_obey, args=(unit,), daemon=True).start()
    print(link, flush=True)  # noqa: T201 (tells that the port can be opened)
    unit.serve()


def _unit(directory: Path, line: PtyLine) -> Powered:
    return RunningUnit(UnitDirectory(directory, create=False), VectorGenerator, line)


def _chip(directory: Path, line: PtyLine, image: Path) -> Powered:
    from ndks.board import chips
    from ndks_emulator.chip.running_chip import RunningChip

    opened = chips.open_chip(directory, create=True)
    chips.install(opened, chips.read_image(image), lambda _: None)
    return RunningChip(opened, None, float("inf"), line)


def _obey(unit: Powered) -> None:
    for command in sys.stdin:
        print(answer(unit, command.strip()), flush=True)  # noqa: T201 (is the answer)
    os._exit(0)  # pytest has ended; the main thread serves for ever


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
