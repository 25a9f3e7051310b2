# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of code.py: start and end of a unit."""

from collections.abc import Callable
from typing import Any

import pytest
from conversation import sealed
from hosts.network import BINDING, SUITE, membership, named
from x25519_reference import public_key

from firmware.stand_ins import Chip, Host, Script, WatchdogReset
from firmware.stand_ins.chip import FREE_MEMORY, UID
from firmware.stand_ins.clock import WatchDogMode
from ndks_protocol import commands, errors, framing
from ndks_unit import dispatcher
from ndks_unit.board import (
    RESET_BROWNOUT,
    RESET_OTHER,
    RESET_PIN,
    RESET_POWER_ON,
    RESET_SOFTWARE,
    RESET_WATCHDOG,
)
from ndks_unit.flash.records import BODY

JOINING_HEADER = b"\xf3\0\x40\0"  # of the record


@pytest.mark.parametrize("suite", range(len(commands.SUITES)))
def test_a_unit_gives_the_published_keys(chip: Chip, suite: int) -> None:
    published = [entry for entry in SUITE["export"] if entry["suite"] == suite]

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision(suite)
        for entry in published:
            key = yield from host.ask(commands.KEY_CHUNK, 0, entry["k"], 0, 32)
            assert key[0].hex() == entry["bytes"]

    assert published
    chip.run(script)


def test_what_a_unit_says_of_itself(chip: Chip) -> None:
    def script(host: Host) -> Script:
        host.open()
        hello = named(commands.HELLO.answer, (yield from host.ask(commands.HELLO)))
        assert (hello["uid"], hello["state"]) == (UID, commands.STATE_BLANK)
        assert hello["max_payload"] == framing.MAX_PAYLOAD
        yield from host.provision()
        hello = named(commands.HELLO.answer, (yield from host.ask(commands.HELLO)))
        assert hello["state"] == commands.STATE_LOCKED
        yield from host.open_session()
        status = named(commands.STATUS.answer, (yield from host.ask(commands.STATUS)))
        assert (status["state"], status["network"]) == (commands.STATE_PROVISIONED, "test")
        assert (status["flags"], status["free_memory"]) == (0, FREE_MEMORY)

    chip.run(script)


@pytest.mark.parametrize(
    ("reason", "number"),
    [
        *(("POWER_ON", RESET_POWER_ON), ("BROWNOUT", RESET_BROWNOUT), ("SOFTWARE", RESET_SOFTWARE)),
        *(("WATCHDOG", RESET_WATCHDOG), ("RESET_PIN", RESET_PIN)),
        *(("DEEP_SLEEP_ALARM", RESET_OTHER), ("UNKNOWN", RESET_OTHER), ("RESCUE_DEBUG", RESET_OTHER)),
    ],
)
def test_a_unit_says_why_it_started(chip: Chip, reason: str, number: int) -> None:
    chip.reset_reason = reason

    def script(host: Host) -> Script:
        host.open()
        status = named(commands.STATUS.answer, (yield from host.ask(commands.STATUS)))
        assert status["reset_reason"] == number

    chip.run(script)


def test_a_package_is_opened_after_a_restart(chip: Chip) -> None:
    """By the key that the unit has made before; a restart is what comes between a request and its package."""

    def ask(host: Host) -> Script:
        host.open()
        yield from host.wait_ms(500)  # idle: the pair is made ahead
        publics.extend((yield from host.ask(commands.JOINING_KEY)))

    def join(host: Host) -> Script:
        at = bytes(chip.sector.content).index(JOINING_HEADER)
        private = bytes(chip.sector.content)[at + BODY :][:32]
        assert public_key(private) == publics[0]
        host.open()
        yield from host.authenticate(None)
        fields = commands.PROVISION.request.pack(*membership())[32:]
        with pytest.raises(errors.UnitError, match="PACKAGE"):
            yield from host.ask(commands.PROVISION_SEALED, BINDING, sealed(bytes(32), fields))
        yield from host.ask(commands.PROVISION_SEALED, BINDING, sealed(private, fields))
        yield from host.open_session()
        assert (yield from host.ask(commands.NEXT_INDEX)) == (0, 1)
        assert private not in bytes(chip.sector.content)

    publics = list[bytes]()
    for script in (ask, join):
        chip.boot()
        chip.run(script)


