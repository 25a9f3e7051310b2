# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fixtures for boards."""

from pathlib import Path

import pytest

from .stand_ins import Chip


@pytest.fixture
def chip(tmp_path: Path) -> Chip:
    """A new board with the firmware, plugged in."""
    chip = Chip(tmp_path)
    chip.boot()
    return chip
