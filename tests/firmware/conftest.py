# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Boards for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .cut_summary import POWER_CUTS
from .cuts import Cutter
from .stand_ins import Chip


@pytest.fixture
def chip(tmp_path: Path) -> Chip:
    """A new board with the firmware on it, plugged in."""
    chip = Chip(tmp_path)
    chip.boot()
    return chip


@pytest.fixture
def cutter(record_property) -> Iterator[Cutter]:
    """What cuts the power; how often it did is told at the end of the run."""
    cutter = Cutter()
    yield cutter
    record_property(POWER_CUTS, cutter.tried)
