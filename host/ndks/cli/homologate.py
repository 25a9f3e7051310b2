# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""homologate: test two blank units as the paper's section 4.1 has it, with attackers, and give a verdict."""

import argparse
import importlib.util
import os
import secrets
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ndks.exceptions import FileError
from ndks.network import Network
from ndks.transport import EMULATOR
from ndks_protocol.commands import SUITES

from .arguments import add_command, add_path, need
from .output import Output, note, warn_of_suite

if TYPE_CHECKING:
    from ndks.homologation.laboratory import Plan

_EXTRA = ("scipy", "numba", "matplotlib", "jinja2", "dpkt")
_FAULTS = ("p1", "tamper")
_NETWORK = "homologation"


def add_commands(subparsers: Any) -> None:
    parser = add_command(
        subparsers, "homologate", "test two blank units, attack them, and give a verdict", _EXAMPLES, homologate
    )
    parser.add_argument("--unit", metavar="UNIT", action="append", default=[], help="port of a blank unit; twice")
    add_path(parser, "-o", "--output", metavar="DIR", required=True, help="a new directory for report and evidence")
    parser.add_argument("--suite", choices=SUITES, default="hybrid", help="of the test network (default: hybrid)")
    parser.add_argument("--digits", metavar="D", type=int, default=3, help="d of the test network (default: 3)")
    parser.add_argument("--p1", metavar="P1", help="p1 of the test network (default: random, 40 decimals)")
    parser.add_argument("--p2", metavar="P2", help="p2 of the test network (default: random, 40 decimals)")
    parser.add_argument(
        "--flash",
        metavar="PATH",
        type=Path,
        action="append",
        default=[],
        help="where the flash of a unit can be read, a file or directory; once for each (default: an emulated unit's)",
    )
    parser.add_argument("--keys", metavar="N", type=_at_least(10), default=2000, help="for attackers (default: 2000)")
    parser.add_argument(
        "--long-bits", metavar="BITS", type=_at_least(1 << 16), default=1 << 22, help="of a long key, for statistics"
    )
    parser.add_argument(
        "--primal-bits", metavar="BITS", type=_at_least(8), default=192_000_000, help="of the longest key (table 2)"
    )
    parser.add_argument("--letters", metavar="N", type=_at_least(16), default=64, help="messages in stage 2")
    parser.add_argument("--seed", metavar="N", type=_at_least(0), help="of what attackers draw (default: random)")
    parser.add_argument(
        "--fault",
        choices=_FAULTS,
        help="p1: alter one decimal in Bob's copy; tamper: flip a bit on the line; must not be approved",
    )


_EXAMPLES = """\
  ndks homologate --unit /dev/ttyACM0 --unit /dev/ttyACM1 -o report
  ndks homologate --unit emulator:a --unit emulator:b -o report      two emulated units, made when missing
  ndks homologate --unit emulator:a --unit emulator:b -o paper --suite paper
                                     the paper's own suite: NOT APPROVED, and why
  ndks homologate --unit emulator:a --unit emulator:b -o fault --fault p1
                                     shows that the test can fail
  ndks homologate --unit /dev/ttyACM0 --unit /dev/ttyACM1 -o report --flash a.bin --flash b.bin
                                     with copies of both flashes, such as picotool save makes

exit status: 0 only if the verdict is APPROVED; the units are blank again at the end"""


def homologate(args: argparse.Namespace, out: Output) -> int:
    plan = _plan(args)
    warning = warn_of_suite(plan.network.suite)
    from ndks.homologation import documents, laboratory

    with _Bars(visible=not args.json or sys.stderr.isatty()) as bars:
        homologation = laboratory.homologate(plan, bars.begin)
        bars.begin("report", 1)
        report = documents.write(homologation, _command(args))
    page = plan.directory / "report.html"
    values = {**report, **warning, "report": str(page)}
    out.result(values, "\n".join(_screen(report, page)))
    return 0 if homologation.verdict == "APPROVED" else 1


def _plan(args: argparse.Namespace) -> "Plan":
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    need(not missing, f"what a laboratory needs is not installed: {', '.join(missing)}", _INSTALL)
    need(hasattr(os, "setsid"), "the sides are processes of a kind that this system does not have", "use Linux")
    need(len(args.unit) == 2, "two units are tested", "name both: --unit UNIT --unit UNIT")
    need(len(args.flash) in (0, 2), "a flash is named for both units or none", "add another --flash")
    for port in args.unit:
        what = "a unit behind TCP cannot be taken into a cage: its line is a channel"
        need(not port.startswith("socket:"), what, "let it run on a pseudo-terminal: ndks emulate DIR")
    from ndks.homologation.laboratory import Plan

    network = Network.new(_NETWORK, p1=args.p1, p2=args.p2, digits=args.digits, suite=args.suite)
    ports = tuple(map(_absolute, args.unit))
    return Plan(
        (ports[0], ports[1]),
        _new_directory(args.output),
        network,
        secrets.randbits(32) if args.seed is None else args.seed,
        args.keys,
        args.long_bits,
        args.letters,
        args.primal_bits,
        tuple(path.resolve() for path in args.flash) or _flash_of(ports),
        args.fault == "p1",
        args.fault == "tamper",
    )


_INSTALL = "in a clone: make homologate; else: pip install 'ndks[homologation]'"


def _absolute(port: str) -> str:
    """Return the port as processes in other directories can use it."""
    if port.startswith(EMULATOR):
        return f"{EMULATOR}{Path(port.removeprefix(EMULATOR)).resolve()}"
    return str(Path(port).resolve()) if Path(port).exists() else port


def _flash_of(ports: tuple[str, ...]) -> tuple[Path, ...]:
    if all(port.startswith(EMULATOR) for port in ports):
        return tuple(Path(port.removeprefix(EMULATOR)) for port in ports)
    return ()


def _new_directory(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise FileError(f"{path} is not empty", "name a new directory")
    return path.resolve()


def _command(args: argparse.Namespace) -> str:
    return shlex.join(["ndks", *sys.argv[1:]]) if args else ""


def _screen(report: dict[str, Any], page: Path) -> list[str]:
    rows = [f"{row['verdict']:10}  {row['id']:4} {row['text']}" for row in report["requirements"]]
    attacks = [
        f"{_outcome(finding):10}  {finding['label']:4} {finding['attacker']} ({finding['seconds']:.2g} s)"
        for finding in report["targets"][0]["findings"]
    ]
    controls = [
        f"{'expected' if target['as_expected'] else 'UNEXPECTED':10}  {target['name']}, which {target['role']}"
        for target in report["targets"][1:]
    ]
    reasons = [f"  {reason}" for reason in report["reasons"]]
    return [*rows, "", *attacks, "", *controls, "", f"report: {page}", f"verdict: {report['verdict']}", *reasons]


def _outcome(finding: dict[str, Any]) -> str:
    return {True: "BROKEN", False: "withstood", None: "not run"}[finding["succeeded"]]


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    return number


class _Bars:
    """A progress bar for each step, on stderr; without a terminal, a line for each."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, what: str, total: int) -> Callable[[int], object]:
        self.__exit__()
        if not sys.stderr.isatty():
            if self._visible:
                note(what)
            return lambda _: None
        self._bar = tqdm(total=total, desc=what, unit_scale=True, leave=True, file=sys.stderr)
        return self._bar.update
