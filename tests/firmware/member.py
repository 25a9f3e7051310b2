# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The network that the units of these tests belong to, the one of protocol/vectors/suite.json, and how one joins it."""

from typing import Any

from support.reference import load_vectors

from ndks_protocol import commands
from ndks_protocol.layout import Layout

from .stand_ins import Host, Script

SUITE = load_vectors("suite")
_NETWORK = SUITE["network"]


BINDING = bytes(range(64, 96))
SECRET = bytes.fromhex(_NETWORK["secret"])


def membership(
    suite: int = 1,
    lane: int = 1,
    name: str = "test",
    p1: str = _NETWORK["p1"],
    p2: str = _NETWORK["p2"],
    f1: int = 0,
    f2: int = 0,
) -> tuple[Any, ...]:
    """The fields of PROVISION."""
    return BINDING, 0, lane, suite, 0, _NETWORK["d"], SECRET, name, p1, p2, f1, f2


def provision(host: Host, suite: int = 1) -> Script:
    yield from host.ask(commands.PROVISION, *membership(suite))


def named(layout: Layout, values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(layout.names, values, strict=True))
