# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command serve: run a key server, begin its ledger, make certificates for a trial."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ndks.exceptions import UsageError

from .arguments import add_path, add_unit, bounded, need
from .extras import need_extra
from .log import show_news
from .output import Output, is_stdout_open, note
from .parser import Parser, add_command, add_group, show_examples

_EXTRA = "gateways"
_DAYS = 365
_HOSTS = ("127.0.0.1", "localhost")
_UNIT = "$NDKS_UNIT, or the only one that a service holds"
_EXAMPLES = """\
  ndks serve --config kme.toml
  ndks serve --config kme.toml --unit 4E444B5300000001
  curl --cacert trial/ca.crt --cert trial/SAE_A.crt --key trial/SAE_A.key \\
    https://127.0.0.1:8443/api/v1/keys/SAE_B/enc_keys"""
_LEDGER_EXAMPLES = """\
  ndks serve ledger --config kme.toml --first   before this site delivers its first key
  ndks serve ledger --config kme.toml --lost    after the ledger was lost, or put back from a copy"""
_CERTS_EXAMPLES = """\
  ndks serve certs trial --sae SAE_A --sae SAE_B --kme KME_A --kme KME_B
  ndks serve certs trial --kme KME_C --host kme.example --host 192.0.2.7    of the same CA"""


def add_serve(parser: Parser) -> None:
    show_examples(parser, _EXAMPLES)
    _add_config(parser, default=None)
    add_unit(parser, _UNIT)
    kinds = add_group(parser)
    parser.set_defaults(handler=serve)
    ledger = add_command(kinds, "ledger", "begin the ledger of a site, or begin it again", _LEDGER_EXAMPLES, begin)
    _add_config(ledger, default=argparse.SUPPRESS)
    how = ledger.add_mutually_exclusive_group(required=True)
    how.add_argument("--first", action="store_true", help="this site has never delivered a key")
    how.add_argument(
        "--lost",
        action="store_true",
        help="the ledger was lost, or put back from a copy: begins an epoch, and no key of earlier ones is delivered",
    )
    add_unit(ledger, _UNIT)
    certs = add_command(kinds, "certs", "make a CA and certificates for a trial", _CERTS_EXAMPLES, make_certificates)
    _add_certs(certs)


def _add_config(parser: Parser, default: Any) -> None:
    help_text = "TOML file of the server; docs/serve.md has each key"
    add_path(parser, "--config", metavar="FILE", default=default, help=help_text)


def _add_certs(parser: Parser) -> None:
    add_path(parser, "directory", metavar="DIRECTORY", completes="DIRECTORY", help="made if it is missing")
    add: Any = parser.add_argument
    add("--sae", metavar="NAME", action="append", default=[], help="certificate of a client; repeatable")
    add("--kme", metavar="NAME", action="append", default=[], help="certificate of a server; repeatable")
    hosts = f"name or address at which clients reach the servers; repeatable (default: {' and '.join(_HOSTS)})"
    add("--host", metavar="HOST", action="append", help=hosts)
    add("--days", metavar="N", type=_days, default=_DAYS, help=f"how long they last (default: {_DAYS})")


def serve(args: argparse.Namespace, out: Output) -> None:
    import asyncio  # here and below, because the other commands do not need it

    config = _config(args)
    from ndks_gateways.key_unit import KeyUnit
    from ndks_gateways.serving import program
    from ndks_gateways.serving.key_server import KeyServer

    def started(server: KeyServer) -> None:
        note(f"{config.kme.id} serves keys at {server.address}; Ctrl-C ends it")
        if is_stdout_open():
            monitor = str(server.monitor) if server.monitor else None
            values = {"listens_at": str(server.address), "monitor_at": monitor, "pid": os.getpid()}
            out.result(values, f"https://{server.address}")

    show_news()

    async def run() -> None:
        await program.serve(config, KeyUnit(args.unit, args.timeout), started)

    asyncio.run(run())


def begin(args: argparse.Namespace, out: Output) -> None:
    import asyncio

    config = _config(args)
    from ndks_gateways.key_unit import KeyUnit
    from ndks_gateways.serving import program

    async def again() -> int:
        return await program.begin_ledger_again(config, KeyUnit(args.unit, args.timeout))

    if args.first:
        asyncio.run(program.begin_ledger(config))
        out.done({"born": None}, "the ledger has begun")
        return
    born = asyncio.run(again())
    text = f"the ledger has begun again: keys of epochs before {born & 0xFFFF} of generation {born >> 16} are gone"
    out.done({"born": born}, text)


def make_certificates(args: argparse.Namespace, out: Output) -> None:
    from ndks_gateways.serving import certs

    need(bool(args.sae or args.kme), "no certificate is named", "name some: --sae SAE_A --kme KME_A")
    pairs = certs.make(args.directory, args.sae, args.kme, args.host or _HOSTS, args.days)
    files = [{"certificate": str(pair.certificate), "private_key": str(pair.key)} for pair in pairs]
    out.done({"files": files}, "\n".join(each["certificate"] for each in files))


def _config(args: argparse.Namespace) -> Any:
    """Return the configuration. UsageError, ConfigError, FileError."""
    if sys.platform != "linux":
        raise UsageError("ndks serve needs Linux", "run it on a gateway with Linux, beside ndks service")
    need_extra(_EXTRA)
    path: Path | None = args.config
    if not path:
        raise UsageError("--config is missing", "name the server's TOML file; docs/serve.md has an example")
    from ndks_gateways.serving import config

    found = config.load(path)
    if found.ledger.postgresql:
        need_extra("postgresql")
    return found


def _days(text: str) -> int:
    return bounded(text, 1, 3650, "certificates last 1 to 3650 days")
