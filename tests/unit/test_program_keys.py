# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Message keys for programs of any unit, and numbers that no message has."""

import time

import pytest
from support.public_network import public_network
from unit.other_member import HEADER_SIZE, SIZES, OtherMember, flipped, header_of, open_offline

import ndks

NETWORK = public_network()
LETTER = b"meet me at the old bridge"
MANY = 12


@pytest.fixture
def sender(unit: ndks.Unit) -> OtherMember:
    """A simulated unit of lane 2, with a number that is unused and near."""
    sender = OtherMember(NETWORK, 2, time.time_ns() // 10_000)
    unit.accept(sender.wire_header(), allow_jump=True)
    return sender


@pytest.mark.parametrize("size", SIZES)
def test_a_program_seals_and_opens_what_a_unit_does(unit: ndks.Unit, sender: OtherMember, size: int) -> None:
    data = bytes(size)
    assert open_offline(NETWORK, unit.message_keys().seal(data)) == data
    capsule = sender.seal(data, "aes")
    assert unit.open_message_keys(capsule[:HEADER_SIZE]).unseal(capsule) == data


def test_many_messages_are_under_way_at_a_time(unit: ndks.Unit, sender: OtherMember) -> None:
    letters = [LETTER + bytes([number]) for number in range(MANY)]
    capsules = [sender.seal(letter, "aes") for letter in letters]
    outgoing, incoming = [], []
    for capsule in capsules:
        outgoing.append(unit.message_keys())
        incoming.append(unit.open_message_keys(capsule))
        unit.seal(LETTER)
    sealed = [keys.seal(letter) for keys, letter in zip(outgoing, letters, strict=True)]
    assert [open_offline(NETWORK, capsule) for capsule in sealed] == letters
    assert [keys.unseal(capsule) for keys, capsule in zip(incoming, capsules, strict=True)] == letters
    assert len({header_of(NETWORK, capsule).number for capsule in sealed}) == MANY


def test_what_is_opened_is_accepted_by_the_program(unit: ndks.Unit, sender: OtherMember) -> None:
    capsule = sender.seal(LETTER, "aes")
    assert unit.open_message_keys(capsule) == unit.open_message_keys(capsule)
    unit.accept(capsule)
    with pytest.raises(ndks.DeviceError) as refused:
        unit.open_message_keys(capsule)
    assert refused.value.code == "DUPLICATE"
    keys = unit.open_message_keys(capsule, again=True)
    assert keys.unseal(capsule) == LETTER
    seen = unit.inspect(capsule)
    assert (keys.lane, keys.number) == (seen.lane, seen.number) == (2, header_of(NETWORK, capsule).number)


def test_what_is_refused(unit: ndks.Unit, sender: OtherMember) -> None:
    vernam, capsule = sender.seal(LETTER), sender.seal(LETTER, "aes")
    for header, code in ((vernam, "RANGE"), (flipped(capsule, 20), "HEADER"), (capsule[:9], "HEADER")):
        with pytest.raises(ndks.DeviceError) as refused:
            unit.open_message_keys(header)
        assert refused.value.code == code
    keys = unit.open_message_keys(capsule)
    for altered in (flipped(capsule, 50), capsule[:-1], capsule[:HEADER_SIZE], sender.seal(LETTER, "aes")):
        with pytest.raises(ndks.AuthenticationError) as refused:
            keys.unseal(altered)
        assert refused.value.code == "AUTH"
    assert keys.unseal(capsule) == LETTER


def test_keys_seal_one_text_only(unit: ndks.Unit) -> None:
    keys = unit.message_keys()
    keys.seal(LETTER)
    with pytest.raises(ndks.UsageError, match="already"):
        keys.seal(LETTER)


def test_a_taken_number_has_no_message(unit: ndks.Unit) -> None:
    status = unit.unlock()
    numbers = [header_of(NETWORK, unit.seal(LETTER)).number]
    for _ in range(3):
        taken = unit.take_number()
        assert (taken.epoch, taken.lane) == (status.epoch, status.lane)
        numbers += [taken.number, header_of(NETWORK, unit.message_keys().seal(LETTER)).number]
    assert numbers == list(range(numbers[0], numbers[0] + 7))


def test_no_key_is_shown(unit: ndks.Unit, sender: OtherMember) -> None:
    keys = unit.message_keys()
    opened = unit.open_message_keys(sender.seal(LETTER, "aes"))
    for text, secret in ((repr(keys), keys), (repr(opened), opened)):
        assert "key=" not in text
        assert not any(repr(value) in text for value in (secret.tag_key, secret.aes_key, secret.check, secret.sync))


def test_a_long_message(unit: ndks.Unit) -> None:
    data = bytes(200_000)
    assert open_offline(NETWORK, unit.message_keys().seal(data)) == data
