# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command doctor: a diagnosis of this computer for a bug report, without secrets."""

import argparse
import importlib.metadata
import os
import platform
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ndks
from ndks import times
from ndks.driver import finding
from ndks.driver.answers import HELD
from ndks.exceptions import FileError, NdksError, UsageError, reason
from ndks.laptop.bindings import BindingStore
from ndks.laptop.fingerprint import characteristics, differences
from ndks.laptop.homes import other_homes
from ndks.line import usb
from ndks.line.ports import listed_ports
from ndks.printable import printable
from ndks.shipped import UDEV_RULE, udev_advice
from ndks_protocol import MAJOR, MINOR

from .output import Output, error_values
from .parser import Parser, set_up

_LIBRARIES = ("pyserial", "pyusb", "libusb-package", "cryptography", "numpy", "filelock", "platformdirs")
_RULE_DIRECTORIES = ("/etc/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")


def add_doctor(parser: Parser) -> None:
    set_up(parser, "  ndks doctor\n  ndks doctor --json > report.json", doctor)


def doctor(_args: argparse.Namespace, out: Output) -> int:
    """Print the diagnosis; the exit status is 1 if it names problems."""
    problems: list[str] = []
    values: dict[str, Any] = {
        "versions": _versions(),
        "bindings": _bindings(problems),
        "ports": list(_ports(problems)),
        "usb": _usb(problems),
        "units": list(_units(problems)),
    }
    has_board = bool(values["usb"]) or any(port["product"] == usb.PRODUCT for port in values["ports"])
    values["udev_rule"] = _udev_rule(problems, has_board)
    values["problems"] = list(dict.fromkeys(problems))
    out.result(values, "\n".join(_screen(values)))
    return 1 if problems else 0


