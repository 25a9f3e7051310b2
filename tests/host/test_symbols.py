# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols: one coding for each text of 0, 1 and nothing, and no memory for silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks.agent.symbols import BadSymbols, Run, decode, encode, runs_of

CODED = {
    "": "",
    ".": "0100",
    "0": "000100",
    "1": "000180",
    "..01.1..": "0202400101800200",
    "1" * 9: "0009ff80",
    "." * 300 + "1": "ac020180",
}


def text_of(runs: list[Run]) -> str:
    return "".join("." * run.nothings + run.text() for run in runs)


@pytest.mark.parametrize("text", CODED)
def test_coded(text: str) -> None:
    assert encode(runs_of(text)).hex() == CODED[text]
    assert text_of(decode(bytes.fromhex(CODED[text]))) == text


@given(st.text("01.", max_size=200))
def test_any_symbols(text: str) -> None:
    assert text_of(decode(encode(runs_of(text)))) == text


@given(st.binary(max_size=30))
def test_any_bytes_are_refused_or_the_only_coding(data: bytes) -> None:
    try:
        runs = decode(data)
    except BadSymbols:
        return
    assert encode(runs) == data
    assert sum(run.nothings for run in runs) > 1 << 16 or encode(runs_of(text_of(runs))) == data


@pytest.mark.parametrize(
    "coded",
    [
        "0000",  # neither nothings nor bits
        "01",
        "0101",
        "000101",  # padding
        "000180000180",  # 0 nothings in the second run
        "0100" + "0100",  # 0 bits in a run that is not the last
        "81000180",  # not the shortest count
        "ffffffffffffffffff7f00",  # 2^70
        "ff" * 9 + "01",
        "00ffffffffffffffff7f00",  # more bits than there are
    ],
)
def test_refused(coded: str) -> None:
    with pytest.raises(BadSymbols):
        decode(bytes.fromhex(coded))


def test_centuries_of_silence() -> None:
    silence = [Run((1 << 63) - 1, 1, b"\x80")]
    assert decode(encode(silence)) == silence
    with pytest.raises(ValueError, match="2\\^63"):
        encode([Run(1 << 63, 0, b"")])


def test_no_symbols() -> None:
    with pytest.raises(ValueError, match="symbols"):
        list(runs_of("01 1"))
