# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Text files of symbols as sources and sinks of what capsules and messages hold, in constant memory."""

import errno
from collections.abc import Iterator

from ..exceptions import OtherContent
from ..files import Sink, Source, read_some
from .coding import Decoder, Encoder, Run
from .symbols import MARK
from .text import TextReader, texts

_PART = 1 << 18  # bytes of text


class Tally:
    """How many bits and nothings have gone through."""

    def __init__(self) -> None:
        self.bits = self.nothings = 0

    def add(self, nothings: int, bits: int) -> None:
        self.nothings += nothings
        self.bits += bits


class CodedSource:
    """The coding of a text: `read` reads on in that text. OddSymbol, SymbolsTooLong."""

    def __init__(self, text: Source, mark: bytes = MARK) -> None:
        self.tally = Tally()
        self._ready = bytearray(mark)
        self._parts = self._coded(text)

    def read(self, size: int, /) -> bytes:
        """Return some bytes, at most `size`; b"" at the end."""
        while not self._ready and (part := next(self._parts, None)) is not None:
            self._ready += part
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _coded(self, text: Source) -> Iterator[bytes]:
        reader, encoder = TextReader(), Encoder()
        while (data := read_some(text, _PART)) != b"":
            if data is None:  # no data yet, which is not the end
                raise BlockingIOError(errno.EAGAIN, "the input is non-blocking and has no data yet")
            yield self._add(encoder, reader.feed(data))
        yield self._add(encoder, reader.finish())
        yield encoder.finish()

    def _add(self, encoder: Encoder, parts: Iterator[tuple[int, bytes]]) -> bytes:
        coded = bytearray()
        for nothings, bits in parts:
            self.tally.add(nothings, len(bits))
            coded += encoder.nothings(nothings)
            encoder.bits(bits)
        return bytes(coded)


class TextSink:
    """Writes the text of symbols whose coding, after its mark, is written to it. OtherContent, BadSymbols."""

    def __init__(self, text: Sink, *, expand: bool) -> None:
        self.tally = Tally()
        self._text = text
        self._expand = expand
        self._decoder = Decoder()
        self._mark = b""  # as much of it as has come

    def write(self, data: bytes, /) -> None:
        missing = len(MARK) - len(self._mark)
        self._mark += data[:missing]
        if not MARK.startswith(self._mark):
            raise OtherContent
        self._write(self._decoder.feed(data[missing:]))

    def flush(self) -> None:
        self._text.flush()

    def finish(self) -> None:
        """End the text with a line feed. SymbolsCut; OtherContent: no data, or less than a mark, has come."""
        if self._mark != MARK:
            raise OtherContent
        self._decoder.finish()
        self._text.write(b"\n")

    def _write(self, runs: Iterator[Run]) -> None:
        for run in runs:
            self.tally.add(run.nothings, run.size)
            for part in texts([run], expand=self._expand):
                self._text.write(part.encode())
