# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The network of protocol/vectors/suite.json, to which the units of these tests belong."""

from typing import Any

from support.reference import load_vectors

from ndks_protocol.layout import Layout

SUITE = load_vectors("suite")
_NETWORK = SUITE["network"]
BINDING = bytes(range(64, 96))
SECRET = bytes.fromhex(_NETWORK["secret"])
HYBRID = 1


def membership(
    suite: int = HYBRID,
    lane: int = 1,
    name: str = "test",
    p1: str = _NETWORK["p1"],
    p2: str = _NETWORK["p2"],
    f1: int = 0,
    f2: int = 0,
) -> tuple[Any, ...]:
    """Return the fields of PROVISION."""
    return BINDING, 0, lane, suite, 0, _NETWORK["d"], SECRET, name, p1, p2, f1, f2


def named(layout: Layout, values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(layout.names, values, strict=True))
