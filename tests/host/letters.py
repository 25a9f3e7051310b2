# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A letter on a desk, and its capsule."""

from pathlib import Path

import pytest

import ndks

LETTER = b"meet me at the old bridge"


@pytest.fixture
def letter(desk: Path) -> Path:
    path = desk / "letter.txt"
    path.write_bytes(LETTER)
    return path


@pytest.fixture
def capsule(letter: Path, alice: str) -> Path:
    """Return a capsule of the letter, sealed by alice."""
    path = letter.with_name("letter.txt.ndks")
    with ndks.open(alice) as unit:
        unit.encrypt(letter, path)
    letter.unlink()
    return path


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())
