# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Channels of a machine, and the refusal of open ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from ndks.exceptions import CheckFailed


@dataclass(frozen=True)
class LaptopChannel:
    """A way for data into or out of a machine."""

    kind: str
    name: str
    state: str
    is_open: bool | None  # None: unknown, which counts as open
    advice: str = ""  # how to close it


class ChannelOpen(CheckFailed):
    """A channel is open but must be closed."""

    code = "CHANNEL"


def open_channels(channels: Sequence[LaptopChannel]) -> list[LaptopChannel]:
    """Return the channels that are open or may be open."""
    return [channel for channel in channels if channel.is_open is not False]


def refuse_open(channels: Sequence[LaptopChannel], *, accept_risk: bool) -> None:
    """Raise ChannelOpen if a channel is open; the error names all open channels and how to close them."""
    found = open_channels(channels)
    if found and not accept_risk:
        advice = "; ".join(dict.fromkeys(channel.advice for channel in found if channel.advice))
        what = f"{_count(found)}: {described(found)}"
        raise ChannelOpen(what, f"{advice}; or, for a trial that proves nothing, add --accept-risk")


def described(channels: Sequence[LaptopChannel]) -> str:
    """Return the names and states of channels in one line."""
    return "; ".join(f"{channel.kind} {channel.name} ({channel.state})" for channel in channels)


def _count(found: Sequence[LaptopChannel]) -> str:
    return "a channel is open" if len(found) == 1 else f"{len(found)} channels are open"
