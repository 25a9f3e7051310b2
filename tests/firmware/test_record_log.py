# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the record log: golden vectors, wear, and damage. test_all_cuts.py has the power cuts."""

import struct

import pytest
from hosts.memory import Host, new_flash, new_unit
from hosts.network import BINDING
from support.reference import load_vectors

from firmware.logs import JUMP_RECORD, check_it_goes_on, counter, counter_of, loaded, opened
from ndks.crypto import CRYPTO
from ndks_emulator import MemoryFlash
from ndks_protocol import commands, errors
from ndks_protocol.binding import ID_SIZE, BindingKeys
from ndks_protocol.commands import MAX_SENDERS
from ndks_protocol.flash import NVM_SIZE
from ndks_protocol.kdf import derive
from ndks_unit.flash import records
from ndks_unit.flash.counters import ExportCounter
from ndks_unit.flash.record_log import format_body
from ndks_unit.flash.records import BOOTS, EXPORT_COUNTER, MEMBERSHIP, MESSAGE_COUNTER, STATE_FORMAT, TAIL, WINDOWS

VECTOR = load_vectors("records")
IMAGE = bytes.fromhex(VECTOR["nvm"])
MEMBER = bytes.fromhex(VECTOR["provision"])[32:]  # the fields after the binding
MEMBERSHIP_AT, BINDING_AT, LAST_RECORD = 32, 112, len(IMAGE) - TAIL - 48


def flash_with(image: bytes) -> MemoryFlash:
    """Return a flash without snapshots."""
    flash = new_flash()
    flash.nvm.content[: len(image)] = image
    flash.snapshots = [None, None]
    return flash


def host_of(flash: MemoryFlash) -> Host:
    """Return the host of a newly started unit."""
    return Host(new_unit(flash))


def test_published_records_byte_for_byte() -> None:
    host = Host(new_unit(new_flash(), lambda size: bytes.fromhex(VECTOR["entropy"])[:size]))
    host.ask(commands.PROVISION, *commands.PROVISION.request.unpack(bytes.fromhex(VECTOR["provision"])))
    for index in VECTOR["acknowledged"]:
        host.ask(commands.ACKNOWLEDGE, 0, index, 0)
    assert host.unit.flash.images[0] == IMAGE.ljust(NVM_SIZE, b"\xff")
    host.restart()
    assert host.ask(commands.NEXT_INDEX) == (0, VECTOR["next_index"])


def test_published_records_are_understood() -> None:
    log = opened(flash_with(IMAGE))
    assert log.body(STATE_FORMAT) == format_body(0)
    assert log.body(MEMBERSHIP) == MEMBER
    assert counter_of(log) == VECTOR["next_index"]
    assert (log.used, log.size) == (len(IMAGE), NVM_SIZE - 32)


def test_an_empty_flash_holds_nothing() -> None:
    log = opened(new_flash())
    assert (log.body(MEMBERSHIP), log.used, log.erases) == (None, 0, 0)


def test_each_class_of_records_is_read_with_its_key() -> None:
    log = loaded(flash_with(IMAGE))
    binding = log.body(records.BINDING)
    assert binding
    assert (log.body(EXPORT_COUNTER), log.body(MEMBERSHIP)) == (None, None)
    log.set_auth(binding[:32])
    assert (counter_of(log), log.body(MEMBERSHIP)) == (VECTOR["next_index"], None)
    log.unlock(BindingKeys(CRYPTO, bytes(32)).kek)
    assert log.body(MEMBERSHIP) is None
    log.unlock(BindingKeys(CRYPTO, BINDING).kek)
    member = log.body(MEMBERSHIP)
    assert member == MEMBER
    log.lock()
    assert (counter_of(log), log.body(MEMBERSHIP)) == (VECTOR["next_index"], None)
    assert bytes(member) == bytes(len(member)), "it is overwritten, not only forgotten"


