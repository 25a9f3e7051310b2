# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks stream` in a network whose epoch or generation changes while a key is read."""

import secrets
from pathlib import Path

import pytest
from host.running import run

import ndks
from ndks.driver import streams
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.member_package import seal_member
from ndks.network.network_file import Network

BITS = 8 * 5000
TICKS = 16  # at most in one request; a unit moves once in 64


@pytest.fixture
def administrator() -> Administrator:
    return Administrator(Administration(Network.new("office"), secrets.token_bytes(32)))


@pytest.fixture
def member(administrator: Administrator, tmp_path: Path) -> str:
    """The port of a unit in the first generation."""
    port = f"emulator:{tmp_path}/unit"
    with ndks.open(port, create=True) as unit:
        request = unit.join_request()
        lane = administrator.admit(request.serial_number)
        bundle = administrator.issue()
        unit.enrol(seal_member(administrator, request, lane, bundle))
        enter(unit, administrator)
    return port


def enter(unit: ndks.Unit, administrator: Administrator) -> None:
    bundle = administrator.state.bundles[-1]
    unit.unlock()
    (notice,) = bundle.notices_for(unit.hint(bundle.g))
    unit.notice(bundle.g, notice)


def begin(port: str, target: Path, size: int) -> bytes:
    """Leave a stream of the next key that was interrupted behind its first bytes; return the whole key."""
    with ndks.open(port) as unit:
        plan = streams.plan_download(unit, target, BITS, None, force=False)
        whole = unit.key(plan.k, BITS).data
    streams.part_of(target).write_bytes(whole[:size])
    return whole


def test_a_stream_goes_on_in_its_epoch(member: str, tmp_path: Path) -> None:
    target = tmp_path / "out.key"
    whole = begin(member, target, 2048)
    with ndks.open(member) as unit:
        unit.renew()
        assert unit.key(1, BITS).data != whole
    ended = run("stream", "--unit", member, "-o", target, "--bits", BITS)
    assert ended.status == 0, ended.stderr
    assert target.read_bytes() == whole
    with ndks.open(member) as unit:
        assert unit.next_index()[1] == 1  # of the new epoch: none of its keys was used up
    assert not streams.plan_of(target).exists()


def test_a_stream_does_not_go_on_in_another_generation(
    member: str, administrator: Administrator, tmp_path: Path
) -> None:
    target = tmp_path / "out.key"
    begin(member, target, 2048)
    administrator.issue()
    with ndks.open(member) as unit:
        enter(unit, administrator)
    ended = run("stream", "--unit", member, "-o", target, "--bits", BITS)
    assert ended.status == 1
    assert "--force" in ended.stderr
    assert streams.part_of(target).stat().st_size == 2048


def test_a_key_of_an_epoch_that_was_left_counts_as_used_up(member: str) -> None:
    with ndks.open(member) as unit, unit.taking_key(256) as key:
        whole = key.read().data
        unit.renew()
    with ndks.open(member) as unit:
        assert unit.key(key.index, 256, epoch=key.epoch).data == whole
        assert unit.next_index() == (key.epoch + 1, 1)
