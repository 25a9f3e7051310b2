# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure the firmware on an emulated chip: an earlier version and this one, or a long run of this one.

NDKS_UF2 names the image of CircuitPython for the Raspberry Pi Pico, a .uf2 file. If the .elf file of its build is
beside it, the table has the rows that need addresses of its functions and variables; the others need the image only.
"""

import argparse
import datetime
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.pages import SPEED, write_into
from ndks_chip import BadImage, read_uf2
from ndks_chip.layout import version_of

from .chance import same_chance
from .chip_unit import UID, new_flash
from .drives import CLONE, checkout, deployed, described
from .functions import functions_text
from .measures import Say, measure
from .report import Report, Version, soak_text
from .soak import soak
from .symbols import Symbols

BEFORE = "c8510a7"  # the last version with sessions of protocol 2.0


class Bench:
    """An image, and the versions of the firmware that run on it."""

    def __init__(self, path: Path) -> None:
        self._image = read_uf2(path)
        self.symbols = Symbols(path.with_suffix(".elf"))
        self._about = version_of(self._image)

    def compared(self, before: str) -> Report:
        with checkout(before) as clone:
            versions = self._measured("before", described(before), clone), self._measured("now", described(), CLONE)
        return Report(_today(), self._about, versions)

    def soaked(self) -> str:
        flash = self.flash(CLONE)
        with same_chance():
            stages = list(soak(flash, self.symbols, _progress("soak")))
        return f"Run on {_today()} with {self._about}, firmware {described()}.\n\n{soak_text(stages)}"

    def functions(self) -> str:
        return functions_text(self.flash(CLONE), self.symbols)

    def _measured(self, name: str, commit: str, clone: Path) -> Version:
        return Version(name, commit, measure(self.flash(clone), self.symbols, _progress(name)))

    def flash(self, clone: Path) -> bytearray:
        boot_out = f"{self._about}\r\nBoard ID:raspberry_pi_pico\r\nUID:{UID.hex().upper()}\r\n"
        return new_flash(self._image, deployed(clone, boot_out))


def _today() -> datetime.date:
    return datetime.datetime.now(tz=datetime.UTC).date()


def _progress(name: str) -> Say:
    started = time.monotonic()
    return lambda what: print(f"{time.monotonic() - started:5.0f} s  {name}: {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chip-bench", description=__doc__)
    parser.add_argument("--before", metavar="REF", default=BEFORE, help="the earlier version (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON, in place of the table")
    parser.add_argument("--soak", action="store_true", help="run 10,000 requests of all kinds with this version only")
    parser.add_argument("--functions", action="store_true", help="print in which functions of the image time is spent")
    return parser


def run(bench: Bench, arguments: argparse.Namespace) -> str:
    """Write into the page what was asked for; return what is to be printed."""
    if arguments.functions:
        return bench.functions()
    if arguments.soak:
        text = bench.soaked()
        write_into(SPEED, "chip-soak", text)
        return text
    report = bench.compared(arguments.before)
    write_into(SPEED, "chip-bench", report.as_text())
    return report.as_json() if arguments.json else report.as_text()


def main() -> int:
    arguments = _parser().parse_args()
    image = os.environ.get("NDKS_UF2")
    if not image:
        print("chip-bench: it needs an image. Do: NDKS_UF2=firmware.uf2 make chip-bench", file=sys.stderr)
        return 2
    try:
        print(run(Bench(Path(image)), arguments))
    except (BadImage, OSError) as error:
        print(f"chip-bench: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:  # its message stands above
        print(f"chip-bench: failed: {' '.join(error.cmd)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
