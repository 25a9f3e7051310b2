# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealing and opening in batches: the bytes of the reference implementation, the refusals of chunk by chunk."""

import io
import os
import random
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hosts.capsules import NO_BINDING_ID, keys_of
from hypothesis import given, settings
from hypothesis import strategies as st
from support.public_network import public_network
from support.reference import message
from unit.other_member import HEADER_SIZE, OtherMember, flipped, open_offline

import ndks
from ndks.crypto import CRYPTO
from ndks.driver.batches import BatchOpener, BatchSealer
from ndks.driver.blocks import BATCH, WIRE_CHUNK, Block, chunks_of, pieces_of
from ndks.files import Source
from ndks_protocol.capsule import CHECK_SIZE, CHUNK, SYNC_SIZE, Header, Opener
from ndks_protocol.commands import CIPHERS, SUITES
from ndks_protocol.errors import UnitError

NETWORKS = [replace(public_network(), suite=suite, cipher="aes") for suite in SUITES]
PER_BATCH = BATCH // WIRE_CHUNK
LAST_NUMBER = (1 << 32) - 1

networks = st.sampled_from(NETWORKS)
near_chunks = st.builds(lambda chunks, more: max(0, CHUNK * chunks + more), st.integers(0, 8), st.integers(-20, 20))
near_batches = st.builds(
    lambda batches, chunks, more: CHUNK * (PER_BATCH * batches + chunks) + more,
    st.integers(1, 3),
    st.integers(-2, 2),
    st.integers(-20, 20),
)
sizes = near_chunks | near_batches | st.integers(0, 3 * BATCH)
seeds = st.integers(0, 1 << 32)
WAYS = ("as much as is asked for", "a part", "byte by byte at first")


def ignore(_: int) -> None:
    pass


class Parts:
    """A source that returns parts as a pipe does, of sizes drawn from `seed`; then it may fail."""

    def __init__(self, data: bytes, seed: int, *, error: OSError | None = None) -> None:
        self._data = io.BytesIO(data)
        self._random = random.Random(seed)
        self._way = self._random.choice(WAYS)
        self._error = error

    def read(self, size: int, /) -> bytes:
        part = self._data.read(self._next(size))
        if not part and self._error:
            raise self._error
        return part

    def _next(self, size: int) -> int:
        if self._way == WAYS[0]:
            return size
        if self._way == WAYS[2] and self._data.tell() < 3000:
            return 1
        return self._random.randint(1, self._random.choice((size, 3000)))


