# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a homologation is to do: its plan from the arguments of the command, and what is asked of people."""

import argparse
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from ndks.driver.finding import find_port
from ndks.exceptions import FileError
from ndks.line.transport import EMULATOR, is_url
from ndks.network.network_file import Network
from ndks_laboratory.homologation.experts.expert_finding import ExpertFinding
from ndks_laboratory.homologation.experts.waiting import wait_for_findings
from ndks_laboratory.homologation.networks.case import can_be_opened
from ndks_laboratory.homologation.networks.evidence import LEAST_UNITS
from ndks_laboratory.homologation.plan import (
    PCAP,
    PRIMAL_BITS,
    UNREVOKED,
    Experts,
    HomologationPlan,
    Sample,
    UnitPorts,
)
from ndks_laboratory.stages.cage import find_cage

from . import stdin
from .arguments import need
from .extras import need_extra
from .output import note

_NETWORK = "homologation"
_UNITS = "units"  # the directory of emulated units, in that of the report


def check_system(args: argparse.Namespace) -> None:
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


def plan_of(args: argparse.Namespace) -> HomologationPlan:
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


def say_what_will_not_be_shown(plan: HomologationPlan) -> None:
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
