# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command homologate: the test of blank units with adversaries (paper, section 4.1), and its verdict."""

import argparse
import contextlib
import os
import secrets
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ndks.driver.finding import find_port
from ndks.exceptions import FileError
from ndks.line.transport import EMULATOR, is_url
from ndks.network.network_file import Network
from ndks_laboratory.homologation.experts.expert_finding import ExpertFinding
from ndks_laboratory.homologation.experts.waiting import wait_for_findings
from ndks_laboratory.homologation.networks.case import can_be_opened
from ndks_laboratory.homologation.networks.evidence import LEAST_UNITS
from ndks_laboratory.homologation.plan import (
    FAULTS,
    PCAP,
    PRIMAL_BITS,
    UNREVOKED,
    Experts,
    HomologationPlan,
    Sample,
    UnitPorts,
)
from ndks_laboratory.stages.cage import find_cage
from ndks_protocol.commands import SUITES
from ndks_protocol.generator import MAX_ELEMENTS

from . import stdin
from .arguments import add_path, bounded, need, whole
from .extras import need_extra
from .output import Output, note, warn_of_suite
from .parser import Parser, set_up
from .progress import Bar

_NETWORK = "homologation"
_UNITS = "units"  # the directory of emulated units, in that of the report
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
        help="in place of --unit: so many emulated units, made in DIR/units",
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
    _check_system(args)
    from ndks_laboratory.homologation import documents, laboratory

    plan = _plan(args)
    warning = warn_of_suite(plan.network.suite)
    _say_what_will_not_be_shown(plan)
    try:
        with _Bars(visible=not args.json or sys.stderr.isatty()) as bars:
            homologation = laboratory.homologate(plan, bars.begin, note)
            bars.begin("report", 1)
            report = documents.write(homologation, _command(args, plan.seed), warning)
    except BaseException:
        with contextlib.suppress(OSError):  # keeps a directory that is not empty
            plan.directory.rmdir()
        raise
    page = plan.directory / "report.html"
    out.done({**report, "report": str(page)}, "\n".join(_screen(report, page)))
    return 0 if homologation.verdict.word == "APPROVED" else 1


def _check_system(args: argparse.Namespace) -> None:
    need_extra("homologation")
    need(hasattr(os, "setsid"), "this system lacks the sessions of processes that the two sides need", "use Linux")
    need(not (args.units and args.emulated), "--units makes units, and --unit names others", "leave out one of them")
    count = args.emulated or len(args.units)
    need(count > 1, "the test needs two or more units", "name them: --unit UNIT --unit UNIT, or --units 3")
    is_stolen = count >= LEAST_UNITS or args.fault != UNREVOKED
    need(is_stolen, "a unit is stolen and revoked in a network only", "name three units, or --units 3")
    need(len(args.flash) in (0, 2), "--flash must be given for both of the first two units or for none", "name two")
    for port in args.units:
        what = f"{port}: a unit on a network port cannot be in a cage, because its line is a channel"
        need(not is_url(port), what, "run it on a pseudo-terminal: ndks emulate DIR")


def _plan(args: argparse.Namespace) -> HomologationPlan:
    ports = _ports(args)
    need(len(set(ports)) == len(ports), "two ports lead to the same unit", "name different units")
    experts = _experts(args.expert_finding, args.output.absolute() / PCAP)
    network = Network.new(_NETWORK, p1=args.p1, p2=args.p2, digits=args.digits, suite=args.suite)
    directory = _new_directory(args.output)
    for port in ports if args.emulated else ():
        Path(port.removeprefix(EMULATOR)).parent.mkdir(exist_ok=True)
    sample = Sample(args.keys, args.long_bits, args.letters, args.primal_bits)
    seed = secrets.randbits(32) if args.seed is None else args.seed
    units = _units(args, ports)
    return HomologationPlan(units, directory, network, sample, seed, args.fault or "", experts)


def _ports(args: argparse.Namespace) -> list[str]:
    if args.emulated:
        return [f"{EMULATOR}{args.output.absolute() / _UNITS / str(number)}" for number in range(1, args.emulated + 1)]
    return [_absolute(find_port(unit)) for unit in args.units]


