# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Changes of an administrator's file, and how members hear of them: what its commands have in common."""

import argparse
import contextlib
import shlex
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ndks.exceptions import NdksError
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator

from .arguments import add_path, need, seconds
from .confirmation import add_yes, confirm
from .output import note
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
        help=f"how long to publish at most, until a member is heard in the new generation (default: {_SECONDS:g})",
    )


def change(
    args: argparse.Namespace, what: Callable[[Administration], str], do: Callable[[Administrator], _Made]
) -> tuple[_Made, dict[str, Any]]:
    """Say what will be done, ask, do it, and publish it if a carrier is named; return what was made, and JSON fields.

    `what` tells it of the file as it is, and raises what cannot be done. The file is on the disk before anything else.
    """
    first = administrator_file.load(args.file)
    what(first)
    with channel_of(args) as channel:
        if channel:
            channel.learn()
        before = administrator_file.load(args.file)
        refuse_old(args.file, before)
        said = what(before)
        learned = f"{args.file} has learned what other administrators did, and nothing else was changed"
        confirm(args, said, *([] if before == first else [learned]))
        with opened(args.file) as administrator:
            if (now := what(administrator.state)) != said:
                need(args.yes, f"{args.file} was changed meanwhile: nothing was done", "repeat the command")
                note(now)
            made = do(administrator)
            state = administrator.state
        there = set(before.present) & set(state.present)  # a newcomer needs its package first, and cannot be heard
        return made, values_of(args.file, state) | publish(args, channel, state.g, is_anybody=bool(there))


def opened(path: Path, *, adopt: bool = False) -> contextlib.AbstractContextManager[Administrator]:
    """Open a file for a change, or to learn, and `adopt` it if it was a copy. FileError: it is an older copy."""
    from ndks.agent.running import copies  # here, because it is slow to import

    return copies.opened(path, merging=adopt, adopt=adopt)


def refuse_old(path: Path, state: Administration) -> None:
    """Raise FileError if the file is older than this laptop's last change of it: before anything is said or asked."""
    from ndks.agent.running import copies  # here, because it is slow to import

    copies.refuse_old(path, state)


def values_of(path: Path, state: Administration) -> dict[str, Any]:
    """Return what JSON answers tell of a file."""
    counts = {"member_count": len(state.present), "revoked_count": len(state.revoked)}
    generation = state.g if state.g >= 0 else None
    return {"network": state.network.name, "file": str(path), "generation": generation, **counts}


def publish(
    args: argparse.Namespace, channel: "Channel | None", generation: int, *, is_anybody: bool = True
) -> dict[str, Any]:
    """Publish what the file has, if there is a channel; return JSON fields.

    `is_anybody`: whether a member is there that can be heard. Ctrl-C ends only the publication.
    """
    if not channel:
        return {}
    later = f"the file has it: ndks network publish {shlex.quote(str(args.file))} --carrier URL, later"
    args.resume_advice = later
    if is_anybody and not channel.retains:
        until = f"until a member is heard in it, for {args.seconds:g} s at most"
        note(f"generation {generation} is published {until}; Ctrl-C ends that, and takes nothing back")
    try:
        told = channel.publish(args.seconds, is_anybody=is_anybody)
    except NdksError as error:
        error.advice = later
        raise
    return {"heard": told.heard if is_anybody else None, "retained": told.retained}


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
    if values.get("heard", False) is None:
        return "published; no other member is there that could be heard"
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
