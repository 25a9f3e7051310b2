# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealing and opening of capsules of any length in constant memory, with a unit or offline with a network file.

In mode b the unit encrypts. In mode a the host encrypts, with keys that the unit gives for this message alone. Both
modes make the same bytes.
"""

import contextlib
import errno
import itertools
import secrets
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ndks_protocol import commands, errors
from ndks_protocol.capsule import (
    CHECK_SIZE,
    CHUNK,
    FIRST_PIECE,
    SYNC_SIZE,
    TAG_SIZE,
    Header,
    HeaderKeys,
    MessageKeys,
    Opener,
    Sealer,
    check_wire_header,
)

from ..crypto import CRYPTO
from ..exceptions import ProtocolError, device_error
from ..files import Sink, Source
from ..line.link import Link
from ..network.network_file import Network
from .answers import name_of
from .message_keys import Block, KeysFromUnit

SUFFIX = ".ndks"
MODES = ("a", "b")
FASTER = ""  # in place of a mode: the mode that opens this capsule faster

Progress = Callable[[int], object]  # called with the number of bytes read since the last call

_TOKEN_SIZE = _RANDOM_SIZE = 8
_FEW = 4  # chunks: as long as a unit needs to give the keys as well (tests/benchmarks/opening.py)


@dataclass(frozen=True)
class Unsealed:
    """An opened message: the sender's lane, the message number, the cipher and the size of the data in bytes."""

    lane: int
    number: int
    cipher: str
    size: int
    header: bytes = field(repr=False)  # masked, for ACCEPT


def no_progress(_: int) -> None:
    """A Progress that tells nobody."""


def token_of_message() -> bytes:
    """Return a token for a new message."""
    return secrets.token_bytes(_TOKEN_SIZE)


def random_of_header() -> bytes:
    """Return the host's part of the random bytes in a header."""
    return secrets.token_bytes(_RANDOM_SIZE)


def pieces_of(source: Source, progress: Progress) -> "CountedBlocks":
    """Return the data of `source` in pieces of the size that a capsule needs."""
    return CountedBlocks(_blocks(source, FIRST_PIECE, CHUNK), progress)


def seal(link: Link, pieces: "CountedBlocks", cipher: str, mode: str) -> Iterator[bytes]:
    """Take a message number from the unit and return the parts of the capsule, made one by one as they are read."""
    token = token_of_message()
    begin = (token, commands.CIPHERS.index(cipher), commands.DATA, random_of_header())
    if mode == "b":
        given = link.call(commands.SEAL_BEGIN, *begin)
        chunks = _call_each(link, commands.SEAL_CHUNK, token, pieces, _answered_to_piece)
    else:
        given = link.call(commands.SEAL_KEYS, *begin)
        keys = KeysFromUnit(link, token, given)
        if bool(keys.aes_key) != (cipher == commands.CIPHERS[commands.AES]):
            raise ProtocolError("the unit gave the keys of another cipher than asked for")
        sealer = Sealer(CRYPTO, keys)
        chunks = (sealer.seal(*piece) for piece in keys.supplied(pieces, _sealed_size))
    return itertools.chain([given.header], chunks)


def unseal(link: Link, source: Source, sink: Sink, mode: str, flags: int, progress: Progress) -> Unsealed:
    """Write the data of the capsule in `source` to `sink`. The data is authentic only when this has returned.

    `mode` FASTER is mode a for cipher aes and more than _FEW chunks: the host decrypts faster than the unit. It is
    mode b otherwise: with vernam the keystream takes equally long in both modes, and in mode b no key leaves the unit.
    """
    with refusals():
        header = read_header(source)
        chunks = CountedBlocks(chunks_of(source), progress)
        if mode == "a":
            opening, cipher, texts = _open_with_keys(link, header, flags, chunks)
        else:
            opening = link.call(commands.OPEN_BEGIN, header, flags)
            cipher = opening.cipher
            if mode == FASTER and cipher == commands.AES and chunks.are_more_than(_FEW):
                opening, cipher, texts = _open_with_keys(link, header, flags, chunks)
            else:
                texts = _call_each(link, commands.OPEN_CHUNK, opening.handle, chunks, _answered_to_chunk)
        size = write_all(texts, sink)
    return Unsealed(opening.lane, opening.number, name_of(commands.CIPHERS, cipher), size, header)


def _open_with_keys(link: Link, header: bytes, flags: int, chunks: "CountedBlocks") -> tuple[Any, int, Iterator[bytes]]:
    """Begin to open a capsule in mode a; return the answer, the cipher, and an iterator of the decrypted chunks."""
    opening = link.call(commands.OPEN_KEYS, header, flags)
    keys = KeysFromUnit(link, opening.handle, opening)
    cipher = commands.AES if keys.aes_key else commands.VERNAM
    opener = Opener(CRYPTO, keys)
    return opening, cipher, (opener.open(*chunk) for chunk in keys.supplied(chunks, _opened_size))


