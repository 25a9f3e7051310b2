# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit made now, one recorded under protocol 2.0, and the row of SECURITY.md that a test shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .rows import ROWS, Row
from .scene import Scene, played, recorded


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the unit of `present` and its laptop are."""
    return tmp_path_factory.mktemp("present")


@pytest.fixture(scope="module")
def present(directory: Path) -> Iterator[Scene]:
    with pytest.MonkeyPatch.context() as patch:
        yield played(directory, patch)


@pytest.fixture(scope="session")
def of_2_0() -> Scene:
    return recorded()


@pytest.fixture(params=["of_2_0", "present"])
def scene(request: pytest.FixtureRequest) -> Scene:
    return request.getfixturevalue(request.param)


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    return ROWS[request.node.originalname]
