# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fixtures for folders that are interrupted: one of many volumes, and its capsule."""

from pathlib import Path

import pytest
from host.folding import make_folder

import ndks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "folder", files=24, size=100_000)


@pytest.fixture
def capsule(folder: Path, alice: str, tmp_path: Path, small_volumes: None) -> Path:
    with ndks.open(alice) as unit:
        unit.encrypt_folder(folder, tmp_path / "out.ndks")
    return tmp_path / "out.ndks"
