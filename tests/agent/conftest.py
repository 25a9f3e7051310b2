# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fixtures of tests of agents."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ndks.carriers import folder


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home, and a directory of sockets, for this test alone."""
    with tempfile.TemporaryDirectory() as directory:  # the path of a socket must be short
        monkeypatch.setenv("NDKS_HOME", str(Path(directory, "home")))
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let folders be looked at often."""
    monkeypatch.setattr(folder, "_LOOK", 0.02)
