# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A live line, on which symbols arrive in time: a pause is nothings, and an idle line gives no message at all.

Each whole tick for which the line was read and no symbol came is one nothing, counted from the symbol before; what is
left of a tick is dropped when the next symbol comes. A stretch of symbols is a message as soon as its line, or a tick
without input, ends it. The nothings after it go with the next bit: until one comes, no message is sent. So those before
the first symbol, and those after the last bit, are never sent.
"""

from collections.abc import Iterator

from .coding import Encoder
from .symbols import Symbols
from .text import TextReader

_MOST = 1 << 15  # bytes of a message: half of what an agent takes
_PART = 1 << 12  # bytes of text, which make at most 1.5 times as many


class LiveLine:
    """Makes messages of what arrives; times are in nanoseconds."""

    def __init__(self, tick: int) -> None:
        self._tick = tick
        self._reader = TextReader()
        self._encoder = Encoder()
        self._coded = bytearray()  # whole runs of the present stretch
        self._has_begun = False
        self._waited = 0  # since the last symbol
        self._silence = 0  # nothings since the last bit

    @property
    def has_stretch(self) -> bool:
        """Whether there are bits that have not been given yet: a tick without input ends them."""
        return self._encoder.size > 0

    def take(self, waited: int, data: bytes) -> Iterator[Symbols]:
        """Take what came after a wait of this length; yield what is complete. OddSymbol, SymbolsTooLong."""
        if self._reader.has_dot and not data.startswith(b"{"):
            self._add(self._reader.finish())  # it came before the wait
        self._waited += waited
        for start in range(0, len(data), _PART):
            for line in data[start : start + _PART].splitlines(keepends=True):
                self._add(self._reader.feed(line))
                if line.endswith(b"\n") or len(self._coded) + self._encoder.size // 8 > _MOST:
                    yield from self.end_stretch()

    def end_stretch(self) -> Iterator[Symbols]:
        """Yield the present stretch, if there is one."""
        if self.has_stretch:
            yield Symbols.decode(bytes(self._coded + self._encoder.finish()))
            self._coded.clear()

    def finish(self) -> Iterator[Symbols]:
        """Yield the last stretch. OddSymbol: a count of nothings is cut."""
        self._add(self._reader.finish())
        yield from self.end_stretch()

    def _add(self, parts: Iterator[tuple[int, bytes]]) -> None:
        for nothings, bits in parts:
            if self._has_begun:
                self._silence += self._waited // self._tick
            self._has_begun, self._waited = True, 0
            self._silence += nothings
            if bits:
                self._coded += self._encoder.nothings(self._silence)
                self._encoder.bits(bits)
                self._silence = 0
