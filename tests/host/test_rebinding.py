# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Binding and rebinding that are cut off or repeated; a transport code opens a unit once."""

from pathlib import Path

import pytest
from host.binding_stores import Laptop, assert_locked, hello_of, laptop, member, opens
from host.watched_line import CutLine, wrap_lines

import ndks
from ndks_protocol import commands

__all__ = ("laptop", "member")


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_binding_that_is_cut_off(
    laptop: Laptop, network: ndks.Network, tmp_path: Path, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        code = unit.provision(network, 1)
    with monkeypatch.context() as cut:
        wrap_lines(cut, lambda line: CutLine(line, commands.BIND, heard=heard))
        with laptop.open(port) as unit, pytest.raises(ndks.UnitRemoved):
            unit.bind(code)
    if heard:
        assert opens(laptop, port)
        assert_code_opens_nothing(laptop, port, code)
    else:
        assert_locked(laptop, port)
        with laptop.open(port) as unit:
            unit.bind(code)
        assert opens(laptop, port)


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_rebinding_that_is_cut_off_keeps_what_opens_the_unit(
    laptop: Laptop, member: str, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.network = (("subnet", "10.0.0.0/8"),)
    before = hello_of(laptop, member)
    with monkeypatch.context() as cut:
        wrap_lines(cut, lambda line: CutLine(line, commands.BIND, heard=heard))
        with laptop.open(member) as unit, pytest.raises(ndks.UnitRemoved):
            unit.bind(with_network=True)
    assert len(laptop.store.unit(before.serial_number).bindings) == 2
    assert (hello_of(laptop, member).binding_id == before.binding_id) == (not heard)
    assert opens(laptop, member)
    with laptop.open(member) as unit:
        binding = unit.bind(with_network=True)
    assert laptop.store.unit(before.serial_number).bindings == (binding,)
    assert binding.binding_id == hello_of(laptop, member).binding_id != before.binding_id
    assert opens(laptop, member)


def test_rebinding_again_and_again(laptop: Laptop, member: str) -> None:
    ids = [hello_of(laptop, member).binding_id]
    for number in range(4):
        laptop.network = (("subnet", "10.0.0.0/8"),)
        with laptop.open(member) as unit:
            ids.append(unit.bind(with_network=number % 2 == 0).binding_id)
        assert opens(laptop, member)
    assert ids[0] == ids[2] == ids[4] != ids[1] == ids[3]


def assert_code_opens_nothing(laptop: Laptop, member: str, code: bytes) -> None:
    with laptop.open(member) as unit, pytest.raises(ndks.AuthenticationError) as refused:
        unit.bind(code)
    assert refused.value.code in ("LOCKED", "KEK")


def test_a_transport_code_is_used_up(laptop: Laptop, network: ndks.Network, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        code = unit.provision(network, 1)
        assert len(code) == 32
        assert not unit.is_bound_here
        unit.bind(code)
    assert_code_opens_nothing(laptop, port, code)
    assert opens(laptop, port)


def test_a_wrong_code_counts_as_no_attempt(laptop: Laptop, network: ndks.Network, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        code = unit.provision(network, 1)
    for _ in range(5):
        assert_code_opens_nothing(laptop, port, bytes(32))
    with laptop.open(port) as unit:
        assert unit.status().wrong_attempts == 0
        unit.bind(code)
    assert opens(laptop, port)


def test_a_blank_unit_is_not_bound(laptop: Laptop, tmp_path: Path) -> None:
    with laptop.open(f"emulator:{tmp_path / 'unit'}", create=True) as unit:
        for code in (b"", bytes(32)):
            with pytest.raises(ndks.DeviceError) as refused:
                unit.bind(code)
            assert refused.value.code == "BLANK"
    assert not laptop.directory.exists()