def test_a_locked_log_writes_what_is_open_as_long_as_there_is_room() -> None:
    flash = new_flash()
    log = opened(flash)
    log.append(records.BINDING, bytes(66))
    log.append(MEMBERSHIP, b"member")
    log.lock()
    with pytest.raises(errors.UnitError, match="LOCKED"):
        log.append(MEMBERSHIP, b"other")
    while log.used + JUMP_RECORD <= log.size:
        log.append(EXPORT_COUNTER, counter(1))
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(EXPORT_COUNTER, counter(2))
    assert flash.nvm.erases == 0, "sealed records would be lost"
    assert opened(flash).body(MEMBERSHIP) == b"member"


@pytest.mark.parametrize("senders", [0, MAX_SENDERS])
def test_at_most_one_erase_in_1000_keys(senders: int) -> None:
    """Flash endures about 100,000 erases."""
    keys = 20_000
    flash = new_flash()
    log = opened(flash)
    log.append(MEMBERSHIP, bytes(43 + 3 * 80 if senders else 56))
    log.append(records.BINDING, bytes(66))
    log.append(records.MEMBER_IDS, bytes((2 + ID_SIZE) * senders))
    log.append(MESSAGE_COUNTER, counter(1))
    log.append(BOOTS, records.FIRST)
    for slot in range(senders):
        log.append(WINDOWS + slot, bytes(40))
    steps = ExportCounter(log, 0)
    for index in range(1, keys + 1):
        steps.advance_to(index + 1)
    assert 0 < flash.nvm.erases <= keys // 1000
    assert log.erases == flash.nvm.erases
    assert counter_of(opened(flash)) == keys + 1


def test_repeated_acknowledgements_cost_nothing() -> None:
    flash = flash_with(IMAGE)
    host, before = host_of(flash), flash.images
    for index in (1, 9, 3, 9):
        host.ask(commands.ACKNOWLEDGE, 0, index, 0)
    assert flash.images == before


def test_a_start_writes_one_byte_and_a_session_none() -> None:
    flash = flash_with(IMAGE)
    host_of(flash).ask(commands.NEXT_INDEX)  # the first one writes a record
    before = bytes(flash.nvm.content)
    for starts in (1, 2, 3):
        assert host_of(flash).ask(commands.NEXT_INDEX) == (0, VECTOR["next_index"])
        assert sum(old != new for old, new in zip(before, flash.nvm.content, strict=True)) == starts


def test_starting_a_unit_that_is_blank_writes_nothing() -> None:
    unit = new_unit()
    assert unit.firmware.state.binding is None
    assert unit.power.steps == 0


# Damage


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_a_damaged_byte_costs_its_record_alone(mask: int) -> None:
    for position in range(len(IMAGE) + 32):
        flash = flash_with(IMAGE)
        flash.nvm.content[position] ^= mask
        log = opened(flash)
        assert (log.body(STATE_FORMAT) is None) == (position < 24 + 5)
        assert (log.body(MEMBERSHIP) is None) == (0 <= position - MEMBERSHIP_AT < 24 + 56)
        assert (log.body(records.BINDING) is None) == (0 <= position - BINDING_AT < 24 + 66)
        if 0 <= position - LAST_RECORD < 24 + 12:
            assert counter_of(log) == 4, "the record before counts again"
        else:
            assert counter_of(log) >= VECTOR["next_index"], "a damaged step burns indices, it gives none twice"
        check_it_goes_on(flash, log)


@pytest.mark.parametrize("size", range(48))
def test_a_torn_record_is_stepped_over(size: int) -> None:
    flash = flash_with(IMAGE[: LAST_RECORD + size])
    log = opened(flash)
    complete = size >= 36  # the rest is padding
    assert counter_of(log) == (VECTOR["next_index"] if complete else 4)
    assert log.body(MEMBERSHIP) == MEMBER
    check_it_goes_on(flash, log)


def test_a_begun_step_burns_its_index_rather_than_giving_it_twice() -> None:
    flash = flash_with(IMAGE)
    log = opened(flash)
    assert not flash.power.survives(1, lambda: log.count(EXPORT_COUNTER))
    assert flash.nvm.content[LAST_RECORD + 48] not in (0x00, 0xFF)
    assert counter_of(opened(flash)) == VECTOR["next_index"] + 1


