# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The case switch of a board, in both wirings: opening the case erases the unit."""

from collections.abc import Callable
from typing import Any

import pytest
from hosts.network import SECRET, membership, named

from firmware.stand_ins import Chip, Host, Script
from firmware.stand_ins.host import ALL
from firmware.stand_ins.pins import Pin, Pull
from ndks_protocol import commands, errors

LOOP = {"NDKS_CASE_LOOP": 1}
OPENER: dict[str, Any] = {}  # a switch that connects the pin to ground when the case is open, or no switch

JOINING_HEADER = b"\xf3\0\x40\0"  # of the record

SEEN_MS = 10  # time of three consecutive samples, after which the firmware registers an open case

wirings = pytest.mark.parametrize("settings", [OPENER, LOOP], ids=["opener", "loop"])


def wire(chip: Chip, settings: dict[str, Any]) -> None:
    chip.settings = settings
    close_case(chip)


def close_case(chip: Chip) -> None:
    chip.case.grounded = chip.settings == LOOP


def open_case(chip: Chip) -> None:
    chip.case.grounded = chip.settings != LOOP


def membership_is_gone(chip: Chip) -> bool:
    """Check that nvm and files have only the record of tampering."""
    images = [bytes(chip.sector.content), *chip.drive.images]
    return all(image[64:4064] == b"\xff" * 4000 for image in images)


def find_it_tampered(host: Host) -> Script:
    """Check that the session has ended and that HELLO and STATUS report tampering."""
    with pytest.raises(errors.UnitError):
        yield from host.ask_as_it_is(commands.NEXT_INDEX)
    for command in (commands.HELLO, commands.STATUS):
        assert named(command.answer, (yield from host.ask(command)))["state"] == commands.STATE_TAMPERED
    for command, values in ((commands.NEXT_INDEX, ()), (commands.PROVISION, membership())):
        with pytest.raises(errors.UnitError, match="TAMPERED"):
            yield from host.ask_as_it_is(command, *values)


def become_member(chip: Chip) -> None:
    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.ask(commands.NEXT_INDEX)

    chip.boot()
    chip.run(script)
    assert not membership_is_gone(chip)


def then(check: Callable[[Host], Script]) -> Callable[[Host], Script]:
    def script(host: Host) -> Script:
        host.open()
        yield from check(host)

    return script


@wirings
def test_a_closed_case_is_closed(chip: Chip, settings: dict[str, Any]) -> None:
    wire(chip, settings)
    become_member(chip)
    chip.boot()
    chip.run(then(lambda host: host.ask(commands.NEXT_INDEX)))
    assert not membership_is_gone(chip)


@wirings
@pytest.mark.parametrize("when", ["idle", "in a session", "for a moment"])
def test_an_open_case_costs_everything(chip: Chip, settings: dict[str, Any], when: str) -> None:
    wire(chip, settings)
    become_member(chip)

    def script(host: Host) -> Script:
        if when == "idle":
            open_case(chip)
            yield from host.wait_ms(SEEN_MS)
            return
        host.open()
        yield from host.ask(commands.NEXT_INDEX)
        open_case(chip)
        yield from host.wait_ms(SEEN_MS)
        if when == "for a moment":
            close_case(chip)
        yield from find_it_tampered(host)

    chip.boot()
    chip.run(script)
    assert membership_is_gone(chip)
    assert SECRET not in bytes(chip.sector.content)


@wirings
@pytest.mark.parametrize("when", ["running", "without power"])
def test_an_open_case_costs_a_joining_key(chip: Chip, settings: dict[str, Any], when: str) -> None:
    """Of a blank unit, too: the key lies in flash in the clear."""
    wire(chip, settings)

    def script(host: Host) -> Script:
        host.open()
        yield from host.ask(commands.JOINING_KEY)
        assert not membership_is_gone(chip)
        if when == "running":
            open_case(chip)
            yield from host.wait_ms(SEEN_MS)
            yield from find_it_tampered(host)

    chip.boot()
    chip.run(script)
    if when == "without power":
        assert JOINING_HEADER in bytes(chip.sector.content)
        open_case(chip)
        chip.boot()
        chip.run(then(find_it_tampered))
    assert membership_is_gone(chip)
    assert JOINING_HEADER not in bytes(chip.sector.content)