def test_wrong_proofs_are_delayed_by_the_boards_own_clock(chip: Chip) -> None:
    """The clock wraps around soon after the start."""

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.wait_ms(64_900)
        for delay in (200, 400, 800):
            with pytest.raises(errors.UnitError, match="LOCKED"):
                yield from host.open_session(binding=bytes(32))
            with pytest.raises(errors.UnitError, match="DELAYED"):
                yield from host.ask(commands.NEXT_INDEX)
            yield from host.wait_ms(delay)
        yield from host.ask(commands.NEXT_INDEX)

    chip.run(script)


def test_a_changed_file_does_not_stop_the_unit(chip: Chip) -> None:
    def script(host: Host) -> Script:
        yield
        assert chip.runtime.autoreload is False

    chip.run(script)


def test_the_led_shows_each_request(chip: Chip) -> None:
    def script(host: Host) -> Script:
        host.open()
        yield from host.ask(commands.HELLO)
        yield from host.ask(commands.STATUS)
        yield

    chip.run(script)
    assert chip.led.history == [False, True, False, True, False]


def test_the_watchdog_resets_after_8_seconds(chip: Chip) -> None:
    def script(host: Host) -> Script:
        yield
        assert (chip.clock.watchdog.mode, chip.clock.watchdog.timeout) == (WatchDogMode.RESET, 8)

    chip.run(script)


def test_an_idle_unit_feeds_the_watchdog_and_writes_nothing(chip: Chip) -> None:
    chip.run(lambda host: host.wait_ms(30_000))
    assert chip.sector.content == b"\xff" * 4096


def test_a_member_writes_once_a_start(chip: Chip) -> None:
    """A start programs one byte, in the tail of the start counter."""

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()

    chip.run(script)
    for start in range(3):
        before = bytes(chip.sector.content)
        chip.boot()
        chip.run(lambda host: host.wait_ms(30_000))
        changed = [a != b for a, b in zip(before, chip.sector.content, strict=True)]
        assert sum(changed) == 1 or start == 0
    assert chip.sector.erases == chip.drive.syncs == 0


def test_a_long_computation_feeds_the_watchdog(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    _slow_down(chip, monkeypatch)

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        start = chip.clock.ms
        yield from host.ask(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
        assert chip.clock.ms - start > 8000

    chip.run(script)


def test_without_boot_py_the_advice_is_to_plug_in_again(chip: Chip) -> None:
    chip.power_on()
    with pytest.raises(RuntimeError, match="plug it in again"):
        chip.run(lambda host: host.wait_ms(1))
    assert chip.clock.watchdog.mode is None


def test_ctrl_c_at_the_console_does_not_end_in_a_reset(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chip.clock.watchdog, "vm_ends", lambda error: None)  # as if the watchdog ran on

    def script(host: Host) -> Script:
        yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chip.run(script)
    chip.clock.advance(60_000)


def test_after_any_other_exception_the_chip_resets_itself(chip: Chip) -> None:
    def script(host: Host) -> Script:
        yield
        raise MemoryError

    with pytest.raises(MemoryError):
        chip.run(script)
    with pytest.raises(WatchdogReset):
        chip.clock.advance(8001)


def test_a_failing_handler_is_no_such_exception(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(state: object) -> tuple[Any, ...]:
        raise MemoryError("at 0x20001234, next to the secret")

    monkeypatch.setitem(dispatcher.HANDLERS, commands.STATUS.code, fail)

    def script(host: Host) -> Script:
        host.open()
        frame = yield from host.answer_to(host.request(commands.STATUS))
        assert (frame.kind, frame.payload) == (framing.ERROR, errors.INTERNAL.to_bytes(2))
        yield from host.ask(commands.HELLO)

    chip.run(script)


def _slow_down(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each 16 bytes of a key take a quarter of a second."""
    from ndks_unit.fast_bits.lane_bits import LaneKeystream

    make: Callable[[LaneKeystream, int], None] = LaneKeystream._make

    def slowly(self: LaneKeystream, block: int) -> None:
        chip.clock.advance(250)
        make(self, block)

    monkeypatch.setattr(LaneKeystream, "_make", slowly)
