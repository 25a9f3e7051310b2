# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A target with a fault, to see whether it is found."""

from collections.abc import Iterator

MOST_MEMORY = 1_000_000
LARGEST_INPUT = 64


def run(data: bytes) -> None:
    assert data[:3] != b"abc", "three bytes in their order"


def seeds() -> Iterator[bytes]:
    yield b"xyz"
