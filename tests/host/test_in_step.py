# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two laptops stay in step: no index is skipped, used twice, or acknowledged for an incomplete file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from host.asking import next_index
from host.conftest import Call
from host.running import Finished, assert_refused

import ndks
from ndks.driver import streams as download
from ndks.driver.partial_file import PartialFile
from ndks_protocol.commands import MAX_JUMP

BITS = 8 * 3000


def interrupt(port: str, target: Path, index: int) -> None:
    """Leave the files of an interrupted stream."""
    with ndks.open(port) as unit:
        plan = download.plan_download(unit, target, BITS, index, force=False)
        with PartialFile(download.part_of(target), download.tally_of(target)) as part:
            part.append(unit.key(plan.k, BITS).data[:1024])


@pytest.fixture
def unplugged_before_acknowledging(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Pull the cable at each ACKNOWLEDGE; return a function that plugs it in again."""

    def removed(*_: object, **__: object) -> int:
        raise ndks.UnitRemoved("the unit was removed")

    original = ndks.Unit.acknowledge
    monkeypatch.setattr(ndks.Unit, "acknowledge", removed)
    return lambda: monkeypatch.setattr(ndks.Unit, "acknowledge", original)


def test_an_interrupted_stream_of_a_named_key_is_not_taken_for_one_of_the_next(
    alice: str, tmp_path: Path, call: Call
) -> None:
    target = tmp_path / "out"
    interrupt(alice, target, 9)
    finished = call("stream", "--unit", alice, "--bits", BITS, "-o", target)
    assert_refused(finished, "FILE", 1)
    assert "--index 9" in finished.advice
    assert next_index(alice) == 1
    assert call("stream", "--unit", alice, "--bits", BITS, "-o", target, "--index", 9).status == 0
    assert next_index(alice) == 1


def test_a_stream_that_was_only_not_acknowledged_is_completed_by_the_same_command(
    alice: str, tmp_path: Path, call: Call, unplugged_before_acknowledging: Callable[[], None]
) -> None:
    target = tmp_path / "out"
    command = ("stream", "--unit", alice, "--bits", BITS, "-o", target)
    assert_refused(call(*command), "REMOVED", 6)
    whole = target.read_bytes()
    assert next_index(alice) == 1
    unplugged_before_acknowledging()
    assert call(*command).status == 0
    assert (target.read_bytes(), next_index(alice)) == (whole, 2)
    assert [path.name for path in tmp_path.glob("out*")] == ["out"]


def test_a_stream_whose_acknowledgement_was_not_heard_of_is_completed_by_the_same_command(
    alice: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit has advanced, but the process died before it deleted the plan."""
    target = tmp_path / "out"
    command = ("stream", "--unit", alice, "--bits", BITS, "-o", target)
    with monkeypatch.context() as patch:
        patch.setattr(download, "finish", lambda target: None)
        assert call(*command).status == 0
    assert (next_index(alice), download.plan_of(target).exists()) == (2, True)
    whole = target.read_bytes()
    assert call(*command).status == 0
    assert (target.read_bytes(), next_index(alice)) == (whole, 2)
    assert [path.name for path in tmp_path.glob("out*")] == ["out"]


def test_an_old_file_is_never_taken_for_the_new_key(
    alice: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An overwrite was interrupted and a second one could not be planned: the target is still the old file."""
    target = tmp_path / "out"
    target.write_bytes(bytes(BITS // 8))
    with ndks.open(alice) as unit:
        download.plan_download(unit, target, BITS, None, force=True)
        with monkeypatch.context() as patch:
            patch.setattr(download, "_save_plan", lambda *_: _disk_full())
            with pytest.raises(OSError, match="full"):
                download.plan_download(unit, target, BITS - 8, None, force=True)
    assert_refused(call("stream", "--unit", alice, "--bits", BITS, "-o", target), "FILE", 1)
    assert (target.read_bytes(), next_index(alice)) == (bytes(BITS // 8), 1)


def test_a_part_that_was_deleted_is_fetched_again(alice: str, tmp_path: Path, call: Call) -> None:
    target = tmp_path / "out"
    target.write_bytes(bytes(BITS // 8))
    with ndks.open(alice) as unit:
        download.plan_download(unit, target, BITS, None, force=True)
        expected = unit.key(1, BITS).data
    download.part_of(target).unlink()
    assert_refused(call("stream", "--unit", alice, "--bits", BITS, "-o", target), "FILE", 1)
    assert call("stream", "--unit", alice, "--bits", BITS, "-o", target, "--force").status == 0
    assert target.read_bytes() == expected


def test_resuming_does_not_replace_what_has_come_in_between(alice: str, tmp_path: Path, call: Call) -> None:
    target = tmp_path / "out"
    interrupt(alice, target, 1)
    target.write_text("another key")
    assert_refused(call("stream", "--unit", alice, "--bits", BITS, "-o", target), "FILE", 1)
    assert target.read_text() == "another key"


def _disk_full() -> None:
    raise OSError(28, "disk full")


def test_a_key_that_was_only_not_acknowledged_says_how_to_do_that(
    alice: str, call: Call, unplugged_before_acknowledging: Callable[[], None]
) -> None:
    def refused() -> Finished:
        return call("key", "--unit", alice, "--bits", 128)

    first = refused()
    assert first.error_code == "REMOVED"
    assert "ndks key --index 1 --advance" in first.advice
    unplugged_before_acknowledging()
    assert call("key", "--unit", alice, "--bits", 128, "--index", 1, "--advance").output == first.output
    assert next_index(alice) == 2


@pytest.mark.parametrize("command", ["key", "stream"])
def test_a_jump_that_is_too_far_is_refused_before_anything_is_written(
    alice: str, tmp_path: Path, call: Call, command: str
) -> None:
    target = tmp_path / "out"
    options = ("--unit", alice, "--bits", 8, "-o", target, "--index", MAX_JUMP + 2, "--advance")
    assert_refused(call(command, *options), "TOO_FAR", 4)
    assert list(tmp_path.glob("out*")) == []
    assert call(command, *options, "--allow-jump").status == 0
    assert next_index(alice) == MAX_JUMP + 3


def test_a_stream_does_not_go_on_in_another_network(
    tmp_path: Path, call: Call, network: ndks.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unit, epoch and index are the same, but the unit was provisioned again in between."""
    port, target = f"emulator:{tmp_path / 'unit'}", tmp_path / "out"
    uid = tmp_path / "unit" / "uid"
    with ndks.open(port, create=True) as unit:
        unit.bind(unit.provision(network, 1))
    interrupt(port, target, 1)
    same_uid = uid.read_text()
    for path in (tmp_path / "unit").iterdir():
        path.unlink()
    uid.write_text(same_uid)
    with ndks.open(port) as unit:
        unit.bind(unit.provision(replace(network, secret=bytes(32)), 1))
    assert_refused(call("stream", "--unit", port, "--bits", BITS, "-o", target), "FILE", 1)
    assert len(download.part_of(target).read_bytes()) == 1024


def test_the_last_index_can_be_used_up_and_the_unit_goes_on(alice: str, call: Call) -> None:
    last = (1 << 47) - 1
    assert call("key", "--unit", alice, "--index", last, "--advance", "--allow-jump").status == 0
    assert call("key", "--unit", alice, "--index", 5).status == 0
    assert "next key    none left" in call("info", "--unit", alice).text
    assert_refused(call("key", "--unit", alice), "RANGE", 4)


@pytest.mark.parametrize("command", ["key", "stream", "generate"])
def test_devices_are_never_replaced_by_files(alice: str, tmp_path: Path, call: Call, command: str) -> None:
    target = tmp_path / "null"
    target.symlink_to("/dev/null")
    where = ("--p1", "0.52", "--p2", "25") if command == "generate" else ("--unit", alice)
    assert_refused(call(command, *where, "--bits", 8, "-o", target, "--force"), "FILE", 1)
    assert Path("/dev/null").is_char_device()
    assert next_index(alice) == 1


def test_a_link_is_followed_not_replaced(alice: str, tmp_path: Path, call: Call) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    assert call("key", "--unit", alice, "-o", link, "--force").status == 0
    assert link.is_symlink()
    assert len(real.read_text()) == 65


def test_a_lane_is_given_once_whatever_name_the_file_goes_by(network_file: Path, tmp_path: Path, call: Call) -> None:
    link = tmp_path / "link.ndksnet"
    link.symlink_to(network_file)
    for number, path in enumerate((link, network_file, link), 1):
        assert call("provision", path, "--bind", "--unit", f"emulator:{tmp_path / str(number)}").status == 0
    assert link.is_symlink()
    assert [member.lane for member in ndks.Network.load(network_file).members] == [1, 2, 3]


def test_other_calls_may_be_made_during_a_stream(alice: str) -> None:
    with ndks.open(alice) as unit:
        whole = unit.key(1, BITS).data
        blocks = [(block, unit.status().epoch, unit.key(2, 8).data) for block in unit.stream_key(1, BITS)]
    assert b"".join(block for block, _, _ in blocks) == whole


def test_names_that_are_no_utf8(alice: str, tmp_path: Path, call: Call) -> None:
    target = tmp_path / "k\udce9y"
    assert call("key", "--unit", alice, "-o", target).status == 0
    assert len(target.read_text()) == 65
    assert next_index(alice) == 2
    assert_refused(call("network", "new", "caf\udce9", "-o", tmp_path / "x"), "USAGE", 2)
