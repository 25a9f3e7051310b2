# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of any unit, against a simulated member. Messages are short: a board makes 6 kbit/s."""

import io
import random
import time

import pytest
from support.public_network import public_network
from unit.other_member import (
    FULL_CHUNK,
    HEADER_SIZE,
    SIZES,
    OtherMember,
    flipped,
    header_of,
    open_offline,
    size_of_capsule,
)

import ndks
from ndks.driver.offline_capsules import check_offline
from ndks.symbols.symbols import marked
from ndks_protocol.capsule import CHECK_SIZE
from ndks_protocol.commands import CIPHERS, MAX_JUMP, WINDOW_SIZE

NETWORK = public_network()
MODES = ("a", "b")
LETTER = b"meet me at the old bridge"

both_modes = pytest.mark.parametrize("mode", MODES)
both_ciphers = pytest.mark.parametrize("cipher", CIPHERS)


def text_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def assert_refused(code: str, unit: ndks.Unit, capsule: bytes, **options: object) -> None:
    """Check that both modes refuse the capsule with this code."""
    for mode in MODES:
        with pytest.raises(ndks.DeviceError) as refused:
            unit.unseal(capsule, mode=mode, **options)
        assert refused.value.code == code


@pytest.fixture
def sender(unit: ndks.Unit) -> OtherMember:
    """A simulated unit of lane 2, with a number that is unused and near."""
    # Tests run repeatedly on one board with few windows. Numbers derive from the time in units of 10 us, which grows
    # faster than the number of capsules, and fits into 48 bits.
    sender = OtherMember(NETWORK, 2, time.time_ns() // 10_000)
    unit.accept(sender.wire_header(), allow_jump=True)
    return sender


@both_modes
@both_ciphers
@pytest.mark.parametrize("size", [0, 8, 1009, 1016])
def test_the_check_value_is_told_in_both_modes(unit: ndks.Unit, mode: str, cipher: str, size: int) -> None:
    told, sealed = list[bytes](), io.BytesIO()
    unit.encrypt(
        io.BytesIO(text_of(size)), sealed, mode=mode, cipher=cipher, told_check=lambda _, value: told.append(value)
    )
    checked = check_offline(NETWORK, io.BytesIO(sealed.getvalue()))
    assert told == [checked.check]
    assert len(checked.check) == CHECK_SIZE


@both_modes
@both_ciphers
def test_a_unit_checks_a_message_and_accepts_nothing(
    unit: ndks.Unit, sender: OtherMember, mode: str, cipher: str
) -> None:
    capsule = sender.seal(LETTER, cipher=cipher)
    checked = unit.check_message(io.BytesIO(capsule))
    assert checked == check_offline(NETWORK, io.BytesIO(capsule))
    assert checked.refusal == ""
    assert unit.unseal(capsule, mode=mode) == LETTER
    assert unit.check_message(io.BytesIO(capsule)) == checked


@both_modes
@both_ciphers
@pytest.mark.parametrize("size", SIZES)
def test_the_other_unit_opens_what_the_unit_seals(unit: ndks.Unit, mode: str, cipher: str, size: int) -> None:
    capsule = unit.seal(text_of(size), cipher=cipher, mode=mode)
    assert len(capsule) == size_of_capsule(size)
    assert open_offline(NETWORK, capsule) == text_of(size)
    header = header_of(NETWORK, capsule)
    assert (header.lane, CIPHERS[header.cipher]) == (unit.status().lane, cipher)


@both_modes
@both_ciphers
@pytest.mark.parametrize("size", SIZES)
def test_the_unit_opens_what_the_other_seals(
    unit: ndks.Unit, sender: OtherMember, mode: str, cipher: str, size: int
) -> None:
    assert unit.unseal(sender.seal(text_of(size), cipher), mode=mode) == text_of(size)


@both_ciphers
def test_symbols(unit: ndks.Unit, sender: OtherMember, cipher: str) -> None:
    symbols = ndks.Symbols.of_runs([(0, "01"), (1 << 62, "1")])
    assert open_offline(NETWORK, unit.seal_symbols(symbols, cipher=cipher)) == marked(symbols)
    assert unit.open_symbols(sender.seal(marked(symbols), cipher)) == symbols
    with pytest.raises(ndks.OtherContent):
        unit.open_symbols(sender.seal(LETTER, cipher))


def test_numbers_go_up_by_one_in_both_modes(unit: ndks.Unit) -> None:
    headers = [header_of(NETWORK, unit.seal(LETTER, mode=mode)) for mode in "abba"]
    assert [header.number - headers[0].number for header in headers] == [0, 1, 2, 3]
    assert len({header.salt for header in headers}) == 4


def test_numbers_are_not_used_again_after_reopening(port: str) -> None:
    with ndks.open(port) as unit:
        first = header_of(NETWORK, unit.seal(LETTER)).number
        unit.eject()
    with ndks.open(port) as unit:
        assert header_of(NETWORK, unit.seal(LETTER)).number == first + 1


def test_the_network_chooses_the_cipher(unit: ndks.Unit) -> None:
    assert CIPHERS[header_of(NETWORK, unit.seal(LETTER)).cipher] == unit.status().cipher == "vernam"


@both_modes
def test_a_capsule_is_opened_once(unit: ndks.Unit, sender: OtherMember, mode: str) -> None:
    capsule = sender.seal(LETTER)
    assert unit.inspect(capsule).state == "new"
    assert unit.unseal(capsule, mode=mode) == LETTER
    assert unit.inspect(capsule).state == "DUPLICATE"
    assert_refused("DUPLICATE", unit, capsule)
    assert [unit.unseal(capsule, mode=again, again=True) for again in MODES] == [LETTER] * 2
    assert_refused("DUPLICATE", unit, capsule)


def test_what_was_not_accepted_is_opened_once_more(unit: ndks.Unit, sender: OtherMember) -> None:
    capsule = sender.seal(LETTER)
    assert unit.unseal(capsule, again=True) == LETTER
    assert unit.inspect(capsule).state == "new"
    for _ in range(3):
        unit.accept(capsule)
    assert_refused("DUPLICATE", unit, capsule)


def test_accepted_ones_are_remembered(port: str, unit: ndks.Unit, sender: OtherMember) -> None:
    capsule = sender.seal(LETTER)
    unit.accept(capsule)
    unit.close()
    with ndks.open(port) as again:
        assert_refused("DUPLICATE", again, capsule)


def test_capsules_in_any_order(unit: ndks.Unit, sender: OtherMember) -> None:
    capsules = [sender.seal(bytes([number])) for number in range(6)]
    order = (3, 1, 5, 0, 4, 2)
    assert [unit.unseal(capsules[number], mode=MODES[number % 2]) for number in order] == [bytes([n]) for n in order]
    for capsule in capsules:
        assert_refused("DUPLICATE", unit, capsule)


def test_the_ends_of_the_window(unit: ndks.Unit, sender: OtherMember) -> None:
    top = next(sender.numbers)
    unit.accept(sender.wire_header(top))
    too_old, oldest = top - WINDOW_SIZE, top - WINDOW_SIZE + 1
    assert_refused("TOO_OLD", unit, sender.seal(LETTER, number=too_old))
    assert unit.unseal(sender.seal(LETTER, number=too_old), again=True) == LETTER
    # Another test may have accepted that number just before, but it is not too old.
    assert unit.inspect(sender.wire_header(oldest)).state in ("new", "DUPLICATE")
    # Never accept such a distant number here: all numbers derived from the time would be too old afterwards.
    farthest = top + MAX_JUMP
    assert unit.inspect(sender.wire_header(farthest)).state == "new"
    assert_refused("TOO_FAR", unit, sender.seal(LETTER, number=farthest + 1))
    assert unit.unseal(sender.seal(LETTER, number=farthest + 1), again=True, allow_jump=True) == LETTER


@both_modes
def test_own_capsules_are_refused(unit: ndks.Unit, mode: str) -> None:
    capsule = unit.seal(LETTER, mode=mode)
    assert_refused("REFLECTED", unit, capsule)
    assert_refused("REFLECTED", unit, capsule, again=True)


def test_inspect(unit: ndks.Unit, sender: OtherMember) -> None:
    number = next(sender.numbers)
    seen = unit.inspect(sender.seal(LETTER, "aes", number))
    assert (seen.lane, seen.number, seen.cipher, seen.state) == (2, number, "aes", "new")


@both_ciphers
@pytest.mark.parametrize(
    ("position", "code"),
    [
        (0, "VERSION"),
        (1, "HEADER"),
        (HEADER_SIZE - 1, "HEADER"),
        (HEADER_SIZE, "AUTH"),
        (HEADER_SIZE + FULL_CHUNK - 1, "AUTH"),
        (HEADER_SIZE + FULL_CHUNK, "AUTH"),
        (-1, "AUTH"),
    ],
)
def test_a_flipped_bit_is_noticed(unit: ndks.Unit, sender: OtherMember, cipher: str, position: int, code: str) -> None:
    capsule = sender.seal(text_of(1100), cipher)
    assert_refused(code, unit, flipped(capsule, position))
    assert unit.unseal(capsule) == text_of(1100)


@pytest.mark.parametrize("size", [HEADER_SIZE - 1, HEADER_SIZE, HEADER_SIZE + 40, HEADER_SIZE + FULL_CHUNK])
def test_a_capsule_that_was_cut_off_is_refused(unit: ndks.Unit, sender: OtherMember, size: int) -> None:
    capsule = sender.seal(text_of(1100))
    assert_refused("HEADER" if size < HEADER_SIZE else "AUTH", unit, capsule[:size])


def test_a_session_that_is_cut_off_leaves_nothing_open(port: str, sender: OtherMember, unit: ndks.Unit) -> None:
    capsule = sender.seal(text_of(1100))
    assert_refused("AUTH", unit, capsule[:-1])
    unit.close()
    with ndks.open(port) as again:
        assert again.unseal(capsule) == text_of(1100)
