# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command homologate: the test of blank units with adversaries (paper, section 4.1), and its verdict."""

import argparse
import contextlib
import shlex
import sys
from collections.abc import Callable

from ndks_laboratory.homologation.plan import FAULTS, PRIMAL_BITS
from ndks_protocol.commands import SUITES
from ndks_protocol.generator import MAX_ELEMENTS

from .arguments import add_path, bounded, whole
from .homologation_plan import check_system, plan_of, say_what_will_not_be_shown
from .homologation_screen import Bars, screen
from .output import Output, note, warn_of_suite
from .parser import Parser, set_up

_MOST_EMULATED = 16


def add_homologate(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, homologate)
    parser.set_defaults(resume_advice="repeat with a new directory; all units but those named above are blank again")
    parser.add_argument(
        "--unit",
        metavar="UNIT",
        dest="units",
        action="append",
        default=[],
        help="port of a blank unit; give two or more; three or more are a network",
    )
    parser.add_argument(
        "--units",
        metavar="N",
        dest="emulated",
        type=_between(2, _MOST_EMULATED),
        help="in place of --unit: this many emulated units, made in DIR/units",
    )
    add_path(parser, "-o", "--output", metavar="DIR", required=True, help="a new directory for report and evidence")
    _add_network(parser)
    _add_evidence(parser)
    _add_sizes(parser)
    parser.add_argument(
        "--seed", metavar="N", type=_between(0, 1 << 64), help="seed of the adversaries (default: random)"
    )
    parser.add_argument(
        "--fault",
        choices=FAULTS,
        help="p1: alter one decimal of p1 in Bob's copy; tamper: flip a bit on the line; unrevoked: do not revoke the "
        "stolen unit, of three or more; the units must then fail",
    )


def _add_network(parser: Parser) -> None:
    parser.add_argument("--suite", choices=SUITES, default="hybrid", help="suite of the test network (default: hybrid)")
    parser.add_argument("--digits", metavar="D", type=whole, default=3, help="d of the test network (default: 3)")
    parser.add_argument("--p1", metavar="P1", help="p1 of the test network (default: random, 40 decimals)")
    parser.add_argument("--p2", metavar="P2", help="p2 of the test network (default: random, 40 decimals)")


def _add_evidence(parser: Parser) -> None:
    add_path(
        parser,
        "--flash",
        metavar="PATH",
        action="append",
        default=[],
        help="where to read the flash of each of the first two units, or a file for the copy that you will be asked "
        "for (default: that of an emulated unit)",
    )
    add_path(
        parser,
        "--expert-finding",
        metavar="FILE",
        action="append",
        default=[],
        help="what a human expert decoded (docs/homologation.md has the schema); if FILE does not exist yet, the test "
        "waits for it",
    )


def _add_sizes(parser: Parser) -> None:
    numbers = (
        ("--keys", 10, 100_000, 2000, "keys for the adversaries; fewer than 2000 are too few for a verdict"),
        ("--long-bits", 1 << 16, 1 << 27, 1 << 22, "bits of a long key for them, at least 64 * 10^(d/2)"),
        (
            "--primal-bits",
            1 << 16,
            MAX_ELEMENTS,
            PRIMAL_BITS,
            "bits of the longest key, by default as in table 2 of the paper",
        ),
        ("--letters", 16, 10_000, 64, "messages in stage 2"),
    )
    for name, least, most, default, text in numbers:
        kind, metavar = _between(least, most), "N" if name in ("--keys", "--letters") else "BITS"
        parser.add_argument(name, metavar=metavar, type=kind, default=default, help=f"{text} (default: {default})")


_EXAMPLES = """\
  ndks homologate --unit emulator:a --unit emulator:b -o report      two emulated units, created if missing
  ndks homologate --unit emulator:a --unit emulator:b -o paper --suite paper
                                     the paper's own suite: NOT APPROVED, with reasons
  ndks homologate --unit emulator:a --unit emulator:b -o fault --fault p1
                                     shows that the test can fail
  ndks homologate --unit /dev/ttyACM0 --unit /dev/ttyACM1 -o report --flash a.bin --flash b.bin
                                     asks for copies of both flashes while the units are members
  ndks homologate --unit emulator:a --unit emulator:b --unit emulator:c -o report
                                     compares the keys of all, attacks the first two, then the network of all
  ndks homologate --units 3 -o report
                                     the same with three new emulated units
  ndks homologate --unit emulator:a --unit emulator:b -o report --expert-finding ada.json
                                     waits for the finding of a human expert, and judges it

exit status: 0 only if the verdict is APPROVED; the units are blank again at the end"""


def homologate(args: argparse.Namespace, out: Output) -> int:
    check_system(args)
    from ndks_laboratory.homologation import documents, laboratory

    plan = plan_of(args)
    warning = warn_of_suite(plan.network.suite)
    say_what_will_not_be_shown(plan)
    try:
        with Bars(visible=not args.json or sys.stderr.isatty()) as bars:
            homologation = laboratory.homologate(plan, bars.begin, note)
            bars.begin("report", 1)
            report = documents.write(homologation, _command(args, plan.seed), warning)
    except BaseException:
        with contextlib.suppress(OSError):  # keeps a directory that is not empty
            plan.directory.rmdir()
        raise
    page = plan.directory / "report.html"
    out.done({**report, "report": str(page)}, "\n".join(screen(report, page)))
    return 0 if homologation.verdict.word == "APPROVED" else 1


def _command(args: argparse.Namespace, seed: int) -> str:
    """Return a command that repeats the test, without the parameters of the network, which the report names."""
    units = ["--units", str(args.emulated)] if args.emulated else []
    words = ["ndks", "homologate", *units, *(word for port in args.units for word in ("--unit", port))]
    words += ["-o", str(args.output), "--suite", args.suite, "--digits", str(args.digits)]
    words += [word for path in args.flash for word in ("--flash", str(path))]
    words += ["--keys", str(args.keys), "--long-bits", str(args.long_bits), "--letters", str(args.letters)]
    words += [word for path in args.expert_finding for word in ("--expert-finding", str(path))]
    words += ["--primal-bits", str(args.primal_bits), "--seed", str(seed)]
    words += ["--fault", args.fault] if args.fault else []
    return shlex.join(words)


def _between(least: int, most: int) -> Callable[[str], int]:
    return lambda text: bounded(text, least, most, f"must be {least} to {most}")