def test_garbage_all_over_is_no_reason_to_erase_or_to_fail() -> None:
    for content in (b"\0", b"\xf0", b"\x80\0\x0c\0\0\0\1\0", b"\x01\xff\xff\0\0\0\1\0", bytes(range(256))):
        image = (content * NVM_SIZE)[: NVM_SIZE - 32]
        flash = flash_with(image)
        host = host_of(flash)
        assert (host.firmware.state.log.used, host.firmware.state.lifecycle) == (
            host.firmware.state.log.size,
            commands.STATE_BLANK,
        )
        assert (bytes(flash.nvm.content[: len(image)]), flash.nvm.erases) == (image, 0)
        host.provision()  # a blank unit has nothing to lose, so this needs no snapshot
        assert flash.nvm.erases == 1
        assert host.ask(commands.NEXT_INDEX) == (0, 1)


def test_garbage_in_the_last_bytes_gives_way_to_records_too() -> None:
    flash = new_flash()
    flash.nvm.content[:] = b"\xf0" * NVM_SIZE
    host_of(flash).provision()
    assert flash.nvm.erases == 1
    assert host_of(flash).ask(commands.NEXT_INDEX) == (0, 1)


@pytest.mark.parametrize(("offset", "size"), [(48, 12), (48, 60), (96, 24)])
def test_a_record_that_runs_past_the_end_is_stepped_over(offset: int, size: int) -> None:
    """This holds even if its tag matches the bytes there; a counter also needs its tail."""
    end = NVM_SIZE - 32
    body = counter(77).ljust(size, b"\0")[: offset - 24]
    header = struct.pack(">BHIB", EXPORT_COUNTER, size, 99, 0)
    tag = derive(CRYPTO, BindingKeys(CRYPTO, BINDING).auth, "ndks log", header + body)[:16]
    flash = flash_with(IMAGE.ljust(end - offset, b"\xff") + header + tag + body)
    log = opened(flash)
    assert counter_of(log) == VECTOR["next_index"]
    assert (log.used, flash.nvm.erases) == (log.size if offset == 48 else end - 48, 0)


def test_a_record_larger_than_the_flash_is_refused() -> None:
    flash = new_flash()
    log = opened(flash)
    log.append(MEMBERSHIP, b"member")
    with pytest.raises(errors.UnitError, match="STORAGE"):
        log.append(MEMBERSHIP, bytes(NVM_SIZE))
    assert log.body(MEMBERSHIP) == opened(flash).body(MEMBERSHIP) == b"member"


def test_a_body_that_is_replaced_or_dropped_is_overwritten() -> None:
    log = opened(new_flash())
    log.append(MEMBERSHIP, b"first")
    first = log.body(MEMBERSHIP)
    log.append(MEMBERSHIP, first or b"")
    second = log.body(MEMBERSHIP)
    assert (first, second) == (bytes(5), b"first")
    log.replace(MEMBERSHIP, b"third")
    third = log.body(MEMBERSHIP)
    log.drop(MEMBERSHIP)
    assert (second, third, log.body(MEMBERSHIP)) == (bytes(5), bytes(5), None)


def test_without_memory_for_a_body_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    flash = new_flash()
    log = opened(flash)
    log.append(MEMBERSHIP, b"first")

    def no_memory(*_: object) -> bytearray:
        raise MemoryError

    monkeypatch.setattr("ndks_unit.flash.record_log._copy", no_memory)
    with pytest.raises(MemoryError):
        log.append(MEMBERSHIP, b"second")
    assert log.body(MEMBERSHIP) == opened(flash).body(MEMBERSHIP) == b"first"


def test_counters_begin_at_0_and_stop_at_their_highest_value() -> None:
    assert records.counter_value(None) == 0
    body = bytes(4) + struct.pack(">Q", 2**64 - 3)
    assert [records.counter_value(records.counted(body, steps)) for steps in (1, 2, 3)] == [
        2**64 - 2,
        2**64 - 1,
        2**64 - 1,
    ]
