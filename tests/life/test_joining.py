# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handshakes and joining, interrupted at every step: by a power cut, in a request, or before its answer arrives.

Whatever happens, the unit is blank with the joining key before, the new one or none, or it is a member; nothing counts as
a wrong attempt; and who repeats what was interrupted gets what he wanted.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.power_cuts import PowerCuts
from support.public_network import public_network

from ndks.driver.unit import Unit
from ndks.exceptions import DeviceError, NdksError
from ndks.line.session import open_anonymous_session
from ndks_protocol import commands

from .desk import Desk, Fault
from .flash_view import FlashView, look
from .packages import package_for

NETWORK = public_network()
LANE = 1
CODE = bytes(range(32))
Operation = Callable[[Unit], Any]


def make_key(host: Unit) -> None:
    host._link.call(commands.JOINING_KEY)


def provision(host: Unit) -> None:
    host.provision(NETWORK, LANE)


def open_anonymously(host: Unit) -> None:
    host._owner.greet()
    open_anonymous_session(host._link, host._owner._hello_payload)
    host._link.call(commands.STATUS)


def seen(desk: Desk) -> FlashView:
    return look(desk.images(), desk.bindings)


def join(desk: Desk) -> Operation:
    """Return how the unit joins by a package for its present joining key."""
    package = package_for(NETWORK, LANE, seen(desk).joining_key[32:], bytes(range(32, 64)))
    return lambda host: host._owner.provision(commands.PROVISION_SEALED, CODE, package)


# What is done before, and what is interrupted
CASES: dict[str, tuple[list[Operation], Callable[[Desk], Operation]]] = {
    "the first joining key": ([], lambda _: make_key),
    "the second joining key": ([make_key], lambda _: make_key),
    "a package": ([make_key], join),
    "a provisioning": ([], lambda _: provision),
    "a provisioning in place of a package": ([make_key], lambda _: provision),
    "an anonymous session": ([make_key], lambda _: open_anonymously),
}


@pytest.fixture(params=CASES)
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Desk, Operation]:
    """A desk with a blank unit, and what is to be interrupted there."""
    before, interrupted = CASES[request.param]
    desk = Desk(tmp_path, random.Random(1), fine=True)
    for operation in before:
        desk.run(operation, None)
    return desk, interrupted(desk)


def test_power_goes(begun: tuple[Desk, Operation], power_cuts: PowerCuts) -> None:
    desk, operation = begun
    images = desk.images()
    first = desk.unit.power.steps
    desk.run(operation, None)
    for steps in power_cuts.points(max(desk.unit.power.steps - first, 1), at_most=20, in_full=300):
        begin_again(desk, images)
        with suppress(NdksError):
            desk.run(operation, Fault("cut", steps))
        desk.power_up()
        check(desk)


@pytest.mark.parametrize("kind", ["part", "lost"])
def test_cable_is_pulled(kind: str, begun: tuple[Desk, Operation]) -> None:
    desk, operation = begun
    images = desk.images()
    for _ in faults(desk, kind, operation, images):
        desk.unplug()
        check(desk)


def faults(desk: Desk, kind: str, operation: Operation, images: list[bytes]) -> Iterator[int]:
    """Repeat an operation with a fault in ever later frames, until it has no so many; yield their numbers."""
    for frame in range(1, 20):
        begin_again(desk, images)
        desk.greeted()
        with suppress(NdksError):
            desk.run(operation, Fault(kind, frame))
        if not desk.struck:
            assert frame > 1
            return
        yield frame
    raise AssertionError("an operation of so many frames")


def begin_again(desk: Desk, images: list[bytes]) -> None:
    desk.put_back(images)
    desk.power_up()
    desk.bindings.clear()


def check(desk: Desk) -> None:
    """Check what an interruption has left, and that a unit that is not a member yet can still join."""
    view = seen(desk)
    assert view.wrong_attempts == desk.unit.firmware.state.session.wrong_attempts == 0
    assert not view.is_tampered
    if not view.is_bound:
        assert desk.run(lambda host: host.status().state, None) == "blank"
        desk.run(make_key, None)
        assert seen(desk).joining_key not in (b"", view.joining_key)
        desk.run(join(desk), None)
    left = seen(desk)
    assert (left.joining_key, left.has_remains) == (b"", False)
    assert desk.run(lambda host: host.bind(desk.bindings[-1]), None)
    assert desk.run(lambda host: host.status().lane, None) == LANE


@pytest.mark.parametrize("kind", ["part", "lost"])
def test_cable_is_pulled_from_a_member(kind: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, random.Random(1), fine=False)
    desk.run(lambda host: host.bind(host.provision(NETWORK, LANE)), None)
    images = desk.images()
    for _ in faults(desk, kind, lambda host: host.unlock(), images):
        desk.unplug()
        assert desk.run(lambda host: host.status().wrong_attempts, None) == 0
        desk.run(lambda host: host.next_index(), None)


def test_package_is_used_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, random.Random(1), fine=False)
    desk.run(make_key, None)
    use = join(desk)
    desk.run(use, None)
    assert refusal(desk, use) == "PROVISIONED"
    desk.run(lambda host: host.zeroize(), None)
    assert refusal(desk, use) == "NO_JOINING_KEY"
    desk.run(make_key, None)
    assert refusal(desk, use) == "PACKAGE"


def test_joining_key_survives_a_restart_and_refusals(tmp_path: Path) -> None:
    desk = Desk(tmp_path, random.Random(1), fine=False)
    desk.run(make_key, None)
    key, use = seen(desk).joining_key, join(desk)
    for package in (b"", bytes(32) + bytes(16), key[32:] + bytes(200)):
        code = refusal(desk, lambda host, sent=package: host._owner.provision(commands.PROVISION_SEALED, CODE, sent))
        assert code in ("PACKAGE", "PUBLIC_KEY")
    desk.run(open_anonymously, None)
    desk.unplug()
    desk.power_up()
    assert seen(desk).joining_key == key
    desk.run(use, None)
    assert seen(desk).binding == CODE


def refusal(desk: Desk, operation: Operation) -> str:
    with pytest.raises(DeviceError) as refused:
        desk.run(operation, None)
    return refused.value.code
