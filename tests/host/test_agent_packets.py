# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What hosts put into capsules: layouts byte by byte, and refusal of everything else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks.agent.packets import (
    Ask,
    BadPacket,
    Message,
    Report,
    Voucher,
    digest_of,
    parse_housekeeping,
    parse_message,
)

WORDS = {
    "01000000000003000000000009020007000000000003ffff000000000008": Report(3, 9, ((7, 3), (0xFFFF, 8))),
    "0100000000000a00000000000900": Report(10, 9, ()),
    "02000000000100" + "ab" * 16: Voucher(256, b"\xab" * 16),
    "03fffe02000000000001ffffffffffff": Ask(0xFFFE, (1, (1 << 48) - 1)),
    "03000400": Ask(4, ()),
}


@pytest.mark.parametrize("word", WORDS)
def test_words_between_hosts(word: str) -> None:
    assert WORDS[word].packed().hex() == word
    assert parse_housekeeping(bytes.fromhex(word)) == WORDS[word]


@pytest.mark.parametrize("content", [0, 1])
def test_messages(content: int) -> None:
    packed = bytes.fromhex("0000000001ff") + bytes((content,)) + b"text"
    assert Message(511, content, b"text").packed() == packed
    assert parse_message(packed) == Message(511, content, b"text")
    assert parse_message(packed[:7]).data == b""


@pytest.mark.parametrize("packed", ["", "000000000001", "00000000000000", "00000000000102"])
def test_what_is_no_message(packed: str) -> None:
    with pytest.raises(BadPacket):
        parse_message(bytes.fromhex(packed))


@pytest.mark.parametrize(
    "packed",
    [
        *("", "00", "04", "01", "02", "03"),
        "01000000000000000000000009" + "00",  # first is 0
        "0100000000000b00000000000900",  # first is above last + 1
        "01000000000003000000000009020007000000000008ffff000000000008",  # a number twice
        "01000000000003000000000009010007000000000000",  # starts at 0
        "0100000000000300000000000901000700000000000a",  # starts above last
        "010000000000030000000000090200070000000000ff",  # cut short
        "01000000000003000000000009000007",  # too long
        "010000000000030000000000ff11" + "".join(f"0001{s:012x}" for s in range(1, 18)),  # 17 starts
        "02000000000000" + "ab" * 16,
        "02000000000100" + "ab" * 15,
        "0300040100000000000000",
        "03000421" + "000000000001" * 33,
    ],
)
def test_what_is_no_word(packed: str) -> None:
    with pytest.raises(BadPacket):
        parse_housekeeping(bytes.fromhex(packed))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_word_or_refused(data: bytes) -> None:
    for parse in (parse_housekeeping, parse_message):
        with contextlib.suppress(BadPacket):
            assert parse(data).packed() == data


def test_the_digest_of_a_capsule() -> None:
    assert digest_of(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223"
