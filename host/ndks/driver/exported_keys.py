# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exported keys: read from a unit as often as needed, and acknowledged when they are stored."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field

from ndks_protocol import commands, errors
from ndks_protocol.commands import MAX_CHUNK
from ndks_protocol.generator import MAX_ELEMENTS

from ..exceptions import DeviceError, ProtocolError, UsageError
from .answers import Key
from .catching_up import acknowledge_key, check_in_turn
from .opened import OpenUnit, advising, step


@dataclass(frozen=True)
class ExportedKey:
    """A key whose bits are read from the unit on demand."""

    index: int
    epoch: int
    bits: int
    _unit: "KeyVerbs" = field(repr=False)

    def blocks(self, offset: int = 0) -> Generator[bytes]:
        """Yield the key in blocks of at most MAX_CHUNK bytes, from byte `offset` on."""
        return self._unit.stream_key(self.index, self.bits, epoch=self.epoch, offset=offset)

    def read(self) -> Key:
        """Return the whole key."""
        return Key(self.index, self.epoch, self.bits, b"".join(self.blocks()))


class KeyVerbs(OpenUnit):
    """The commands NEXT_INDEX, KEY_CHUNK and ACKNOWLEDGE, and operations made of them."""

    @step
    def next_index(self) -> tuple[int, int]:
        """Return the epoch and the next index of the common lane."""
        answer = self._link.call(commands.NEXT_INDEX)
        return answer.epoch, answer.index

    @step
    def acknowledge(self, epoch: int, index: int, *, allow_jump: bool = False) -> int:
        """Report that key `index` is stored; return the next index. `allow_jump` permits more than 2^20 ahead."""
        following = acknowledge_key(self._link, epoch, index, allow_jump=allow_jump)
        self._owner.note_acknowledged(epoch, index, allow_jump=allow_jump)
        return following

    @step
    def key(self, index: int, bits: int, *, epoch: int | None = None) -> Key:
        """Return `bits` bits of key `index` of an epoch, the current one by default; change no counter."""
        return self._exported(index, bits, epoch).read()

    @step
    def next_key(self, bits: int) -> Key:
        """Return the next key of the common lane and acknowledge it. `taking_key` loses no key in a crash."""
        with self.taking_key(bits) as key:
            return key.read()

    @contextlib.contextmanager
    def taking_key(
        self,
        bits: int,
        index: int | None = None,
        *,
        epoch: int | None = None,
        use_up: bool = True,
        allow_jump: bool = False,
        advice: str = "",
    ) -> Generator[ExportedKey]:
        """Yield key `index`, by default the next one; acknowledge it when the block ends without an exception.

        The block stores the key. If it fails, or without `use_up`, the key is not acknowledged and can be read again.
        `advice` is shown when the key is stored and the acknowledgement fails. Other threads wait for the block.
        A key of an epoch that the unit has left meanwhile counts as used up: no unit gives it as the next one any more.
        DeviceError RANGE: a key from 2^47 on cannot be used up.
        """
        with self.turn():
            if index is None:
                epoch, index = self.next_index()
            if use_up:
                check_in_turn(index)
            key = self._exported(index, bits, epoch)
            yield key
            how = f"the key is complete, but not used up: run ndks key --index {index} --advance"
            with advising(advice or how):
                if use_up:
                    self._use_up(key.epoch, index, allow_jump=allow_jump)

    def _use_up(self, epoch: int, index: int, *, allow_jump: bool) -> None:
        try:
            self.acknowledge(epoch, index, allow_jump=allow_jump)
        except DeviceError as error:
            if error.number != errors.EPOCH:
                raise

    def stream_key(self, index: int, bits: int, *, epoch: int | None = None, offset: int = 0) -> Generator[bytes]:
        """Yield `bits` bits of key `index` in blocks of at most MAX_CHUNK bytes, from byte `offset` on."""
        if not 1 <= bits <= MAX_ELEMENTS:
            raise UsageError("a key has 1 to 2^40 bits")
        epoch = self.unlock().epoch if epoch is None else epoch
        size = (bits + 7) // 8
        starts = range(offset, size, MAX_CHUNK)
        requests = ((epoch, index, start, min(MAX_CHUNK, size - start)) for start in starts)
        answers = self._in_turns(self._link.call_each(commands.KEY_CHUNK, requests))
        for start, (block,) in zip(starts, answers, strict=True):
            if len(block) != min(MAX_CHUNK, size - start):
                raise ProtocolError("the unit sent a chunk of another size than asked for")
            yield block if start + len(block) < size else block[:-1] + without_unused(block[-1:], bits)

    def _exported(self, index: int, bits: int, epoch: int | None) -> ExportedKey:
        return ExportedKey(index, self.unlock().epoch if epoch is None else epoch, bits, self)


def without_unused(last: bytes, bits: int) -> bytes:
    """Return the last byte of a key with its unused bits 0."""
    return bytes([last[0] & 0xFF << -bits % 8 & 0xFF])
