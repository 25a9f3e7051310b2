# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the dispatcher: every request has one answer, whatever fails."""

import hashlib
import struct
from typing import Any

import pytest
from hosts.memory import Host, complete_pair, new_flash
from hosts.network import membership, named
from hosts.played import host_of, play
from hosts.sessions import SHARE
from support.reference import FIRMWARE_OF_VECTORS, load_vectors

from ndks.crypto import CRYPTO
from ndks_emulator import MemoryUnit, SetClock
from ndks_protocol import commands, errors, framing
from ndks_protocol.control import rows
from ndks_protocol.flash import NVM_SIZE
from ndks_unit import board, device, dispatcher, paper_bits
from ndks_unit.flash import records
from ndks_unit.flash.records import CURRENT_FORMAT, OLDEST_FORMAT, RecordKeys
from ndks_unit.state import State

CONVERSATION = load_vectors("commands")


def test_published_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes on the line equal those of an independent implementation, including sessions."""
    monkeypatch.setattr(device, "FIRMWARE", FIRMWARE_OF_VECTORS)
    play(host_of(CONVERSATION, CONVERSATION), CONVERSATION["steps"])


def test_the_published_conversation_holds_all_commands() -> None:
    asked = {step["command"] for step in CONVERSATION["steps"] if "answer" in step}
    assert asked == set(commands.TABLE)


def test_every_command_has_a_handler() -> None:
    elsewhere = (
        dispatcher.ON_DEMAND.keys() | rows.ROWS.keys()
    )  # those of networks are served by what is loaded for them
    assert dispatcher.HANDLERS.keys() | elsewhere == commands.TABLE.keys()
    assert not dispatcher.HANDLERS.keys() & dispatcher.ON_DEMAND.keys()


@pytest.mark.parametrize("failure", [ValueError, MemoryError, RuntimeError, OSError, KeyError])
def test_an_unknown_exception_becomes_a_code_without_text(
    bound: MemoryUnit, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def fail(state: State, *values: object) -> tuple[Any, ...]:
        raise failure("the secret is 0001020304")

    host = Host(bound.clone())
    monkeypatch.setitem(dispatcher.HANDLERS, commands.KEY_CHUNK.code, fail)
    with pytest.raises(errors.UnitError, match="INTERNAL"):
        host.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
    assert host.ask(commands.NEXT_INDEX) == (0, 1)
    monkeypatch.setitem(dispatcher.HANDLERS, commands.HELLO.code, fail)
    frame = host.send(commands.HELLO, b"")
    assert (frame.kind, frame.payload) == (framing.ERROR, struct.pack(">H", errors.INTERNAL))


def test_an_answer_that_does_not_fit_its_layout_is_internal(bound: MemoryUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dispatcher.HANDLERS, commands.NEXT_INDEX.code, lambda state: (0, -1))
    with pytest.raises(errors.UnitError, match="INTERNAL"):
        Host(bound.clone()).ask(commands.NEXT_INDEX)


def test_nvm_that_cannot_be_written_is_storage() -> None:
    host = Host()
    host.unit.flash.nvm.worn_out = True
    with pytest.raises(errors.UnitError, match="STORAGE"):
        host.provision()
    assert host.status()["state"] == commands.STATE_BLANK

    host.unit.flash.nvm.worn_out = False
    host.provision()
    host.unit.flash.nvm.worn_out = True
    for _ in range(2):
        with pytest.raises(errors.UnitError, match="STORAGE"):
            host.ask(commands.ACKNOWLEDGE, 0, 1, 0)
        assert host.ask(commands.NEXT_INDEX) == (0, 1)
        host.restart()


def test_keys_can_be_read_when_nothing_can_be_written(bound: MemoryUnit) -> None:
    """The membership exists in a snapshot only; nvm is worn out, and the drive is read-only."""
    host = Host(bound.clone())
    expected = host.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
    _compact(host)
    flash = host.unit.flash
    flash.nvm.content[:] = b"\xf0" * NVM_SIZE
    flash.nvm.worn_out = True
    flash.drive_is_writable = False
    host.restart()
    assert host.ask(commands.KEY_CHUNK, 0, 1, 0, 32) == expected
    with pytest.raises(errors.UnitError, match="STORAGE"):
        host.ask(commands.ACKNOWLEDGE, 0, 1, 0)
    assert host.ask(commands.NEXT_INDEX) == (0, 1)


def test_no_mask_key_outlives_its_key(bound: MemoryUnit) -> None:
    host = Host(bound.clone())
    host.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
    held = host.firmware.state.member.keys._mask_key
    first = bytes(held)
    host.ask(commands.KEY_CHUNK, 0, 2, 0, 32)
    assert any(first)
    assert held != first


def test_a_key_set_up_that_failed_half_way_is_not_mixed_with_the_next(
    bound: MemoryUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(bound.clone())
    expected = Host(bound.clone()).ask(commands.KEY_CHUNK, 0, 2, 0, 32)
    host.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
    with monkeypatch.context() as patch:
        patch.setattr(paper_bits, "export_mask_key", lambda *_: [].pop())
        with pytest.raises(errors.UnitError, match="INTERNAL"):
            host.ask(commands.KEY_CHUNK, 0, 2, 0, 32)
    assert host.ask(commands.KEY_CHUNK, 0, 2, 0, 32) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        *({"lane": 0}, {"suite": 2}, {"cipher": 2}, {"digits": 0}, {"digits": 13}),
        *({"network": "x" * 33}, {"network": "\u00e9" * 17}),
        *({"f1": 3}, {"f2": 3}, {"f1": 255}, {"f1": 2, "p1": "1000.1"}),
        *({"p1": "0"}, {"p2": "0.000"}, {"p1": ""}, {"p2": "1e3"}, {"p1": "9" * 81}, {"p2": "\u0661"}),
    ],
)
def test_a_membership_out_of_range_changes_nothing(wrong: dict[str, Any]) -> None:
    host = Host()
    fields = named(commands.PROVISION.request, membership()) | wrong
    with pytest.raises(errors.UnitError, match="RANGE"):
        host.ask(commands.PROVISION, *fields.values())
    assert host.unit.flash.nvm.content == b"\xff" * NVM_SIZE
    host.provision()


def test_the_state_of_a_newer_firmware_is_left_alone(bound: MemoryUnit) -> None:
    host = Host(bound.clone())
    nvm = host.unit.flash.nvm
    _write_format(host, bytes((CURRENT_FORMAT + 1,)) + b"and more")
    before = bytes(nvm.content)
    host.restart()

    hello = named(commands.HELLO.answer, host.ask(commands.HELLO))
    assert (hello["state_format"], hello["flags"]) == (CURRENT_FORMAT + 1, commands.NEWER_STATE)
    assert host.status()["network"] == ""
    host.opens = False
    for command, values in _valid_requests(host).items():
        assert host.code(command, *values) == errors.STATE_FORMAT
    host.unit.poll()
    assert (nvm.content, nvm.erases) == (before, 0)


@pytest.mark.parametrize("older", [b"\1", b"\2", b"\2and more"])
def test_the_state_of_an_older_firmware_is_left_alone_and_can_be_erased(older: bytes) -> None:
    """Its secrets are in the clear: only ZEROIZE changes it."""
    host = Host(opens=False)
    nvm = host.unit.flash.nvm
    _write_format(host, older)
    before = bytes(nvm.content)
    host.restart()
    hello = named(commands.HELLO.answer, host.ask(commands.HELLO))
    assert (hello["state_format"], hello["flags"]) == (older[0], commands.NOT_SEALED)
    erasing = _valid_requests(host).pop(commands.ZEROIZE)
    for command, values in _valid_requests(host).items():
        if command is not commands.ZEROIZE:
            assert host.code(command, *values) == errors.STATE_FORMAT
    host.unit.poll()
    assert (nvm.content, nvm.erases) == (before, 0)
    assert host.ask(commands.ZEROIZE, *erasing) == ()
    hello = named(commands.HELLO.answer, host.ask(commands.HELLO))
    assert (hello["state_format"], hello["flags"]) == (CURRENT_FORMAT, 0)
    host.provision()
    host.open()
    assert host.ask(commands.NEXT_INDEX) == (0, 1)


def test_an_open_case_erases_what_another_firmware_has_written() -> None:
    """It may contain secrets."""
    for other in (OLDEST_FORMAT - 1, CURRENT_FORMAT + 1):
        host = Host()
        _write_format(host, bytes((other,)) + b"and its secret")
        host.restart()
        host.unit.case.open()
        host.unit.poll()
        assert b"and its secret" not in host.unit.flash.images[0]


def test_the_state_of_a_newer_firmware_is_left_alone_in_a_snapshot(bound: MemoryUnit) -> None:
    """As after a cut during a compaction of the newer firmware, whose record types may be unknown."""
    host = Host(bound.clone())
    _write_format(host, bytes((CURRENT_FORMAT + 1,)))
    _compact(host)
    host.unit.flash.nvm.content[:] = b"\xff" * NVM_SIZE
    host.restart()
    assert host.firmware.state.log.format > CURRENT_FORMAT
    assert host.unit.flash.nvm.content == b"\xff" * NVM_SIZE


def test_hello_loses_nothing_but_the_session(bound: MemoryUnit) -> None:
    host = Host(bound.clone())
    host.ask(commands.ACKNOWLEDGE, 0, 1, 0)
    host.ask(commands.HELLO)
    assert host.firmware.state.lifecycle == commands.STATE_LOCKED
    assert host.ask(commands.NEXT_INDEX) == (0, 2)


def test_starts_are_counted_from_the_first_as_a_member_on(bound: MemoryUnit) -> None:
    host = Host(bound.clone())
    for boots in range(1, 200):
        host.restart()
        assert host.status()["boots"] == boots
    assert host.unit.flash.nvm.erases == 0


def test_where_the_log_is_full_starts_are_not_counted_and_nothing_else_is_lost(bound: MemoryUnit) -> None:
    host = Host(bound.clone())
    while host.firmware.state.log.used < host.firmware.state.log.size:
        host.unit.flash.nvm.write(host.firmware.state.log.used, b"\0" * 16)
        host.restart()
    for _ in range(100):
        host.restart()
    assert host.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
    host.restart()
    assert host.ask(commands.NEXT_INDEX) == (0, 2)


@pytest.mark.parametrize("reason", range(6))
def test_a_unit_says_why_it_started(bound: MemoryUnit, reason: int) -> None:
    unit = bound.clone()
    unit.start(reason)
    assert Host(unit).status()["reset_reason"] == reason


def _write_format(host: Host, body: bytes) -> None:
    """Append a state format record, as a firmware of that format does."""
    record = RecordKeys(CRYPTO).encode(records.STATE_FORMAT, body, 1000)
    host.unit.flash.nvm.write(host.firmware.state.log.used, record)


def _compact(host: Host) -> None:
    """Compact the log, so that the first snapshot has the content of nvm."""
    image = host.unit.flash.images[0][: records.SIZE]
    host.unit.flash.snapshot_write(0, image + hashlib.sha256(image).digest())


def _valid_requests(host: Host) -> dict[commands.Command, tuple[Any, ...]]:
    return {
        commands.PROVISION: membership(),
        commands.PROVISION_SEALED: (bytes(32), bytes(48)),
        commands.JOINING_KEY: (),
        commands.OPEN_SESSION: SHARE,
        commands.PROVE: (bytes(16),),
        commands.UNLOCK: (bytes(32), 0, 0),
        commands.BIND: (bytes(32),),
        commands.ZEROIZE: (commands.CONFIRMATION, host.unit.board.uid),
        commands.NEXT_INDEX: (),
        commands.KEY_CHUNK: (0, 1, 0, 32),
        commands.ACKNOWLEDGE: (0, 1, 0),
    }


def test_garbage_is_collected_once_in_each_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, collected = SetClock(), list[int]()
    unit = MemoryUnit(new_flash(), clock=clock)
    complete_pair(unit)
    monkeypatch.setattr(unit.board, "tidy", lambda: collected.append(clock.milliseconds))
    unit.poll()
    assert collected == [], "a unit that was never asked has no garbage"
    for asked_at in (1000, 2000):
        clock.milliseconds = asked_at
        unit.write(framing.encode(commands.HELLO.code, 1, b""))
        for milliseconds in (1, 30, 31, 32, 500):
            clock.milliseconds = asked_at + milliseconds
            unit.poll()
    assert collected == [1031, 2031]


def test_reasons_of_starts_are_those_of_the_protocol() -> None:
    reasons = (board.RESET_POWER_ON, board.RESET_BROWNOUT, board.RESET_SOFTWARE, board.RESET_WATCHDOG, board.RESET_PIN)
    assert (*reasons, board.RESET_OTHER) == (0, 1, 2, 3, 4, 5)