def data_of_size(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def new_header(network: ndks.Network) -> Header:
    return Header.new(SUITES.index(network.suite), CIPHERS.index("aes"), 2, 5, bytes(8))


def sealed(network: ndks.Network, source: Source) -> bytes:
    sealer = BatchSealer(keys_of(network, new_header(network)))
    return b"".join(sealer.seal(*piece) for piece in pieces_of(source, ignore, batched=True))


def reference(network: ndks.Network, size: int) -> bytes:
    """Return the chunks of a capsule made by the reference implementation."""
    return message(network, 2, 5, data_of_size(size), binding_id=NO_BINDING_ID).capsule[HEADER_SIZE:]


def opened(opener: Opener, chunks: Iterator[Block]) -> tuple[str, bytes]:
    """Return the refusal, if there is one, and all data that came out."""
    data = b""
    try:
        for chunk in chunks:
            data += opener.open(*chunk)
    except (UnitError, OSError) as refused:
        return str(refused), data
    return "", data


def opened_in_batches(network: ndks.Network, source: Source) -> tuple[str, bytes]:
    chunks = chunks_of(source, ignore, batched=True)
    return opened(BatchOpener(keys_of(network, new_header(network))), iter(chunks))


def opened_by_chunk(network: ndks.Network, source: Source) -> tuple[str, bytes]:
    """Open chunks as a unit does."""
    chunks = chunks_of(source, ignore, batched=False)
    return opened(Opener(CRYPTO, keys_of(network, new_header(network))), iter(chunks))


@settings(max_examples=150)
@given(networks, sizes, seeds)
def test_batches_make_and_open_what_the_reference_makes(network: ndks.Network, size: int, seed: int) -> None:
    expected = reference(network, size)
    assert sealed(network, Parts(data_of_size(size), seed)) == expected
    assert opened_in_batches(network, Parts(expected, seed)) == ("", data_of_size(size))


@given(sizes, seeds)
def test_batches_hold_the_same_as_blocks(size: int, seed: int) -> None:
    data = data_of_size(size)
    for cut in (pieces_of, chunks_of):
        if cut is chunks_of and (not size or 0 < size % WIRE_CHUNK <= 16):
            continue  # the end of a capsule that was cut off is refused
        each = list(cut(Parts(data, seed), ignore, batched=False))
        many = list(cut(Parts(data, seed), ignore, batched=True))
        assert b"".join(part for *_, part in each) == b"".join(part for *_, part in many) == data
        assert [number for number, *_ in each] == list(range(len(each)))
        assert [last for _, last, _ in each] == [0] * (len(each) - 1) + [1]
        assert each[-1] == many[-1]
        for number, last, part in many:
            assert each[number] == (number, last, part[: len(each[number][2])])


def begin(at: int) -> int:
    """Return the position of the chunk in which there is this byte."""
    return at - at % WIRE_CHUNK


DAMAGES = {
    "a bit": flipped,
    "cut off": lambda capsule, at: capsule[:at],
    "more": lambda capsule, at: capsule + capsule[:at],
    "a chunk is missing": lambda capsule, at: capsule[: begin(at)] + capsule[begin(at) + WIRE_CHUNK :],
    "a chunk comes twice": lambda capsule, at: capsule[: begin(at) + WIRE_CHUNK] + capsule[begin(at) :],
    "a byte is missing": lambda capsule, at: capsule[:at] + capsule[at + 1 :],
}


@settings(max_examples=150)
@given(networks, sizes, st.integers(0, 1 << 32), st.sampled_from(list(DAMAGES)), seeds)
def test_refusals_are_those_of_chunk_by_chunk(
    network: ndks.Network, size: int, place: int, damage: str, seed: int
) -> None:
    """And of the data before the damage no more comes out than there."""
    capsule = reference(network, size)
    damaged = DAMAGES[damage](capsule, place % len(capsule))
    expected, released = opened_by_chunk(network, io.BytesIO(damaged))
    refusal, data = opened_in_batches(network, Parts(damaged, seed))
    assert refusal == expected
    assert released.startswith(data)
    assert damaged == capsule or refusal


@pytest.mark.parametrize("network", NETWORKS, ids=SUITES)
def test_the_end_is_checked_as_by_a_unit(network: ndks.Network) -> None:
    size = CHUNK * PER_BATCH
    for change, refusal in (({"binding_id": bytes(15) + b"\1"}, "BINDING"), ({"salt": b"othersal"}, "AUTH")):
        chunks = message(network, 2, 5, data_of_size(size), **change).capsule[HEADER_SIZE:]
        assert opened_in_batches(network, io.BytesIO(chunks))[0] == refusal
        assert opened_by_chunk(network, io.BytesIO(chunks))[0] == refusal


class WrongCheck(BatchSealer):
    """A sealer whose generator differs."""

    def __init__(self, network: ndks.Network) -> None:
        keys = keys_of(network, new_header(network))
        super().__init__(keys)
        keys.check = lambda size: bytes(CHECK_SIZE)


def test_generators_that_differ() -> None:
    sealer = WrongCheck(NETWORKS[0])
    pieces = pieces_of(io.BytesIO(bytes(3 * BATCH)), ignore, batched=True)
    chunks = b"".join(sealer.seal(*piece) for piece in pieces)
    assert opened_in_batches(NETWORKS[0], io.BytesIO(chunks))[0] == "DIVERGED"


# --- sources


def test_a_batch_with_all_that_is_made_of_it_stays_in_the_heap() -> None:
    """From 128 KB on, glibc asks the kernel for each buffer, and gives it back: a fifth of the time of opening."""
    assert sys.getsizeof(bytes(BATCH + WIRE_CHUNK)) < 1 << 17


@given(st.integers(2 * WIRE_CHUNK, 2 * BATCH), seeds)
def test_an_altered_chunk_is_refused_before_the_source_fails(size: int, seed: int) -> None:
    capsule = flipped(reference(NETWORKS[0], 2 * BATCH)[:size], 0)
    error = OSError(5, "Input/output error")
    assert opened_in_batches(NETWORKS[0], Parts(capsule, seed, error=error))[0] == "AUTH"
    assert "Input/output" in opened_in_batches(NETWORKS[0], Parts(flipped(capsule, 0), seed, error=error))[0]


@pytest.mark.parametrize("batched", [True, False], ids=["batches", "blocks"])
def test_a_slow_pipe_is_not_waited_for(batched: bool) -> None:
    """What has arrived is sealed, up to the piece that may be the last."""
    outer, inner = os.pipe()
    data = data_of_size(5000)
    with open(outer, "rb") as source, open(inner, "wb", buffering=0) as writer:  # noqa: PTH123
        writer.write(data)
        pieces = iter(pieces_of(source, ignore, batched=batched))
        arrived = b""
        while len(arrived) < 4 * CHUNK - SYNC_SIZE:
            arrived += next(pieces)[2]
        assert arrived == data[: 4 * CHUNK - SYNC_SIZE]
        writer.close()
        assert [last for _, last, _ in pieces] == [1]


@pytest.mark.parametrize("batched", [True, False], ids=["batches", "blocks"])
def test_a_pipe_without_data_is_not_the_end(batched: bool) -> None:
    outer, inner = os.pipe()
    os.set_blocking(outer, False)
    with open(outer, "rb") as source, open(inner, "wb", buffering=0) as writer:  # noqa: PTH123
        writer.write(bytes(5000))
        with pytest.raises(BlockingIOError, match="no data yet"):
            list(pieces_of(source, ignore, batched=batched))


class Prefixed(io.BufferedReader):
    """A file whose `read` does more than the usual one."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size).upper()


def test_a_file_of_another_kind_is_asked_by_read() -> None:
    pieces = pieces_of(Prefixed(io.BytesIO(b"abc")), ignore, batched=True)
    assert list(pieces) == [(0, 1, b"ABC")]


# --- limits


def test_messages_end_at_the_last_number() -> None:
    """A batch that crosses it is refused; chunks before it are not."""
    keys = keys_of(NETWORKS[0], new_header(NETWORKS[0]))
    sealer, opener = BatchSealer(keys), BatchOpener(keys)
    chunks = sealer.seal(LAST_NUMBER - 1, 0, bytes(2 * CHUNK))
    assert len(chunks) == 2 * WIRE_CHUNK
    opener._next = LAST_NUMBER - 1
    assert opener.open(LAST_NUMBER - 1, 0, chunks) == bytes(2 * CHUNK - CHECK_SIZE)
    with pytest.raises(UnitError, match="RANGE"):
        sealer.seal(LAST_NUMBER, 0, bytes(2 * CHUNK))
    with pytest.raises(UnitError, match="RANGE"):
        opener.open(LAST_NUMBER + 1, 0, chunks)


@pytest.mark.parametrize(
    ("number", "last", "size", "code"),
    [(1, 0, WIRE_CHUNK, "CONFLICT"), (0, 0, 0, "AUTH"), (0, 0, WIRE_CHUNK - 1, "AUTH"), (0, 0, WIRE_CHUNK + 1, "AUTH")],
)
def test_chunks_out_of_order_or_of_other_sizes(number: int, last: int, size: int, code: str) -> None:
    opener = BatchOpener(keys_of(NETWORKS[0], new_header(NETWORKS[0])))
    chunks = reference(NETWORKS[0], 2 * BATCH)
    with pytest.raises(UnitError, match=code):
        opener.open(number, last, chunks[:size])
    assert opener.open(0, 0, chunks[: 3 * WIRE_CHUNK]) == data_of_size(2 * BATCH)[: 3 * CHUNK - SYNC_SIZE - CHECK_SIZE]
    with pytest.raises(UnitError, match="CONFLICT"):
        opener.open(2, 0, chunks[2 * WIRE_CHUNK : 3 * WIRE_CHUNK])


class Endless:
    """A source of zeros."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


class Nowhere(io.RawIOBase):
    """A sink that keeps nothing."""

    def write(self, data: object, /) -> int:
        return len(bytes(data))


@pytest.fixture
def bob(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ndks.Unit]:
    with ndks.open(f"emulator:{tmp_path_factory.mktemp('bob') / 'unit'}", create=True) as unit:
        unit.bind(unit.provision(public_network(), 2))
        yield unit


def test_memory_does_not_grow_with_the_message(bob: ndks.Unit) -> None:
    def peak(batches: int) -> int:
        tracemalloc.start()
        bob.encrypt(Endless(batches * BATCH), Nowhere(), cipher="aes", mode="a")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    # The least of three: the threads of pytest-xdist take memory too.
    few, many = (min(peak(batches) for _ in range(3)) for batches in (4, 40))
    assert many < 1.1 * few < 20 * BATCH


# --- with a unit


@pytest.mark.parametrize("more", [-SYNC_SIZE - CHECK_SIZE - 1, -SYNC_SIZE - CHECK_SIZE, -SYNC_SIZE, 0, 1])
def test_batches_and_chunks_open_each_other(bob: ndks.Unit, more: int) -> None:
    data = data_of_size(PER_BATCH * CHUNK + more)
    by_chunk, in_batches = (bob.seal(data, cipher="aes", mode=mode) for mode in "ba")
    assert open_offline(public_network(), by_chunk) == open_offline(public_network(), in_batches) == data
    capsule = OtherMember(public_network(), 9).seal(data, "aes")
    assert bob.unseal(capsule, mode="b", again=True) == bob.unseal(capsule, mode="a", again=True) == data


def test_progress_counts_each_byte_once(bob: ndks.Unit) -> None:
    read: list[int] = []
    size = 3 * BATCH + 7
    assert bob.encrypt(io.BytesIO(bytes(size)), Nowhere(), cipher="aes", mode="a", progress=read.append) == size
    assert sum(read) == size
    assert len(read) > 3
