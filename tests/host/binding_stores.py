# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A laptop whose characteristics the test sets, and units that are bound to it."""

from pathlib import Path

import pytest

import ndks
from ndks import BindingStore
from ndks.driver.answers import Hello

LOOKS = (("board", "X"), ("mac", "02:00:00:00:00:01"), ("machine", "Y"))
OTHER_LOOKS = (("board", "X"), ("mac", "02:00:00:00:00:02"), ("machine", "Y"))


class Laptop:
    """A laptop whose characteristics the test sets."""

    def __init__(self, directory: Path) -> None:
        self.looks: tuple[tuple[str, str], ...] = LOOKS
        self.network: tuple[tuple[str, str], ...] = ()
        self.store = BindingStore(directory, look=lambda *, with_network: self.looks + self.network * with_network)

    @property
    def directory(self) -> Path:
        return self.store.directory

    def open(self, port: str, *, create: bool = False) -> ndks.Unit:
        return ndks.open(port, create=create, bindings=self.store)

    def file_of(self, serial_number: str) -> Path:
        return self.directory / "units" / f"{serial_number}.json"


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "laptop")


@pytest.fixture
def other_laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "other")


@pytest.fixture
def member(laptop: Laptop, network: ndks.Network, tmp_path: Path) -> str:
    """Return the port of a unit bound to the laptop."""
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        unit.bind(unit.provision(network, 1))
    return port


def hello_of(laptop: Laptop, member: str) -> Hello:
    with laptop.open(member) as unit:
        return unit.hello


def opens(laptop: Laptop, member: str) -> bool:
    with laptop.open(member) as unit:
        return unit.key(1, 64).data != b""


def assert_locked(laptop: Laptop, member: str) -> ndks.AuthenticationError:
    with laptop.open(member) as unit, pytest.raises(ndks.AuthenticationError) as refused:
        unit.next_index()
    assert (refused.value.code, refused.value.exit_status) == ("LOCKED", 5)
    assert refused.value.advice
    return refused.value