def unseal_offline(network: Network, source: Source, sink: Sink, progress: Progress) -> Unsealed:
    """Open a capsule as `unseal` does, with a network file and no unit; repeated capsules are not detected."""
    from ..keys.generator import VectorGenerator  # here, because NumPy is slow to import

    with refusals():
        wire = read_header(source)
        header = read_masked(network, wire)
        header.check(commands.SUITES.index(network.suite), commands.COMMON_LANE)
        bits = VectorGenerator.of(network).key(header.index)
        keys = MessageKeys(
            CRYPTO,
            network.secret,
            header,
            network.binding_id(header.lane),
            lambda offset, size: bits.read(8 * offset, 8 * size),
        )
        opener = Opener(CRYPTO, keys)
        size = write_all((opener.open(*chunk) for chunk in CountedBlocks(chunks_of(source), progress)), sink)
    return Unsealed(header.lane, header.number, commands.CIPHERS[header.cipher], size, wire)


def read_header(source: Source) -> bytes:
    """Return the masked header at the start of a capsule. AuthenticationError CAPSULE_VERSION, HEADER."""
    header = _read(source, commands.WIRE_HEADER_SIZE)
    with refusals():
        check_wire_header(header)
    return header


def read_masked(network: Network, wire: bytes) -> Header:
    """Return an unmasked header. DeviceError HEADER."""
    with refusals():
        return HeaderKeys(CRYPTO, network.secret).unmask(wire)


@contextlib.contextmanager
def refusals() -> Generator[None]:
    """Turn refusals by the protocol package into the exceptions for refusals by a unit."""
    try:
        yield
    except errors.UnitError as error:
        raise device_error(error.code) from None


def _call_each(
    link: Link, command: commands.Command, message: bytes, blocks: Iterable[Block], answered: Callable[[Block], int]
) -> Iterator[bytes]:
    """Yield the answers for all blocks. ProtocolError for an answer of the wrong size."""
    expected: deque[int] = deque()

    def requests() -> Iterator[tuple[bytes, int, int, bytes]]:
        for block in blocks:
            expected.append(answered(block))
            yield message, *block

    for (answer,) in link.call_each(command, requests()):
        if len(answer) != expected.popleft():
            raise ProtocolError(f"the answer to {command.name} has the wrong size")
        yield answer


class CountedBlocks:
    """Blocks that count their bytes as they are read, once."""

    def __init__(self, blocks: Iterator[Block], progress: Progress) -> None:
        self.size = 0
        self._blocks = blocks
        self._progress = progress

    def are_more_than(self, count: int) -> bool:
        """Whether there are more than `count` blocks; reads no further than that."""
        begin = list(itertools.islice(self._blocks, count + 1))
        self._blocks = itertools.chain(begin, self._blocks)
        return len(begin) > count

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            yield block
            self.size += len(block[2])
            self._progress(len(block[2]))


def chunks_of(source: Source) -> Iterator[Block]:
    """Yield the chunks behind the header of a capsule. UnitError AUTH: it was cut off."""
    for number, last, chunk in _blocks(source, CHUNK + TAG_SIZE, CHUNK + TAG_SIZE):
        if len(chunk) <= TAG_SIZE:
            raise errors.UnitError(errors.AUTH)  # cut off
        yield number, last, chunk


def _blocks(source: Source, first: int, others: int) -> Iterator[Block]:
    """Yield all of `source` in at least one block; the last one may be shorter."""
    number, block = 0, _read(source, first)
    while True:
        following = _read(source, others)
        yield number, int(not following), block
        if not following:
            return
        number, block = number + 1, following


def _read(source: Source, size: int) -> bytes:
    """Return `size` bytes, or fewer at the end. A pipe may return a part, so read again. OSError."""
    block = b""
    while len(block) < size:
        part = source.read(size - len(block))
        if part is None:  # no data yet, which is not the end
            raise BlockingIOError(errno.EAGAIN, "the input is non-blocking and has no data yet")
        if not part:
            break
        block += part
    return block


def write_all(parts: Iterator[bytes], sink: Sink) -> int:
    """Write all parts and return their size. DeviceError."""
    size = 0
    with refusals():
        for part in parts:
            sink.write(part)
            size += len(part)
    return size


def _sealed_size(piece: Block) -> int:
    number, last, data = piece
    return len(data) + (SYNC_SIZE if number == 0 else 0) + (CHECK_SIZE if last else 0)


def _answered_to_piece(piece: Block) -> int:
    size = _sealed_size(piece)
    return size + -(-size // CHUNK) * TAG_SIZE


def _answered_to_chunk(chunk: Block) -> int:
    return _opened_size(chunk) - (SYNC_SIZE + CHECK_SIZE if chunk[0] == 0 else 0)


def _opened_size(chunk: Block) -> int:
    return len(chunk[2]) - TAG_SIZE
