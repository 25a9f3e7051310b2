# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""UDP in a tunnel: the window of numbers, forged datagrams, keys of links that follow each other."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ndks_gateways.tunnel import datagrams, records
from ndks_gateways.tunnel.datagrams import Datagram, Datagrams, Window


def pair(number: int = 1) -> tuple[Datagrams, Datagrams]:
    ends = Datagrams(), Datagrams()
    renew(ends, number)
    return ends


def renew(ends: tuple[Datagrams, Datagrams], number: int) -> None:
    keys = bytes([number]) * 32, bytes([number, 255]) * 16
    ends[0].renew(bytes([number]) * 4, *keys)
    ends[1].renew(bytes([number]) * 4, *keys[::-1])
    for end in ends:
        end.confirm()


def sealed(end: Datagrams, data: bytes = b"data", flow: int = 7) -> bytes:
    packet = end.seal(flow, data)
    assert packet is not None
    return packet


def test_layout():
    a, _ = pair()
    sealed(a)
    packet = sealed(a, b"abc", 0x01020304)
    assert packet[:12] == b"\1\1\1\1" + bytes(7) + b"\1"
    content = AESGCM(bytes([1]) * 32).decrypt(bytes(11) + b"\1", packet[12:], packet[:12])
    assert content == bytes.fromhex("01020304 616263")


def test_both_directions_and_no_reflection():
    a, b = pair()
    assert b.open(sealed(a, b"to b", 1)) == Datagram(1, memoryview(b"to b"))
    packet = sealed(b, b"")
    assert a.open(packet) == Datagram(7, memoryview(b""))
    assert b.open(packet) is None
    assert b.dropped == 1


def test_none_comes_twice_in_any_order():
    chance = random.Random(2)
    a, b = pair()
    packets = [sealed(a, bytes([i & 255, i >> 8])) for i in range(900)]
    chance.shuffle(packets)
    come = [b.open(packet) for packet in packets + packets]
    assert None not in come[:900]
    assert come[900:] == [None] * 900


def test_the_window_is_that_of_a_set():
    chance = random.Random(3)
    for _ in range(200):
        window, come, top = Window(), set[int](), -1
        for _ in range(100):
            number = max(
                0, top + chance.choice((1, 1, 2, -1, -5, 70, 900, 1023, 1024, 3000, -1023, -1024, -1025, -9999))
            )
            assert window.is_new(number) == (number not in come and number > top - 1024)
            if window.is_new(number):
                window.note(number)
                come.add(number)
                top = max(top, number)


def test_the_highest_number_that_there_is():
    window = Window()
    window.note((1 << 64) - 1)
    assert not window.is_new((1 << 64) - 1)
    assert window.is_new((1 << 64) - 1024)
    assert not window.is_new((1 << 64) - 1025)


def test_a_forged_number_does_not_move_the_window():
    a, b = pair()
    packet = sealed(a)
    assert b.open(packet[:4] + b"\xff" * 8 + packet[12:]) is None
    assert b.open(packet) is not None


@pytest.mark.parametrize("place", [0, 4, 11, 12, 16, -1])
def test_damaged_datagrams_are_dropped(place: int):
    a, b = pair()
    packet = bytearray(sealed(a))
    packet[place] ^= 1
    assert b.open(bytes(packet)) is None


@pytest.mark.parametrize("size", [0, 3, 12, 31])
def test_short_ones_are_dropped(size: int):
    a, b = pair()
    assert b.open(sealed(a)[:size]) is None


def test_data_that_does_not_fit_is_not_sent():
    a, b = pair()
    packet = sealed(a, bytes(datagrams.MOST_DATA))
    assert len(packet) == 65507
    assert b.open(packet) is not None
    assert a.seal(1, bytes(datagrams.MOST_DATA + 1)) is None


def test_keys_of_the_former_link_open_until_they_are_forgotten():
    a, b = ends = pair(1)
    first, second = sealed(a, b"1"), sealed(a, b"2")
    renew(ends, 2)
    third = sealed(a, b"3")
    assert b.open(third) is not None
    assert b.open(first) is not None
    assert b.open(first) is None
    b.forget_former()
    assert b.open(second) is None
    assert b.open(sealed(a)) is not None
    b.forget()
    assert b.open(sealed(a)) is None
    assert b.seal(1, b"") is None


def test_an_end_that_has_no_new_keys_yet_gets_the_former_ones():
    a, b = pair(1)
    a.renew(b"\2" * 4, b"k" * 32, b"l" * 32)
    assert b.open(sealed(a)) is not None
    assert a.open(sealed(b)) is not None
    b.renew(b"\2" * 4, b"l" * 32, b"k" * 32)
    a.confirm()
    assert b.open(sealed(a)) is not None
    assert a.open(sealed(b)) is not None


def test_nothing_is_sealed_before_the_first_link_or_with_a_key_that_is_used_up(monkeypatch: pytest.MonkeyPatch):
    assert Datagrams().seal(1, b"") is None
    assert not Datagrams().is_spent
    monkeypatch.setattr(records, "MOST_RECORDS", 8)
    a, b = pair()
    for i in range(8):
        assert a.is_spent == b.is_spent == (i >= 7)
        assert b.open(sealed(a))
    assert a.seal(1, b"") is None
    b.renew(b"\2" * 4, b"l" * 32, b"k" * 32)
    assert not b.is_spent
