# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units under test are blank at the end, whatever fails, and no other unit is changed."""

import shutil
import signal
from pathlib import Path

import pytest

import ndks
from ndks.exceptions import CheckFailed, UsageError
from ndks.network.network_file import Network
from ndks_laboratory.homologation.provisioning import UnitGroup
from ndks_laboratory.stages.sides import Side

NETWORK = Network.new("laboratory")


@pytest.fixture
def sides(tmp_path: Path) -> list[Side]:
    found = [Side(name, f"emulator:{tmp_path / f'{name}-unit'}", tmp_path / name) for name in ("alice", "bob")]
    for side in found:
        side.directory.mkdir()
    return found


def state(side: Side) -> str:
    with ndks.open(side.port, create=True) as unit:
        return unit.hello.state


def test_members_trust_each_other_and_are_blank_afterwards(sides: list[Side]) -> None:
    with UnitGroup(sides, pytest.fail).members(NETWORK) as membership:
        assert [member.lane for member in membership.members] == [1, 2]
        with ndks.open(sides[0].port, bindings=sides[0].bindings) as unit:
            capsule = unit.seal(b"text")
        with ndks.open(sides[1].port, bindings=sides[1].bindings) as unit:
            assert unit.unseal(capsule) == b"text"
    assert membership.states == [state(side) for side in sides] == ["blank", "blank"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_they_are_blank_after_an_interruption(sides: list[Side], error: type[BaseException]) -> None:
    group = UnitGroup(sides, pytest.fail)
    with pytest.raises(error), group.members(NETWORK):
        raise error
    assert [state(side) for side in sides] == ["blank", "blank"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signals_wait_while_units_are_erased(
    number: signal.Signals, sides: list[Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    zeroize = ndks.Unit.zeroize

    def interrupted(unit: ndks.Unit) -> None:
        signal.raise_signal(number)
        zeroize(unit)

    monkeypatch.setattr(ndks.Unit, "zeroize", interrupted)
    before = signal.getsignal(number)
    with UnitGroup(sides, pytest.fail).members(NETWORK):
        pass
    assert [state(side) for side in sides] == ["blank", "blank"]
    assert signal.getsignal(number) is before


def test_an_interruption_with_a_changed_decimal_leaves_blank_units(
    sides: list[Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    group = UnitGroup(sides, pytest.fail)
    monkeypatch.setattr(ndks.Unit, "key", interrupt)
    with pytest.raises(KeyboardInterrupt):
        group.keys_with_changed_decimal(NETWORK, 1024)
    assert [state(side) for side in sides] == ["blank", "blank"]


def test_when_one_unit_is_gone_the_other_is_blank_and_the_first_is_named(sides: list[Side]) -> None:
    warnings: list[str] = []
    group = UnitGroup(sides, warnings.append)
    directory = Path(sides[0].port.removeprefix("emulator:"))
    with group.members(NETWORK) as membership:
        shutil.move(directory, directory.with_name("away"))
    assert state(sides[1]) == "blank"
    assert membership.states[1] == "blank"
    assert membership.states[0].startswith("not erased: ")
    (warning,) = warnings
    assert group.units[0].serial_number in warning
    assert f"Do: plug it in; ndks zeroize --unit {sides[0].port}" in warning


def test_another_unit_at_the_same_port_is_left_alone(sides: list[Side], tmp_path: Path) -> None:
    warnings: list[str] = []
    group = UnitGroup(sides, warnings.append)
    place, other = Path(sides[1].port.removeprefix("emulator:")), tmp_path / "other"
    with ndks.open(f"emulator:{other}", create=True) as unit:
        unit.bind(unit.provision(Network.new("production"), 1))
        precious = unit.hello
    with group.members(NETWORK):
        shutil.move(place, tmp_path / "away")
        shutil.move(other, place)
    with ndks.open(sides[1].port) as unit:
        assert (unit.hello.serial_number, unit.hello.state) == (precious.serial_number, "locked")
    assert f"unit {precious.serial_number} is now at" in warnings[0]


def test_another_unit_is_not_provisioned_either(sides: list[Side], tmp_path: Path) -> None:
    group = UnitGroup(sides, pytest.fail)
    place = Path(sides[0].port.removeprefix("emulator:"))
    shutil.move(place, tmp_path / "away")
    state(sides[0])  # another blank unit
    with pytest.raises(CheckFailed, match="it was not changed"), group.members(NETWORK):
        pass
    assert state(sides[0]) == "blank"


def test_only_two_different_blank_units_are_tested(sides: list[Side]) -> None:
    with pytest.raises(UsageError, match="two ports lead to the same unit"):
        UnitGroup([sides[0], sides[0]], pytest.fail)
    with ndks.open(sides[0].port, create=True) as unit:
        unit.bind(unit.provision(NETWORK, 1))
    with pytest.raises(UsageError, match="only blank units can be tested"):
        UnitGroup(sides, pytest.fail)
    assert state(sides[0]) == "locked"
