# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A channel of a machine, and what is said of those that are open."""

from collections.abc import Sequence
from dataclasses import dataclass

from ndks.exceptions import CheckFailed


@dataclass(frozen=True)
class LaptopChannel:
    """One way by which something could get into a machine or out of it."""

    kind: str
    name: str
    state: str
    is_open: bool | None  # None: this system cannot tell, which counts as open
    advice: str = ""  # what closes it


class ChannelOpen(CheckFailed):
    """A channel is open that must be closed."""

    code = "CHANNEL"


def open_channels(channels: Sequence[LaptopChannel]) -> list[LaptopChannel]:
    """Return those that are open, or may be."""
    return [channel for channel in channels if channel.is_open is not False]


def refuse_open(channels: Sequence[LaptopChannel], *, accept_risk: bool) -> None:
    """Raise ChannelOpen when one is open, naming each, and what closes it."""
    found = open_channels(channels)
    if found and not accept_risk:
        advice = "; ".join(dict.fromkeys(channel.advice for channel in found if channel.advice))
        what = f"{_count(found)}: {described(found)}"
        raise ChannelOpen(what, f"{advice}; or, for a trial that shows nothing, add --accept-risk")


def described(channels: Sequence[LaptopChannel]) -> str:
    """Return one line that names them."""
    return "; ".join(f"{channel.kind} {channel.name} ({channel.state})" for channel in channels)


def _count(found: Sequence[LaptopChannel]) -> str:
    return "a channel is open" if len(found) == 1 else f"{len(found)} channels are open"
