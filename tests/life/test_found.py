# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Regression tests for findings of the state machine, each by the shortest sequence of steps."""

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from session_reference import Binding
from support.public_network import public_network
from x25519_reference import BASE_POINT

from ndks.driver.unit import Unit
from ndks.exceptions import DeviceError, UnitRemoved
from ndks_protocol import commands

from .desk import Desk, Fault
from .flash_view import FlashView, look

NETWORK = public_network()
LONG_MS = 61_000  # longer than any delay after wrong proofs


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a unit bound to laptop A."""
    desk = Desk(tmp_path, random.Random(1), fine=False)
    desk.run(lambda host: host.bind(host.provision(NETWORK, 1)), None)
    desk.unplug()
    return desk


def prove_wrongly(desk: Desk) -> None:
    def operation(host: Unit) -> None:
        host._owner.greet()
        host._link.call(commands.OPEN_SESSION, BASE_POINT, bytes(16))
        host._link.call(commands.PROVE, bytes(16))

    with pytest.raises(DeviceError) as refusal:
        desk.run(operation, None)
    assert refusal.value.code == "LOCKED"


def seal(desk: Desk) -> int:
    desk.run(lambda host: host.seal(b"text"), None)
    return desk.run(lambda host: host.status().message_counter, None)


def test_floor_outlives_a_unit_put_back_to_before_its_binding(tmp_path: Path) -> None:
    """The printed words still exist, and the laptop knows the unit, its salt and its counters."""
    desk = Desk(tmp_path, random.Random(1), fine=False)
    code = desk.run(lambda host: host.provision(NETWORK, 1), None)
    images = desk.images()
    desk.run(lambda host: host.bind(code), None)
    assert [seal(desk) for _ in range(3)] == [1, 2, 3]
    desk.run(lambda host: host.close(), None)
    assert desk.minimum_counters[1] == 3
    desk.put_back(images)
    desk.power_up()
    desk.run(lambda host: host.bind(code), None)
    assert seal(desk) > 3


@pytest.mark.parametrize("end", [lambda host: host.bind(), lambda host: host.unlock()], ids=["bind", "unlock"])
def test_laptop_notes_the_numbers_of_a_session_that_it_ends(desk: Desk, end: Callable[[Unit], object]) -> None:
    images = desk.images()
    assert [seal(desk) for _ in range(3)] == [1, 2, 3]
    desk.run(end, None)
    assert desk.minimum_counters[1] == 3
    desk.put_back(images)
    desk.power_up()
    assert seal(desk) > 3


def test_wrong_attempts_end_with_an_erasure(desk: Desk) -> None:
    for _ in range(3):
        prove_wrongly(desk)
        desk.unit.clock.milliseconds += LONG_MS
    prove_wrongly(desk)
    desk.run(lambda host: host.zeroize(), None)
    assert desk.run(lambda host: host.status().wrong_attempts, None) == 0
    code = desk.run(lambda host: host.provision(NETWORK, 2), None)
    desk.run(lambda host: host.bind(code), None)


def test_right_proof_ends_wrong_attempts_also_with_a_full_log(desk: Desk) -> None:
    while desk.unit.firmware.state.log.size - desk.unit.firmware.state.log.used >= 112:
        desk.run(lambda host: host.acknowledge(0, host.next_index()[1] + 1), None)
    desk.run(lambda host: host.close(), None)
    desk.unplug()
    while desk.unit.firmware.state.log.size - desk.unit.firmware.state.log.used >= 32:
        prove_wrongly(desk)
        desk.unit.clock.milliseconds += LONG_MS
    assert desk.unit.firmware.state.session.wrong_attempts
    for _ in range(3):
        desk.run(lambda host: host.acknowledge(0, host.next_index()[1] + 1), None)
    assert desk.run(lambda host: host.status().wrong_attempts, None) == 0
    desk.power_up()
    assert desk.run(lambda host: host.status().wrong_attempts, None) == 0
    desk.run(lambda host: host.next_index(), None)


def test_too_far_stays_too_far(desk: Desk) -> None:
    hello = desk.greeted().hello
    for step in (1, 2, 3):
        desk.store.minimum_counters(hello).note(0, message_counter=step << 20)
    for _ in range(2):
        with pytest.raises(DeviceError) as refusal:
            desk.run(lambda host: host.next_index(), None)
        assert refusal.value.code == "TOO_FAR"


def test_host_is_told_that_the_case_was_opened(desk: Desk) -> None:
    desk.run(lambda host: host.next_index(), None)
    desk.unit.case.open()
    desk.unit.poll()
    with pytest.raises(DeviceError) as refusal:
        desk.run(lambda host: host.next_index(), None)
    assert refusal.value.code == "TAMPERED"


def test_binding_that_could_not_be_settled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot cannot be written after the commit marker: the new binding is valid."""
    salt = bytes.fromhex(desk.greeted().hello.salt)
    desk.unplug()
    old, desk.here = desk.binding_of("A", salt), "B"
    write = desk.unit.board.snapshot_write

    def seen() -> FlashView:
        return look(desk.images(), [old, desk.binding_of("B", salt)])

    def fail(slot: int, data: bytes) -> None:
        if not seen().is_settled:
            raise OSError("a damaged sector")
        write(slot, data)

    monkeypatch.setattr(desk.unit.board, "snapshot_write", fail)
    with pytest.raises(DeviceError) as refusal:
        desk.run(lambda host: host.bind(old), None)
    assert refusal.value.code == "STORAGE"
    assert not seen().is_settled
    desk.unplug()
    assert desk.run(lambda host: host.hello.binding_id, None) == Binding(seen().binding).id.hex()
    monkeypatch.undo()
    desk.run(lambda host: host.trust(9, "99" * 16), None)
    desk.power_up()
    assert seen().is_settled
    assert seen().trusted == {9: bytes.fromhex("99" * 16)}


def test_floor_holds_although_the_files_cannot_be_written(tmp_path: Path) -> None:
    """As with the development jumper on, after restoring an image from a power cut in BIND."""
    desk = Desk(tmp_path, random.Random(1), fine=False)
    code = desk.run(lambda host: host.provision(NETWORK, 1), None)
    images = desk.images()
    for steps in range(300):
        desk.put_back(images)
        desk.power_up()
        with suppress(UnitRemoved):
            desk.run(lambda host: host.bind(code), Fault("cut", steps))
        desk.power_up()
        bindings = [code, desk.binding_of("A", bytes.fromhex(desk.greeted().hello.salt))]
        if not look(desk.images(), bindings).is_settled:
            break
    unsettled = desk.images()
    assert not look(unsettled, bindings).is_settled
    assert [seal(desk) for _ in range(3)] == [1, 2, 3]
    desk.run(lambda host: host.close(), None)
    assert desk.minimum_counters[1] == 3
    desk.put_back(unsettled)
    desk.unit.flash.drive_is_writable = False
    desk.power_up()
    assert seal(desk) > 3
