# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A laptop's sessions with a unit: what ends one, and how its end looks."""

from collections.abc import Callable
from typing import Any

import pytest
from hosts.memory import Host
from hosts.sessions import SHARE, ProjectSession, ReferenceSession

from ndks_protocol import commands, errors, framing

WRONG_KEK = bytes(32)
WRONG_PROOF = b"what a guess is!"
NEED_A_SESSION = [command for command in commands.TABLE.values() if command.needs & commands.SESSION]
LONGEST_DELAY = 60_000
OPENING = commands.OPEN_SESSION.request.pack(*SHARE)
hosts = pytest.mark.parametrize("kind", [ProjectSession, ReferenceSession], ids=["project", "reference"])


def values_of(command: commands.Command) -> tuple[Any, ...]:
    """Return values that match the layout."""
    samples: dict[str, Any] = {"rest": b"", "u8": 0, "u16": 1, "u32": 0, "u64": 1}
    return tuple(samples[kind] if kind in samples else bytes(int(kind[1:])) for kind in command.request.kinds)


def is_locked(laptop: Host) -> bool:
    state = laptop.firmware.state
    return state.session.channel is state.opened is state.sealing.current is None


def assert_ended(laptop: Host, frame: framing.Frame) -> None:
    """Check that the error answer is in the clear, and that a new session can be opened."""
    assert (frame.kind, bytes(frame.payload)) == (framing.ERROR, errors.SESSION_ENDED.to_bytes(2))
    assert is_locked(laptop)
    laptop.channel = None
    assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED


ENDS: dict[str, Callable[[Host], object]] = {
    "hello": Host.hello,
    "close": lambda laptop: laptop.ask(commands.CLOSE, 0),
    "close and unplug": lambda laptop: laptop.ask(commands.CLOSE, 1),
    "disconnect": Host.disconnect,
    "altered frame": lambda laptop: laptop.send(commands.STATUS, bytes(24)),
    "command in the clear": lambda laptop: laptop.send(commands.STATUS, b""),
    "opening": lambda laptop: laptop.send(commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, OPENING)),
    "refused opening": lambda laptop: laptop.send(
        commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, bytes(48))
    ),
    "zeroize": lambda laptop: laptop.send(
        commands.ZEROIZE, laptop.secured(commands.ZEROIZE, commands.CONFIRMATION + laptop.unit.board.uid)
    ),
}
