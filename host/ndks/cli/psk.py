# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command psk: give pre-shared keys to somebody else's program."""

import argparse
import base64
import binascii
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from ndks.exceptions import UsageError

from .arguments import add_path, add_unit, bounded, file_path, need, quoted
from .extras import need_extra
from .log import show_news
from .output import Output, is_stdout_open, note
from .parser import Parser, set_up

_EVERY = 120  # seconds
_DAY = 86400  # seconds
_UNITS = {"s": 1, "m": 60, "h": 3600}  # seconds
_MOST_NUMBER = (1 << 63) - 1
_KEY = 32  # bytes
_CONFIG = Path("/etc/swanctl/swanctl.conf")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IDENTITY = re.compile(r"[^:\s#][^:\r\n]*")
_UNIT = "$NDKS_UNIT, or the only one that a service holds"
_EXAMPLES = """\
  ndks psk office --wireguard wg0 PEER
  ndks psk broker --mosquitto /etc/mosquitto/psk site1 --pid-file /run/mosquitto/mosquitto.pid
  ndks psk gw --swanctl unix:///run/charon.vici gw --every 1h
  ndks psk web --file web.psk --hex --run "systemctl reload web" --every 10m
  ndks psk web --file web.psk --once                the present key only"""


def add_psk(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, psk)
    add: Any = parser.add_argument
    add("name", metavar="NAME", type=_name, help="what both sites call this use of keys; another name has other keys")
    kinds: Any = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument(
        "--wireguard", nargs=2, metavar=("DEVICE", "PEER"), help="a peer of WireGuard, by its public key"
    )
    kinds.add_argument(
        "--mosquitto", nargs=2, metavar=("FILE", "IDENTITY"), help="an identity in the psk_file of Mosquitto"
    )
    kinds.add_argument(
        "--swanctl", nargs=2, metavar=("URI", "CONNECTION"), help="the PPK of a connection of strongSwan, over vici"
    )
    add_path(kinds, "--file", metavar="FILE", help="a file of mode 0600 for any other program, replaced by rename")
    form: Any = parser.add_mutually_exclusive_group()
    form.add_argument("--hex", action="store_true", help="write the key as hexadecimal digits (default: 32 bytes)")
    form.add_argument("--base64", action="store_true", help="write the key in base64")
    run_help = "run it after each new file, without a shell; NDKS_NUMBER, NDKS_PATH tell which"
    add("--run", metavar="COMMAND", type=_command, help=run_help)
    add_path(parser, "--pid-file", metavar="FILE", help="pid_file of Mosquitto, which gets SIGHUP after each new key")
    config_help = f"file with which swanctl loads strongSwan's connections (default: {_CONFIG})"
    add_path(parser, "--config", metavar="FILE", help=config_help)
    every_help = f"how long a key is used, the same at both sites: 1s to 24h (default: {_EVERY}s)"
    add("--every", metavar="TIME", type=_every, default=_EVERY, help=every_help)
    add("--once", action="store_true", help="give the present key, and end")
    number_help = "give the key of this number, and end (default: the time since 1970 by --every)"
    add("--number", metavar="N", type=_number, help=number_help)
    add_unit(parser, _UNIT)


def psk(args: argparse.Namespace, out: Output) -> None:
    import asyncio  # here, because the other commands do not need it

    if sys.platform != "linux":
        raise UsageError("ndks psk needs Linux", "run it on a gateway with Linux, beside ndks service")
    consumer = _consumer(args)
    from ndks_gateways.key_unit import KeyUnit
    from ndks_gateways.psk import program
    from ndks_gateways.psk.rotation import Step

    is_single = args.once or args.number is not None
    is_told = False

    def told(step: Step) -> None:
        nonlocal is_told
        if is_told or not is_stdout_open():
            return
        is_told = True
        values = {"name": args.name, "epoch": step.epoch, "number": step.number, "consumer": consumer.name}
        out.result(values, f"{consumer.name} has key {step.number} of {args.name}")

    schedule = program.Schedule(args.name, args.every, args.number)
    unit = KeyUnit(args.unit, args.timeout)
    if is_single:
        asyncio.run(program.give_once(unit, consumer, schedule, told, args.timeout))
        return
    show_news()
    note(f"{consumer.name} gets a key every {args.every} s; Ctrl-C ends it")
    asyncio.run(program.rotate(unit, consumer, schedule, told))


def _consumer(args: argparse.Namespace) -> Any:
    """Return what takes the keys. UsageError."""
    _need_only(args, args.file, "--file", "hex", "base64")
    _need_only(args, args.file or args.mosquitto, "--file and --mosquitto", "run")
    _need_only(args, args.mosquitto, "--mosquitto", "pid_file")
    _need_only(args, args.swanctl, "--swanctl", "config")
    if args.wireguard:
        return _wireguard(*args.wireguard)
    if args.mosquitto:
        return _mosquitto(args, *args.mosquitto)
    if args.swanctl:
        return _strongswan(args, *args.swanctl)
    from ndks_gateways.psk.key_file import KeyFile

    return KeyFile(args.file, "hex" if args.hex else "base64" if args.base64 else "raw", args.run or ())


def _need_only(args: argparse.Namespace, is_there: Any, kinds: str, *options: str) -> None:
    for option in options:
        name = option.replace("_", "-")
        need(bool(is_there) or not getattr(args, option), f"--{name} is for {kinds}", "leave it out")


def _wireguard(device: str, peer: str) -> Any:
    try:
        is_key = len(base64.b64decode(peer, validate=True)) == _KEY
    except (binascii.Error, ValueError):
        is_key = False
    need(is_key, f"{quoted(peer)} is not a public key of WireGuard", f"wg show {device} peers lists them")
    from ndks_gateways.psk.wireguard import WireGuard

    return WireGuard(device, peer)


def _mosquitto(args: argparse.Namespace, file: str, identity: str) -> Any:
    need(bool(_IDENTITY.fullmatch(identity)), f"{quoted(identity)} cannot be an identity in a psk_file")
    advice = "name the broker's pid_file: --pid-file FILE; or a command: --run 'systemctl reload mosquitto'"
    need(bool(args.pid_file) != bool(args.run), "Mosquitto has to be told to read its file, in one way", advice)
    from ndks_gateways.psk import mosquitto

    reload = mosquitto.by_pid_file(args.pid_file) if args.pid_file else mosquitto.by_command(args.run)
    return mosquitto.Mosquitto(file_path(file), identity, reload)


def _strongswan(args: argparse.Namespace, uri: str, connection: str) -> Any:
    need(uri.startswith("unix:///"), f"{quoted(uri)} is not a socket of vici", "as unix:///run/charon.vici")
    need(
        bool(_NAME.fullmatch(connection)),
        f"{quoted(connection)} is not a connection",
        "name one of swanctl --list-conns",
    )
    need_extra("strongswan")
    from ndks_gateways.psk.strongswan import StrongSwan

    return StrongSwan(uri, connection, args.config or _CONFIG, args.name)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("a name has 1 to 64 letters, digits, - and _")
    return text


def _every(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})([smh])", text)
    value = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= value <= _DAY:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a time from 1s to 24h, such as 120s or 10m")
    return value


def _number(text: str) -> int:
    return bounded(text, 0, _MOST_NUMBER, "the number of a key is 0 to 2^63 - 1")


def _command(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)}: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError("a command is missing")
    if "\0" in text:
        raise argparse.ArgumentTypeError("no command has a zero byte")
    return words
