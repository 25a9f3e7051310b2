# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command emulate with a chip: the firmware of a board, on an emulated RP2040."""

import argparse
import contextlib
from functools import partial
from typing import Any

from ndks.board import chips
from ndks.line.emulated import need_parent

from .emulated_lines import check_line, open_line, serve
from .output import Output, note

_REAL_TIME = 1.0


def emulate_chip(args: argparse.Namespace, out: Output) -> None:
    """Run the chip in a directory until a signal ends it; make it, if an image is named and the directory is empty."""
    chips.need_ndks_chip()
    from ndks_emulator.chip.running_chip import RunningChip

    check_line(args)
    image = chips.read_image(args.chip) if args.chip else None
    need_parent(args.directory)
    with chips.open_chip(args.directory, create=image is not None) as directory, contextlib.ExitStack() as stack:
        chips.install(directory, image, note)
        console: Any = None
        if args.console:
            console = open_line(None, args.console)
            stack.callback(console.close)
        values = {"console": str(args.console)} if args.console else {}
        run = partial(RunningChip, directory, console, args.speed or _REAL_TIME)
        serve(args, out, directory, "chip", run, **values)