def _units(args: argparse.Namespace, ports: Sequence[str]) -> UnitPorts:
    first, second = ports[:2]
    flash = tuple(path.absolute() for path in args.flash) or (_flash_of(first), _flash_of(second))
    is_copied = bool(args.flash) and stdin.is_terminal() and not any(path.is_dir() for path in args.flash)
    need(flash[0] is None or flash[0] != flash[1], "both flashes are one file", "name one for each unit")
    for path in () if is_copied else args.flash:
        need(
            path.exists(),
            f"there is no {path}",
            "copy the flash there, or run this in a terminal, which asks for the copy",
        )
    copy = (lambda: _ask_for_copies((first, second), args.flash)) if is_copied else None
    return UnitPorts(tuple(ports), (flash[0], flash[1]), copy, _ask if stdin.is_terminal() else None)


def _experts(paths: Sequence[Path], record: Path) -> Experts:
    """Load the findings that exist; at a terminal, wait for the others later, when the tap's `record` is written."""
    missing = [path.absolute() for path in paths if not path.exists()]
    if missing:
        advice = "name an existing file, or run this in a terminal, which waits for it"
        need(stdin.is_terminal(), f"there is no {missing[0]}", advice)

    def hear(serial_numbers: Sequence[str]) -> list[ExpertFinding]:
        note(f"now give {record} to the experts")
        return wait_for_findings(missing, serial_numbers, note, stdin.read_line)

    known = tuple(ExpertFinding.load(path) for path in paths if path.exists())
    return Experts(known, hear if missing else None)


def _ask(what: str) -> None:
    note(f"{what}. Press Enter when it is done")
    stdin.read_line()


def _ask_for_copies(ports: Sequence[str], paths: Sequence[Path]) -> None:
    for port, path in zip(ports, paths, strict=True):
        note(f"now copy the flash of the unit at {port} to {path}, and plug the unit in again at the same port")
    note("the units keep their state. Press Enter when both copies exist")
    stdin.read_line()


def _say_what_will_not_be_shown(plan: HomologationPlan) -> None:
    """Warn before the test of everything that already prevents approval."""
    ports = plan.units.ports
    is_network = len(ports) >= LEAST_UNITS
    if None in plan.units.flash:
        which = "R22 and R34" if is_network else "R22"
        note(f"WARNING: no flash can be read (--flash): {which} will not be shown, and the units will not be approved")
    if is_network and not any(can_be_opened(port, plan.units) for port in ports):
        note("WARNING: no case can be opened (run this in a terminal, which asks for it): R35 will not be shown")
    if plan.sample.primal_bits < PRIMAL_BITS:
        note(f"WARNING: the longest key has fewer than {PRIMAL_BITS:,} bits: R14 will not be shown")
    if not find_cage():
        note("WARNING: this system permits no network namespaces (unshare): the absence of a channel will not be shown")


def _absolute(port: str) -> str:
    """Return an absolute port; links are not resolved, because their targets may change."""
    if port.startswith(EMULATOR):
        return f"{EMULATOR}{Path(port.removeprefix(EMULATOR)).absolute()}"
    return str(Path(port).absolute()) if Path(port).exists() else port


def _flash_of(port: str) -> Path | None:
    return Path(port.removeprefix(EMULATOR)) if port.startswith(EMULATOR) else None


def _new_directory(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise FileError(f"{path} is not empty", "name a new directory")
    return path.resolve()


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


def _screen(report: dict[str, Any], page: Path) -> list[str]:
    rows = [f"{row['verdict']:10}  {row['id']:4} {row['text']}" for row in report["requirements"]]
    attacks = [
        f"{_outcome(finding):10}  {finding['label']:4} {finding['adversary']} ({_time(finding['seconds'])})"
        for finding in report["targets"][0]["findings"]
    ]
    controls = [
        f"{'expected' if target['as_expected'] else 'UNEXPECTED':10}  {target['name']}, which {target['role']}"
        for target in report["targets"][1:]
    ]
    reasons = [f"  {reason}" for reason in report["reasons"]]
    return [*rows, "", *attacks, "", *controls, "", f"report: {page}", f"verdict: {report['verdict']}", *reasons]


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 3600 else f"{seconds / 3600:.3g} h"


def _outcome(finding: dict[str, Any]) -> str:
    return {True: "BROKEN", False: "withstood", None: "not shown"}[finding["succeeded"]]


def _between(least: int, most: int) -> Callable[[str], int]:
    return lambda text: bounded(text, least, most, f"must be {least} to {most}")


class _Bars:
    """A progress bar for each step on stderr, or a line if that is not a terminal."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._bar: Bar | None = None

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
        self._bar = Bar(total=total, desc=what, unit_scale=True, leave=True, file=sys.stderr)
        return self._bar.update
