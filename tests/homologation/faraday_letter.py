# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One laptop with a letter, which is deleted only when it is safe."""

from pathlib import Path

import pytest
from homologation.faraday_laptops import LETTER, FaradayLaptop, make_laptop
from host.conftest import Call
from unit.other_member import open_offline

import ndks


@pytest.fixture
def laptop(network: ndks.Network, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> FaradayLaptop:
    return make_laptop("alice", tmp_path, network, 1, call, monkeypatch)


def assert_letter_is_kept(laptop: FaradayLaptop) -> None:
    assert laptop.letter.read_bytes() == LETTER


def assert_letter_is_safe(laptop: FaradayLaptop, network: ndks.Network) -> None:
    """Check that the letter or its capsule exists."""
    if not laptop.letter.exists():
        assert open_offline(network, laptop.capsule.read_bytes()) == LETTER