def _versions() -> dict[str, str]:
    own = {
        "ndks": ndks.__version__,
        "protocol": f"{MAJOR}.{MINOR}",
        "installed_in": str(Path(ndks.__file__).parent),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    return own | {library: importlib.metadata.version(library) for library in _LIBRARIES}


def _bindings(problems: list[str]) -> dict[str, Any]:
    try:
        store = BindingStore()
    except FileError as error:
        problems.append(_told(error))
        return {"directory": None, "exists": False, "units": [], "elsewhere": []}
    elsewhere = [str(path) for path in other_homes(store.directory)]
    if elsewhere:
        problems.append(f"{', '.join(elsewhere)} also has bindings, which this command does not read")
    units = [_bound_unit(store, serial_number, problems) for serial_number in _known_units(store, problems)]
    exists = store.directory.exists()
    return {"directory": str(store.directory), "exists": exists, "units": units, "elsewhere": elsewhere}


def _known_units(store: BindingStore, problems: list[str]) -> list[str]:
    """Return the serial numbers of the units that are bound here, after a check of the store."""
    try:
        store.check()
    except (NdksError, OSError) as error:
        problems.append(_told(error))
    try:
        return store.units()
    except FileError:  # told already
        return []


def _bound_unit(store: BindingStore, serial_number: str, problems: list[str]) -> dict[str, Any]:
    """Return the bindings of a unit, and how the laptop differs from them."""
    try:
        bindings = store.unit(serial_number).bindings
    except (NdksError, OSError) as error:
        problems.append(_told(error))
        return {"serial_number": serial_number, "binding_ids": [], "differences": []}
    changed: list[str] = []
    for binding in bindings:
        try:
            changed += differences(binding.characteristics, characteristics(with_network=binding.with_network))
        except UsageError as error:  # no network to look at
            changed.append(str(error))
    if changed:
        problems.append(f"unit {serial_number} will not open: this laptop has changed: {', '.join(changed)}")
    ids = [binding.binding_id for binding in bindings]
    return {"serial_number": serial_number, "binding_ids": ids, "differences": changed}


def _ports(problems: list[str]) -> Iterator[dict[str, Any]]:
    try:
        ports = listed_ports()
    except OSError as error:
        problems.append(reason(error))
        return
    for port in ports:
        is_unit = port.product == usb.PRODUCT
        is_allowed = os.access(port.device, os.R_OK | os.W_OK)
        if is_unit and not is_allowed:
            problems.append(f"you may not open {port.device}: {udev_advice()}")
        yield {
            "port": port.device,
            "product": port.product,
            "serial_number": port.serial_number,
            "may_be_opened": is_allowed,
            "owner": _owner(port.device),
        }


def _owner(device: str) -> str | None:
    """Return owner, group and mode of a device on POSIX systems."""
    try:
        path = Path(device)
        return f"{path.owner()}:{path.group()} {stat.filemode(path.stat().st_mode)}"
    except (OSError, KeyError, NotImplementedError):
        return None


def _usb(problems: list[str]) -> list[dict[str, Any]]:
    devices = usb.attached()
    problems.extend(usb.problems(devices))
    return [asdict(device) for device in devices]


def _units(problems: list[str]) -> Iterator[dict[str, Any]]:
    for found in finding.survey(times.LIST_TIMEOUT):
        unit: dict[str, Any] = {"port": found.candidate.port, "serial_number": found.candidate.serial_number}
        if found.problem:
            problems.append(f"unit at {found.candidate.port}: {_told(found.problem)}")
            yield unit | {"error": error_values(found.problem)}
            continue
        assert found.hello
        if flags := [flag for flag in found.hello.flags if flag != HELD]:
            problems.append(f"unit {found.hello.serial_number}: {', '.join(flags)}")
        if found.hello.firmware != ndks.__version__:
            problems.append(f"unit {found.hello.serial_number} has firmware {found.hello.firmware}: ndks deploy DRIVE")
        yield unit | {"bound_here": found.is_bound_here, "hello": asdict(found.hello)}


def _udev_rule(problems: list[str], has_board: bool) -> dict[str, Any]:
    """Return where the udev rule is installed that lets users open units on Linux."""
    installed = [path for folder in _RULE_DIRECTORIES if (path := Path(folder, UDEV_RULE.name)).is_file()]
    is_current = any(path.read_bytes() == UDEV_RULE.read_bytes() for path in installed)
    if has_board and not installed and sys.platform == "linux":
        problems.append(f"a board is attached, and the udev rule is not installed: {udev_advice()}")
    if installed and not is_current:
        problems.append(f"{installed[0]} is not the rule of this version: {udev_advice()}")
    return {"installed": [str(path) for path in installed], "is_current": is_current}


def _told(error: NdksError | OSError) -> str:
    if isinstance(error, NdksError):
        return f"{error.code}: {error}; {error.advice}"
    return f"{reason(error)}: {error.filename}"


def _screen(values: dict[str, Any]) -> Iterator[str]:
    yield from (f"{name:16}{value}" for name, value in values["versions"].items())
    bindings = values["bindings"]
    there = "" if bindings["exists"] else ", which does not exist"
    yield f"{'bindings':16}{printable(str(bindings['directory']))}{there}"
    for unit in bindings["units"]:
        bound = f"bound as {', '.join(unit['binding_ids'])}" if unit["binding_ids"] else "its binding cannot be read"
        yield f"{'  unit':16}{unit['serial_number']}, {bound}"
    rule = values["udev_rule"]
    yield f"{'udev rule':16}{', '.join(rule['installed']) or 'not installed; only boards need it, on Linux'}"
    yield f"{'ports':16}{len(values['ports'])}"
    for port in values["ports"]:
        allowed = "may be opened" if port["may_be_opened"] else "may not be opened"
        yield f"  {port['port']}: {printable(port['product'] or 'unknown device')}, {port['owner']}, {allowed}"
    yield f"{'units':16}{len(values['units'])}"
    for unit in values["units"]:
        hello, error = unit.get("hello"), unit.get("error")
        state = error["code"] if error else f"{hello['state']}, firmware {hello['firmware']}"
        yield f"  {unit['serial_number']} at {unit['port']}: {state}"
    yield f"{'problems':16}{len(values['problems']) or 'none found'}"
    yield from (f"  {printable(problem)}" for problem in values["problems"])
