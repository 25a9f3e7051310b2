# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols in capsules of units: what nothing costs in key bits and bytes, and what is refused."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.conftest import MakeUnit
from unit.other_member import size_of_capsule

import ndks
import ndks.aio
from ndks.keys.generator import VectorKeystream
from ndks.symbols.symbols import MARK
from ndks_protocol.capsule import CHECK_SIZE, SYNC_SIZE
from ndks_protocol.commands import CIPHERS

TEXT = "0110..1.0"
VALUES = [0, 1, 1, 0, None, None, 1, None, 0]
SILENCE = 1 << 62


class KeyBits:
    """Counts the bits of keys that are computed, each once, of all units in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._used: dict[int, int] = defaultdict(int)
        read_into = VectorKeystream.read_into
        begin = VectorKeystream.__init__
        index_of: dict[int, int] = {}

        def counting_begin(keys: VectorKeystream, generator: object, index: int) -> None:
            begin(keys, generator, index)  # pyright: ignore[reportArgumentType]
            index_of[id(keys)] = index

        def counting_read(keys: VectorKeystream, view: bytearray, first: int) -> None:
            index = index_of[id(keys)]
            self._used[index] = max(self._used[index], first + 8 * len(view))
            read_into(keys, view, first)

        monkeypatch.setattr(VectorKeystream, "__init__", counting_begin)
        monkeypatch.setattr(VectorKeystream, "read_into", counting_read)

    def take(self) -> int:
        """Return how many were used since the last call."""
        used = sum(self._used.values())
        self._used.clear()
        return used


@pytest.fixture
def pair(alice: str, bob: str) -> Iterator[tuple[ndks.Unit, ndks.Unit]]:
    with ndks.open(alice) as sender, ndks.open(bob) as receiver:
        yield sender, receiver


Pair = tuple[ndks.Unit, ndks.Unit]


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("mode", ["a", "b"])
def test_sealed_here_and_opened_there(pair: Pair, cipher: str, mode: str) -> None:
    alice, bob = pair
    opened = bob.open_symbols(alice.seal_symbols(VALUES, cipher=cipher, mode=mode), mode=mode)
    assert (list(opened), opened.text()) == (VALUES, TEXT)
    assert list(bob.open_symbols(alice.seal_symbols([]))) == []
    assert list(bob.open_symbols(alice.seal_symbols(value for value in VALUES))) == VALUES


def test_centuries_of_silence(pair: Pair) -> None:
    alice, bob = pair
    capsule = alice.seal_symbols(ndks.Symbols.of_runs([(SILENCE, "101"), (SILENCE, "")]))
    assert len(capsule) == size_of_capsule(len(MARK) + 9 + 2 + 9 + 1)
    opened = bob.open_symbols(capsule)
    assert opened.text() == f".{{{SILENCE}}}101.{{{SILENCE}}}"
    assert opened.nothings == 2 * SILENCE


def test_nothing_burns_no_key_bit_and_sends_no_coded_zeros(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the silence, cipher vernam uses key bits for the bits and for the count: 7 of its bits a byte."""
    alice, _ = pair
    bits = "10110011" * 4
    alice.seal_symbols([1])
    key_bits = KeyBits(monkeypatch)
    for silence in (0, 1, 127, 128, 10**9, SILENCE, (1 << 63) - 1):
        count_size = max(1, -(-silence.bit_length() // 7))
        capsule = alice.seal_symbols(ndks.Symbols.of_runs([(silence, bits)]), cipher="vernam")
        coded = len(MARK) + count_size + 1 + len(bits) // 8
        assert key_bits.take() == 8 * (SYNC_SIZE + coded + CHECK_SIZE)
        assert len(capsule) == size_of_capsule(coded)


def test_as_zeros_the_same_would_cost_key_bits(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the count of key bits sees zeros that are sent."""
    alice, _ = pair
    key_bits = KeyBits(monkeypatch)
    alice.seal_symbols([1, *[0] * 8000, 1], cipher="vernam")
    with_zeros = key_bits.take()
    alice.seal_symbols([1, *[None] * 8000, 1], cipher="vernam")
    assert with_zeros - key_bits.take() == 8000 - 8 * (1 + 2)  # 8 bits of them are a count, 16 the other's


def test_a_unit_that_is_given_nothing_takes_no_number(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, _ = pair
    key_bits = KeyBits(monkeypatch)
    before = alice.status().message_counter
    for odd in ([2], ["."], [0, None, "1"]):
        with pytest.raises(ndks.OddSymbol):
            alice.seal_symbols(odd)  # pyright: ignore[reportArgumentType]
    assert (alice.status().message_counter, key_bits.take()) == (before, 0)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"hello", ndks.OtherContent),
        (b"", ndks.OtherContent),
        (MARK + b"\0\0", ndks.BadSymbols),
        (MARK + b"\0\1\x81", ndks.BadSymbols),
        (MARK + b"\1", ndks.SymbolsCut),
    ],
)
def test_what_is_refused_is_not_accepted(pair: Pair, data: bytes, refusal: type[ndks.SymbolsError]) -> None:
    alice, bob = pair
    capsule = alice.seal(data)
    for _ in range(2):
        with pytest.raises(refusal):
            bob.open_symbols(capsule)
    assert bob.unseal(capsule) == data


def test_symbols_open_once(pair: Pair) -> None:
    alice, bob = pair
    capsule = alice.seal_symbols(VALUES)
    assert bob.open_symbols(capsule, again=True) == bob.open_symbols(capsule)
    with pytest.raises(ndks.DeviceError) as refused:
        bob.open_symbols(capsule)
    assert refused.value.code == "DUPLICATE"
    with pytest.raises(ndks.AuthenticationError):
        bob.open_symbols(alice.seal_symbols(VALUES)[:-1])


def test_in_asyncio_programs(make_unit: MakeUnit) -> None:
    async def exchange() -> None:
        alice, bob = make_unit("carol", 3), make_unit("dave", 4)
        async with ndks.aio.open(alice) as sender, ndks.aio.open(bob) as receiver:
            opened = await receiver.open_symbols(await sender.seal_symbols(VALUES))
            assert list(opened) == VALUES
            with pytest.raises(ndks.OtherContent):
                await receiver.open_symbols(await sender.seal(b"hello"))

    asyncio.run(exchange())


def test_no_symbol_is_in_the_name_of_a_capsule_or_an_error(pair: Pair, tmp_path: Path) -> None:
    alice, _ = pair
    symbols = ndks.Symbols.parse("01" * 40)
    assert "01" not in repr(symbols)
    (tmp_path / "capsule").write_bytes(capsule := alice.seal_symbols(symbols))
    assert symbols.coded[3:] not in capsule
