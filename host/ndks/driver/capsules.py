# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealing and opening of capsules of any length in constant memory, with a unit.

In mode b the unit encrypts. In mode a the host encrypts, with keys that the unit gives for this message alone. Both
modes make the same bytes.
"""

import contextlib
import io
import secrets
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ndks_protocol import commands, errors
from ndks_protocol.capsule import (
    CHECK_SIZE,
    CHUNK,
    SYNC_SIZE,
    TAG_SIZE,
    check_wire_header,
)

from ..exceptions import DeviceError, ProtocolError, device_error
from ..files import Sink, Source
from ..line.link import Link
from .answers import name_of
from .batches import BatchOpener, BatchSealer
from .blocks import WIRE_CHUNK, Block, CountedBlocks, LookAhead, Progress, chunks_of, pieces_of, read_up_to
from .message_keys import KeysFromUnit

SUFFIX = ".ndks"
MODES = ("a", "b")
FASTER = ""  # in place of a mode: the mode that opens this capsule faster

_AES = commands.CIPHERS[commands.AES]
_TOKEN_SIZE = _RANDOM_SIZE = 8
_FEW = 4  # chunks: they take a unit about as long as giving the keys (tests/benchmarks/opening.py)


@dataclass(frozen=True)
class Unsealed:
    """An opened message: the sender's lane, the message number, the cipher and the size of the data in bytes."""

    lane: int
    number: int
    cipher: str
    size: int
    header: bytes = field(repr=False)  # masked, for ACCEPT


@dataclass(frozen=True)
class Checked:
    """The sender's lane and number of a message, its epoch, and its key check value as a unit computes it.

    `refusal`: the tags are right, but the end is not: DIVERGED, BINDING; or "".
    """

    lane: int
    number: int
    epoch: int
    check: bytes
    refusal: str = ""


def no_progress(_: int) -> None:
    """A Progress that tells nobody."""


def token_of_message() -> bytes:
    """Return a token for a new message."""
    return secrets.token_bytes(_TOKEN_SIZE)


def random_of_header() -> bytes:
    """Return the host's part of the random bytes in a header."""
    return secrets.token_bytes(_RANDOM_SIZE)


def pieces_to_seal(source: Source, cipher: str, mode: str, progress: Progress) -> CountedBlocks:
    """Return the data of `source` in pieces for `seal`, many at a time where no keystream is waited for."""
    return pieces_of(source, progress, batched=mode == "a" and cipher == _AES)


class Sealed(NamedTuple):
    """A capsule, its epoch, and its key check value; b"": a unit before 0.8 does not tell it in mode b."""

    capsule: bytes
    epoch: int
    check: bytes = b""


def seal_at_once(link: Link, data: bytes, cipher: str, kind: int) -> Sealed:
    """Seal bytes as a message of any kind in mode b, and ask for the key check value of one that people read."""
    token = token_of_message()
    given = link.call(commands.SEAL_BEGIN, token, commands.CIPHERS.index(cipher), kind, random_of_header())
    pieces = pieces_of(io.BytesIO(data), no_progress, batched=False)
    capsule = b"".join([given.header, *_call_each(link, commands.SEAL_CHUNK, token, pieces, _answered_to_piece)])
    return Sealed(capsule, given.epoch, _check_of(link, token, kind, len(data)))


def open_at_once(link: Link, capsule: bytes, flags: int) -> tuple[Any, bytes, bytes]:
    """Open a capsule of any kind but control in mode b; return the answer to OPEN_BEGIN, the data, and the key check
    value of a message that people read. DeviceError.
    """
    with refusals():
        source = io.BytesIO(capsule)
        opening = link.call(commands.OPEN_BEGIN, read_header(source), flags)
        chunks = chunks_of(source, no_progress, batched=False)
        data = b"".join(_call_each(link, commands.OPEN_CHUNK, opening.handle, chunks, _answered_to_chunk))
        return opening, data, _check_of(link, opening.handle, opening.kind, len(data))


def check_in_mode_b(link: Link, message: bytes, size: int) -> bytes:
    """Return the key check value of a message whose last piece was sealed, or whose last chunk was opened, in mode b.

    b"": the unit does not tell, or another program has begun a message at it since.
    """
    try:
        return link.call(commands.MESSAGE_CHECK, message, size).check
    except DeviceError as error:
        if error.number != errors.CONFLICT:
            raise
        return b""


def _check_of(link: Link, message: bytes, kind: int, size: int) -> bytes:
    return check_in_mode_b(link, message, size) if kind == commands.MESSAGE else b""


