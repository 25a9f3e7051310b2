# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command service: run one, show those that run, release a port."""

import argparse
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ndks
from ndks import times
from ndks.exceptions import NdksError, UnitBusy, UsageError
from ndks.line.discovery import ENVIRONMENT
from ndks.line.services import SCOPES, may_use, service_directories, socket_in
from ndks.line.transport import SERVICE

from .arguments import add_unit, bounded
from .log import show_news
from .output import Output, error_values, is_stdout_open, note
from .parser import Parser, add_command, add_group, show_examples

_SILENCE = 5.0  # seconds without an answer, after which a unit hangs: shorter than the patience of clients
_RELEASE = 60  # seconds
_LONGEST_RELEASE = 3600


def add_service(parser: Parser) -> None:
    show_examples(parser, _EXAMPLES)
    add_unit(parser)
    kinds = add_group(parser)
    parser.set_defaults(handler=serve)
    add_command(kinds, "status", "show the services that run here, and their sockets", _STATUS_EXAMPLES, show_services)
    release_help = "let a service close the port of its unit for a while, for other programs"
    parser = add_command(kinds, "release", release_help, _RELEASE_EXAMPLES, release)
    parser.add_argument(
        "seconds", metavar="SECONDS", nargs="?", type=_seconds, default=_RELEASE, help=f"default: {_RELEASE}"
    )
    add_unit(parser)


_EXAMPLES = """\
  ndks service --unit /dev/ttyACM0     from now on, ndks key and all others use the unit through it
  ndks service --unit emulator:alice   prints its sockets; docs/service.md tells which is for whom
  ndks service status"""
_STATUS_EXAMPLES = "  ndks service status\n  ndks service status --json"
_RELEASE_EXAMPLES = """\
  ndks service release        for a minute: time for ndks bind, or to plug the unit in elsewhere
  ndks service release 300 --unit 4E444B5300000001"""


def serve(args: argparse.Namespace, out: Output) -> None:
    import asyncio  # here, because the other commands do not need it

    if sys.platform != "linux":
        raise UsageError("ndks service needs Linux", "use the port of the unit, one program at a time")
    if (args.unit or os.environ.get(ENVIRONMENT) or "").startswith(SERVICE):
        raise UsageError("a service cannot hold a unit through another service", "name its port: --unit PORT")
    from ndks.service import server

    def started(serial_number: str, paths: dict[str, str]) -> None:
        sockets = [{"scope": scope, "port": f"{SERVICE}{path}"} for scope, path in paths.items()]
        note(f"serving unit {serial_number or '(not plugged in yet)'}; Ctrl-C ends it")
        if is_stdout_open():
            values = {"serial_number": serial_number, "pid": os.getpid(), "sockets": sockets}
            out.result(values, "\n".join(each["port"] for each in sockets))

    show_news()
    try:
        asyncio.run(server.serve(args.unit, min(args.timeout, _SILENCE), ndks.BindingStore(), started))
    except UnitBusy as error:
        error.advice = "close that program; if it is another ndks service, use that one: ndks service status"
        raise


def show_services(args: argparse.Namespace, out: Output) -> None:
    found = [_service_at(directory) for directory in service_directories() if _scopes_in(directory)]
    text = "\n".join(_text_of(each) for each in found)
    out.result({"services": found}, text or "no service runs here, or none that this user may see")


def _service_at(directory: Path) -> dict[str, Any]:
    sockets = [
        {"scope": scope, "port": f"{SERVICE}{directory / scope}", "may_use": may_use(directory / scope)}
        for scope in _scopes_in(directory)
    ]
    values: dict[str, Any] = {"serial_number": directory.name, "directory": str(directory), "sockets": sockets}
    try:
        with ndks.open(socket_in(directory) or f"{SERVICE}{directory / SCOPES[0]}", times.LIST_TIMEOUT) as unit:
            values["present"] = unit.watch().present
            return values | {"status": asdict(unit.status())}
    except NdksError as error:
        return values | {"error": error_values(error)}


def _scopes_in(directory: Path) -> list[str]:
    return [scope for scope in SCOPES if (directory / scope).is_socket()]


def _text_of(found: dict[str, Any]) -> str:
    usable = [each["scope"] for each in found["sockets"] if each["may_use"]]
    state = "is there" if found.get("present") else "is not there"
    if "error" in found:
        state = f"{found['error']['code']}: {found['error']['message']}"
    return f"{found['serial_number']}  {state}  {found['directory']}, for this user: {', '.join(usable) or 'none'}"


def release(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        unit.release(args.seconds)
        serial_number = unit.hello.serial_number
    values = {"serial_number": serial_number, "released_for": args.seconds}
    out.done(values, f"the port of unit {serial_number} is free for {args.seconds} s")


def _seconds(text: str) -> int:
    return bounded(text, 1, _LONGEST_RELEASE, f"a port is released for 1 to {_LONGEST_RELEASE} seconds")
