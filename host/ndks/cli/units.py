# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands list, info and eject."""

import argparse
from dataclasses import asdict
from typing import Any

import ndks
from ndks import times
from ndks.driver import finding
from ndks.driver.answers import Status
from ndks.driver.unit import Unit
from ndks.exceptions import FileError
from ndks.line import usb
from ndks_protocol.errors import RANGE

from .arguments import add_unit
from .output import Output, error_values, note, operator_rows, report, warn_of_suite
from .parser import Parser, set_up


def add_list(parser: Parser) -> None:
    set_up(parser, "  ndks list\n  ndks list --json", list_units)


def add_info(parser: Parser) -> None:
    set_up(parser, _INFO_EXAMPLES, info)
    add_unit(parser)


def add_eject(parser: Parser) -> None:
    set_up(parser, _EJECT_EXAMPLES, eject)
    add_unit(parser)


_INFO_EXAMPLES = "  ndks info\n  ndks info --unit /dev/ttyACM0 --json\n  ndks info --unit emulator:alice"
_EJECT_EXAMPLES = """\
  ndks eject         optional: keeps up to 64 message numbers that a power cut would skip"""


def list_units(args: argparse.Namespace, out: Output) -> None:
    found = finding.survey(times.LIST_TIMEOUT)
    devices = usb.attached()
    for problem in usb.problems(devices):
        note(problem)
    for error in {str(unit.problem): unit.problem for unit in found if isinstance(unit.problem, FileError)}.values():
        report(error.code, str(error), error.advice)
    values = {"units": [_found_values(unit) for unit in found], "usb": [asdict(device) for device in devices]}
    out.result(values, "\n".join(map(_found_line, found)) or "no unit is attached, and no emulated unit runs")


def info(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        values = _unit_values(unit, _status(unit, out))
    out.result({**values, **warn_of_suite(values["status"]["suite"])}, _unit_text(values))


def _status(unit: Unit, out: Output) -> Status:
    try:
        return unit.status()
    except ndks.NdksError as error:  # the state without a session is shown in any case
        report(error.code, str(error), out.advised(error.advice))
        return unit.status(unlock=False)


def eject(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        unit.eject()
        serial_number = unit.hello.serial_number
    out.done({"serial_number": serial_number}, f"unit {serial_number} can be unplugged")


def _found_values(found: finding.Found) -> dict[str, Any]:
    values: dict[str, Any] = {"port": found.candidate.port, "serial_number": found.candidate.serial_number}
    values |= {"emulated_in": found.candidate.directory} if found.candidate.directory else {}
    if found.problem:
        return values | {"error": error_values(found.problem)}
    assert found.hello
    assert found.status
    values |= {"bound_here": found.is_bound_here}
    return values | {"hello": asdict(found.hello), "status": asdict(found.status)}


def _found_line(found: finding.Found) -> str:
    state = f"{found.problem.code}: {found.problem}" if found.problem else ""
    if isinstance(found.problem, FileError):  # of the store, about all of its units
        state = "binding unreadable"
    if found.hello:
        state = f"{found.hello.state}, bound to this laptop" if found.is_bound_here else found.hello.state
    where = f", emulated in {found.candidate.directory}" if found.candidate.directory else ""
    return f"{found.candidate.serial_number}  {found.candidate.port}  {state}{where}"


def _unit_values(unit: Unit, status: Status) -> dict[str, Any]:
    values: dict[str, Any] = {"port": unit.port, "hello": asdict(unit.hello), "status": asdict(status)}
    values |= {"bound_here": unit.is_bound_here} | ({"went_back": True} if unit.went_back else {})
    return values | (_next_index(unit) if status.state == "provisioned" else {})


def _next_index(unit: Unit) -> dict[str, int | None]:
    try:
        return {"next_index": unit.next_index()[1]}
    except ndks.UnitBusy:  # a client of the same service takes that key
        return {}
    except ndks.DeviceError as error:
        if error.number != RANGE:
            raise
        return {"next_index": None}  # all indices are used up


def _unit_text(values: dict[str, Any]) -> str:
    hello, status = values["hello"], values["status"]
    rows = [
        ("unit", f"{hello['serial_number']} at {values['port']}"),
        ("firmware", f"{hello['firmware']} (protocol {hello['major']}.{hello['minor']})"),
        ("state", ", ".join([status["state"], *(flag.upper() for flag in status["flags"])])),
    ]
    if hello["state"] == "locked":
        where = "this laptop" if values["bound_here"] else "another laptop, or still to its transport code"
        rows += [("bound to", f"{where}, id {hello['binding_id']}")]
    if status["state"] == "provisioned":
        rows += [
            (
                "network",
                f"{status['network']}, id {status['network_id']}, epoch {status['epoch']}, lane {status['lane']}",
            ),
            ("suite", f"{status['suite']}, cipher {status['cipher']}, d = {status['digits']}"),
            *operator_rows(status["f1"], status["f2"]),
            ("next key", str(values.get("next_index", "being taken") or "none left")),
            ("messages", f"{status['message_counter']} encrypted"),
        ]
    rows += [
        ("record log", f"{status['log_used']} of {status['log_size']} bytes, {status['erases']} erases so far"),
        ("starts", f"{status['boots']}, the last by {status['reset_reason']}"),
        ("attempts", f"{status['wrong_attempts']} wrong since the last correct one"),
        ("free memory", f"{status['free_memory']} bytes" if status["free_memory"] else "not limited"),
        ("bad frames", str(status["dropped_frames"])),
    ]
    return "\n".join(f"{name:12}{value}" for name, value in rows)