def seal(
    link: Link, pieces: CountedBlocks, cipher: str, mode: str
) -> tuple[bytes, Iterator[bytes], Callable[[], bytes]]:
    """Take a message number from the unit; return the header, the chunks of the capsule, made one by one as they are
    read, and a function that returns the key check value once all are, b"" if the unit does not tell it.
    """
    token = token_of_message()
    begin = (token, commands.CIPHERS.index(cipher), commands.DATA, random_of_header())
    if mode == "b":
        given = link.call(commands.SEAL_BEGIN, *begin)
        chunks = _call_each(link, commands.SEAL_CHUNK, token, pieces, _answered_to_piece)
        return given.header, chunks, lambda: check_in_mode_b(link, token, pieces.size)
    given = link.call(commands.SEAL_KEYS, *begin)
    keys = KeysFromUnit(link, token, given)
    if bool(keys.aes_key) != (cipher == _AES):
        raise ProtocolError("the unit gave the keys of another cipher than asked for")
    sealer = BatchSealer(keys)
    chunks = (sealer.seal(*piece) for piece in keys.supplied(pieces, _sealed_size))
    return given.header, chunks, lambda: keys.checked


def unseal(link: Link, source: Source, sink: Sink, mode: str, flags: int, progress: Progress) -> Unsealed:
    """Write the data of the capsule in `source` to `sink`. The data is authentic only when this has returned.

    `mode` FASTER is mode a for cipher aes and more than _FEW chunks: the host decrypts faster than the unit. It is
    mode b otherwise: with vernam the keystream takes equally long in both modes, and in mode b no key leaves the unit.
    """
    with refusals():
        header = read_header(source)
        body = LookAhead(source)
        if mode == "a":
            opening, keys, texts = _open_with_keys(link, header, flags, body, progress)
            cipher = _cipher_of(keys)
        else:
            opening = link.call(commands.OPEN_BEGIN, header, flags)
            cipher = opening.cipher
            if mode == FASTER and cipher == commands.AES and body.is_longer_than(_FEW * WIRE_CHUNK):
                opening, _, texts = _open_with_keys(link, header, flags, body, progress)
            else:
                chunks = chunks_of(body, progress, batched=False)
                texts = _call_each(link, commands.OPEN_CHUNK, opening.handle, chunks, _answered_to_chunk)
        size = write_all(texts, sink)
    return Unsealed(opening.lane, opening.number, name_of(commands.CIPHERS, cipher), size, header)


def _open_with_keys(
    link: Link, header: bytes, flags: int, source: Source, progress: Progress
) -> tuple[Any, KeysFromUnit, Iterator[bytes]]:
    """Begin to open a capsule in mode a; return the answer, the keys, and an iterator of the decrypted chunks."""
    opening = link.call(commands.OPEN_KEYS, header, flags)
    keys = KeysFromUnit(link, opening.handle, opening)
    opener = BatchOpener(keys)
    chunks = chunks_of(source, progress, batched=_cipher_of(keys) == commands.AES)
    return opening, keys, (opener.open(*chunk) for chunk in keys.supplied(chunks, opened_size))


def _cipher_of(keys: KeysFromUnit) -> int:
    return commands.AES if keys.aes_key else commands.VERNAM


def check_capsule(link: Link, source: Source) -> Checked:
    """Open a capsule in mode a, whatever was accepted, for its key check value alone; accept nothing. DeviceError."""
    with refusals():
        header = read_header(source)
        flags = commands.AGAIN | commands.ALLOW_JUMP
        opening, keys, texts = _open_with_keys(link, header, flags, source, no_progress)
        refusal = refusal_at_end(texts)
    return Checked(opening.lane, opening.number, opening.epoch, keys.checked, refusal)


def refusal_at_end(texts: Iterator[bytes]) -> str:
    """Open all of a capsule; return the name of what is wrong with its end, or "". UnitError for the rest."""
    try:
        for _ in texts:
            pass
    except errors.UnitError as error:
        if error.code not in (errors.DIVERGED, errors.BINDING):
            raise
        return errors.name_of(error.code)
    return ""


def read_header(source: Source) -> bytes:
    """Return the masked header at the start of a capsule. AuthenticationError CAPSULE_VERSION, HEADER."""
    header = read_up_to(source, commands.WIRE_HEADER_SIZE)
    with refusals():
        check_wire_header(header)
    return header


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
    return opened_size(chunk) - (SYNC_SIZE + CHECK_SIZE if chunk[0] == 0 else 0)


def opened_size(chunk: Block) -> int:
    return len(chunk[2]) - TAG_SIZE
