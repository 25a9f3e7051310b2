# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Changes of an administrator's file, and how members hear of them: what its commands have in common."""

import argparse
import contextlib
import shlex
from collections.abc import Callable, Generator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ndks.exceptions import FileError, NdksError
from ndks.laptop.administrators import generation_made, note_generation
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator

from .arguments import add_path, seconds
from .confirmation import add_yes, confirm
from .parser import Parser

if TYPE_CHECKING:
    from ndks.agent.running.channel import Channel

_SECONDS = 60.0
_Made = TypeVar("_Made")


def add_file(parser: Parser) -> None:
    """Add FILE, --carrier, --seconds and --yes."""
    text = f"the administrator's file, NAME{administrator_file.SUFFIX}"
    add_path(parser, "file", completes="ADMINISTRATOR", metavar="FILE", help=text)
    add_publication(parser)
    add_yes(parser)


def add_publication(parser: Parser, *, required: bool = False) -> None:
    """Add --carrier and --seconds."""
    parser.add_argument(
        "--carrier",
        metavar="URL",
        action="append",
        required=required,
        help="publish by mqtt://, mqtts://, udp:// or dir:FOLDER; repeatable"
        + ("" if required else " (default: the agent that runs with FILE, or ndks network publish, does it)"),
    )
    parser.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=seconds,
        default=_SECONDS,
        help=f"how long to publish until a member is heard (default: {_SECONDS:g})",
    )


def change(
    args: argparse.Namespace, what: Callable[[Administration], str], do: Callable[[Administrator], _Made]
) -> tuple[_Made, dict[str, Any]]:
    """Say what will be done, ask, do it, and publish it if a carrier is named; return what was made, and JSON fields.

    `what` tells it of the file as it is, and raises what cannot be done. The file is on the disk before anything else.
    """
    what(administrator_file.load(args.file))
    with channel_of(args) as channel:
        if channel:
            channel.learn()
        confirm(args, what(administrator_file.load(args.file)))
        with opened(args.file) as administrator:
            made = do(administrator)
            state = administrator.state
        return made, values_of(args.file, state) | publish(args, channel)


@contextlib.contextmanager
def opened(path: Path, *, merging: bool = False) -> Generator[Administrator]:
    """Open a file for a change, and note here which generation it has then. FileError: it is an older copy."""
    with administrator_file.opened(path) as administrator:
        identity = sha256(b"%d" % administrator.state.number + administrator.keys.public).hexdigest()[:16]
        made = generation_made(identity)
        if administrator.state.g < made and not merging:
            what = f"{path} is an old copy: it has generation {administrator.state.g}, and {made} was made here since"
            raise FileError(what, f"use the file itself; if it is lost: ndks network merge {path} --carrier URL")
        before = administrator.state
        yield administrator
        if administrator.state != before or merging:
            note_generation(identity, administrator.state.g)


def values_of(path: Path, state: Administration) -> dict[str, Any]:
    """Return what JSON answers tell of a file."""
    counts = {"member_count": len(state.present), "revoked_count": len(state.revoked)}
    generation = state.g if state.g >= 0 else None
    return {"network": state.network.name, "file": str(path), "generation": generation, **counts}


def publish(args: argparse.Namespace, channel: "Channel | None") -> dict[str, Any]:
    """Publish what the file has, if there is a channel; return JSON fields."""
    if not channel:
        return {}
    try:
        told = channel.publish(args.seconds)
    except NdksError as error:
        error.advice = f"the file has it: ndks network publish {shlex.quote(str(args.file))} --carrier URL, later"
        raise
    return {"heard": told.heard, "retained": told.retained}


def told(values: dict[str, Any]) -> str:
    """Return lines about the new generation, and who knows of it."""
    counts = f"{members(values['member_count'])}, {values['revoked_count']} revoked"
    return f"{values['file']}: generation {values['generation']}, {counts}\n{_who_knows(values)}"


def members(count: int) -> str:
    return f"{count} member{'' if count == 1 else 's'}"


def _who_knows(values: dict[str, Any]) -> str:
    file = shlex.quote(values["file"])
    if values.get("heard"):
        return "published; a member was heard in this generation"
    if values.get("retained"):
        return "published; the members get it when they look"
    again = f"ndks network publish {file} --carrier URL, or ndks agent --network {file}"
    unpublished = "unless an agent runs with this file, it is to be published"
    return f"{'sent, but no member was heard yet' if 'heard' in values else unpublished}: {again}"


@contextlib.contextmanager
def channel_of(args: argparse.Namespace) -> "Generator[Channel | None]":
    """Open the channel to the carriers that are named, if any are. NdksError."""
    if not args.carrier:
        yield None
        return
    from ndks.agent.running.channel import channel  # here, because it is slow to import

    with channel(args.file, args.carrier) as found:
        yield found
