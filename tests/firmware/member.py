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


def membership(suite: int = 1) -> tuple[Any, ...]:
    """The fields of PROVISION."""
    secret = bytes.fromhex(_NETWORK["secret"])
    return 0, 1, suite, 0, _NETWORK["d"], secret, "test", _NETWORK["p1"], _NETWORK["p2"]


def provision(host: Host, suite: int = 1) -> Script:
    yield from host.ask(commands.PROVISION, *membership(suite))


def named(layout: Layout, values: tuple[Any, ...]) -> dict[str, Any]:
    return {name: value for (name, _), value in zip(layout.fields, values, strict=True)}
