# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units made from Python: `Unit.join` gives no lane twice, and loses no transport code."""

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import ndks
import ndks.exceptions
from ndks.driver.owner import Owner
from ndks.driver.unit import Unit

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"
Opened = Callable[[str], ndks.Unit]


@pytest.fixture
def blank(tmp_path: Path) -> Opened:
    return lambda name: ndks.open(f"emulator:{tmp_path / name}", create=True)


def test_five_lines_make_units_that_share_keys(network_file: Path, blank: Opened) -> None:
    keys: list[ndks.Key] = []
    for lane, name in enumerate(("alice", "bob"), 1):
        with blank(name) as unit:
            joined = unit.join(network_file, label=name)
            assert (joined.lane, joined.serial_number) == (lane, unit.hello.serial_number)
            keys.append(unit.next_key(256))
            assert unit.status().lane == lane
            assert joined.binding
            member = ndks.Member(lane, joined.serial_number, name, joined.binding.binding_id)
            assert ndks.Network.load(str(network_file)).member(lane) == member
    assert keys[0].data == keys[1].data


def test_unit_that_cannot_join_takes_no_lane(network_file: Path, blank: Opened) -> None:
    with blank("alice") as unit:
        unit.join(str(network_file))
        before = network_file.read_bytes()
        with pytest.raises(ndks.DeviceError, match="provisioned already"):
            unit.join(network_file)
    assert network_file.read_bytes() == before


def test_lane_of_an_interrupted_joining_is_not_given_again(
    network_file: Path, blank: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with blank("alice") as unit, monkeypatch.context() as patch:
        patch.setattr(Owner, "anonymous_session", stopped)
        with pytest.raises(KeyboardInterrupt):
            unit.join(network_file)
    with blank("alice") as unit:
        assert unit.join(network_file).lane == 2


def test_unit_for_another_laptop_is_bound_by_its_words(network_file: Path, blank: Opened, tmp_path: Path) -> None:
    with blank("alice") as unit:
        joined = unit.join(network_file, bind=False)
    assert joined.binding is None
    assert len(joined.transport_code.split()) == 24
    assert joined.transport_code not in repr(joined)
    with ndks.open(f"emulator:{tmp_path / 'alice'}", bindings=ndks.BindingStore(tmp_path / "there")) as unit:
        assert not unit.is_bound_here
        unit.bind(joined.transport_code)
        assert unit.status().lane == joined.lane
        with pytest.raises(ndks.UsageError):
            unit.bind("no such words")


def test_code_is_told_before_the_unit_is_bound(
    network_file: Path, blank: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ndks.UnitRemoved("gone")

    codes: list[str] = []
    with blank("alice") as unit:
        with monkeypatch.context() as patch:
            patch.setattr(Unit, "bind", fails)
            with pytest.raises(ndks.UnitRemoved):
                unit.join(network_file, tell_code=codes.append)
        assert unit.bind(codes[0]).binding_id == unit.hello.binding_id


def test_binding_that_cannot_be_noted_is_said_with_what_notes_it(network_file: Path, blank: Opened) -> None:
    with blank("alice") as unit:
        with pytest.raises(ndks.FileError, match="is a member, lane 1, and bound to this laptop") as refused:
            unit.join(network_file, tell_code=lambda _: network_file.unlink())
        assert refused.value.advice.startswith(f"ndks trust 1 {unit.hello.binding_id} --network ")
        assert unit.next_key(8).index == 1


def test_network_file_is_not_overwritten_unasked(network_file: Path) -> None:
    before = network_file.read_bytes()
    with pytest.raises(ndks.FileError, match="exists"):
        ndks.Network.new("office").save(network_file)
    assert network_file.read_bytes() == before


def test_network_file_calls_the_serial_number_uid_as_ever(network_file: Path, blank: Opened) -> None:
    with blank("alice") as unit:
        unit.join(network_file, "Alice")
    (member,) = json.loads(network_file.read_text())["members"]
    assert list(member) == ["lane", "uid", "label", "binding_id"]


def test_status_is_the_members_where_it_is_bound(alice: str, tmp_path: Path) -> None:
    with ndks.open(alice) as unit:
        assert (unit.status().state, unit.status().network) == ("provisioned", "office")
    with ndks.open(alice) as unit:
        assert (unit.status(unlock=False).state, unit.status(unlock=False).network) == ("locked", "")
    with ndks.open(alice, bindings=ndks.BindingStore(tmp_path / "elsewhere")) as unit:
        assert (unit.status().state, unit.status().network) == ("locked", "")
        with pytest.raises(ndks.AuthenticationError, match="no binding of unit"):
            unit.unlock()


def test_repr_names_the_unit_and_no_secret(alice: str, network: ndks.Network) -> None:
    with ndks.open(alice) as unit:
        unit.unlock()
        assert repr(unit) == f"<ndks.Unit {unit.hello.serial_number} at {alice}, locked>"
    assert repr(unit).endswith(", closed>")
    assert not [secret for secret in (network.p1, network.p2, network.secret.hex()) if secret in repr(network)]


def test_help_of_open_reads_right() -> None:
    assert ndks.open.__name__ == "open"
    assert list(inspect.signature(ndks.open).parameters) == ["unit", "timeout", "create", "bindings"]
    text = inspect.getdoc(ndks.open)
    assert text
    raised = ("NoUnit", "SeveralUnits", "UnitBusy", "PortPermission", "UnitTimeout", "VersionMismatch", "FileError")
    assert [name for name in raised if name not in text] == []


def test_every_public_name_is_shown_and_says_what_it_is() -> None:
    assert set(ndks.__all__) <= set(dir(ndks))
    public = [getattr(ndks, name) for name in ndks.__all__]
    public += [value for name, value in inspect.getmembers(ndks.Unit) if not name.startswith("_")]
    assert [thing for thing in public if not inspect.getdoc(thing)] == []


def test_reference_has_every_public_name() -> None:
    shown = set(re.findall(r"^::: ndks\.(\w+)$", REFERENCE.read_text(), re.MULTILINE))
    errors = {name for name in ndks.__all__ if name in str(ndks.exceptions.__doc__)}
    assert shown | errors == {*ndks.__all__, "exceptions"}
