# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""docs/tunnel.md and the code say the same: codes of errors, sizes of messages, kinds of frames, limits."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import ndks_gateways
from ndks.exceptions import NdksError
from ndks_gateways.tunnel import bundles, datagrams, delivery, frames, knocks, streams

PAGE = (Path(__file__).parents[2] / "docs" / "tunnel.md").read_text(encoding="utf-8")
NEVER_SHOWN = {"HANDSHAKE"}  # the class of the others
OF_OTHERS = tuple(f"ndks_gateways.{room}" for room in ("keys", "psk", "serving"))


def codes() -> Iterator[str]:
    """Yield the codes of errors that tunnels, and gateways of all kinds, have of their own."""
    kinds: list[type[NdksError]] = []
    for module in pkgutil.walk_packages(ndks_gateways.__path__, "ndks_gateways."):
        if module.name.startswith(OF_OTHERS):
            continue
        found = vars(importlib.import_module(module.name)).values()
        kinds += [kind for kind in found if isinstance(kind, type) and issubclass(kind, NdksError)]
    return (kind.code for kind in kinds if kind.__module__.startswith("ndks_gateways") and "code" in vars(kind))


def test_each_code_says_what_to_do() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", "".join(re.findall(r"^\| (`[A-Z_]+`.*?) \|", PAGE, re.MULTILINE))))
    assert set(codes()) - NEVER_SHOWN - named == set()


def test_sizes_of_messages() -> None:
    sizes = [f"{size:04x}" for size in (*knocks.FULL_MESSAGES, *knocks.RESUMED_MESSAGES)]
    shown = re.findall(r"(00\w\w) \| noise (\d), (\d+)", PAGE)
    in_order = [(1, 0), (1, 3), (2, 1), (2, 4), (3, 2)]  # number in the page, place in `sizes`
    assert [(size, int(number), int(octets, 10)) for size, number, octets in shown] == [
        (sizes[place], number, int(sizes[place], 16)) for number, place in in_order
    ]


def test_kinds_of_frames() -> None:
    rows = re.findall(r"^\| (\d) ([A-Z]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == [getattr(frames, name) for _, name, _ in rows] == list(range(9))
    named = [(int(number), stream != "0") for number, _, stream in rows]
    assert named == [(kind, frames.Frame(kind, 0, memoryview(b"")).counts) for kind in range(9)]


def test_limits() -> None:
    assert f"{frames.MOST_DATA:,} bytes" in PAGE
    assert f"{datagrams.MOST_DATA:,} bytes" in PAGE
    assert bundles.MAX_BUNDLES == delivery.MOST_KEPT == 16 << 20
    assert streams.WINDOW == 1 << 20