def open_while_a_key_goes_out(chip: Chip, host: Host) -> Script:
    """Open the case briefly while a slow host is still reading an answer."""
    host.open()
    yield from host.ask(commands.NEXT_INDEX)
    host.appetite = 1
    host.request(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
    yield from host.wait(lambda: host.port.out_waiting > 200)
    open_case(chip)
    yield from host.wait_ms(SEEN_MS)
    close_case(chip)


@wirings
def test_a_case_that_was_open_counts_as_open_until_the_next_start(chip: Chip, settings: dict[str, Any]) -> None:
    """The firmware notices a short opening when it next feeds the watchdog."""
    wire(chip, settings)
    become_member(chip)

    def script(host: Host) -> Script:
        yield from open_while_a_key_goes_out(chip, host)
        host.appetite = ALL
        yield from find_it_tampered(host)

    chip.boot()
    chip.run(script)
    assert membership_is_gone(chip)


def test_no_host_holds_up_the_erasure(chip: Chip) -> None:
    become_member(chip)

    def script(host: Host) -> Script:
        yield from open_while_a_key_goes_out(chip, host)
        yield from host.wait_ms(100)

    chip.boot()
    chip.run(script)
    assert membership_is_gone(chip)


class NoisyPin(Pin):
    """A closed switch with noise: one of three samples is right."""

    _looks = 0  # two accesses per sample

    @property
    def grounded(self) -> bool:
        self._looks += 1
        return self._looks // 2 % 3 != 2

    @grounded.setter
    def grounded(self, grounded: bool) -> None:
        pass


def test_a_disturbance_is_no_open_case(chip: Chip) -> None:
    become_member(chip)
    chip.case = NoisyPin()
    chip.boot()
    chip.run(then(lambda host: host.ask(commands.NEXT_INDEX)))
    assert not membership_is_gone(chip)


@wirings
def test_a_case_that_is_open_at_the_start(chip: Chip, settings: dict[str, Any]) -> None:
    wire(chip, settings)
    become_member(chip)
    open_case(chip)
    chip.boot()
    chip.run(lambda host: host.wait_ms(1))
    assert membership_is_gone(chip)


@wirings
def test_only_zeroize_makes_a_tampered_unit_blank(chip: Chip, settings: dict[str, Any]) -> None:
    wire(chip, settings)
    become_member(chip)
    open_case(chip)
    chip.boot()
    chip.run(lambda host: host.wait_ms(1))
    close_case(chip)

    def script(host: Host) -> Script:
        hello = named(commands.HELLO.answer, (yield from host.ask(commands.HELLO)))
        assert hello["state"] == commands.STATE_TAMPERED
        with pytest.raises(errors.UnitError, match="TAMPERED"):
            yield from host.provision()
        yield from host.ask(commands.ZEROIZE, commands.CONFIRMATION, hello["uid"])
        yield from host.provision()
        yield from host.ask(commands.NEXT_INDEX)

    for _ in range(2):
        chip.boot()
    chip.run(then(script))


@pytest.mark.parametrize("settings", [{"NDKS_CASE_LOOP": 0}, {"OTHER": 1}])
def test_without_a_loop_a_pin_that_is_not_connected_is_a_closed_case(chip: Chip, settings: dict[str, Any]) -> None:
    chip.settings = settings
    become_member(chip)
    assert chip.case.pull == Pull.UP


def test_a_loop_that_is_cut_is_an_open_case(chip: Chip) -> None:
    wire(chip, LOOP)
    become_member(chip)
    chip.case.grounded = False
    chip.boot()
    chip.run(lambda host: host.wait_ms(1))
    assert membership_is_gone(chip)


@pytest.mark.parametrize("jumper", [False, True])
def test_boot_py_leaves_the_switch_alone(chip: Chip, jumper: bool) -> None:
    chip.jumper.grounded = jumper
    chip.boot()
    assert (chip.case.in_use, chip.case.pull) == (False, None)
