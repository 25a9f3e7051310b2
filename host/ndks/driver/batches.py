# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealing and opening of many chunks at once by the host, which makes the same bytes faster."""

import struct
from hmac import compare_digest
from itertools import chain

from ndks_protocol import errors
from ndks_protocol.capsule import CHECK_SIZE, CHUNK, TAG_SIZE, Keys, Opener, Sealer

from ..crypto import CRYPTO, HostMac
from .blocks import WIRE_CHUNK

_BEFORE_BODY = struct.Struct(">IB").pack  # of what a tag is over: number of the chunk, whether it is the last
_MOST_CHUNKS = 1 << 32


class BatchSealer(Sealer):
    """Sealer of the chunks of one message; all pieces but the last can be given several at a time."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(CRYPTO, keys)
        self._mac = HostMac(keys.tag_key)

    def seal(self, number: int, last: int, data: bytes | memoryview) -> bytes:
        """Return the chunks for whole pieces from `number` on, or those for the last piece."""
        if last:
            return super().seal(number, last, data)
        text = memoryview(bytearray(b"" if number else self._keys.sync) + data)
        self._keys.apply(CHUNK * number, text)
        bodies = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
        return b"".join(chain.from_iterable(zip(bodies, _tags(self._mac, number, bodies), strict=True)))


class BatchOpener(Opener):
    """Opener of the chunks of one message, in order; all but the last can be given several at a time."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(CRYPTO, keys)
        self._mac = HostMac(keys.tag_key)

    def open(self, number: int, last: int, chunk: bytes | memoryview) -> bytes:
        """Return the data of these chunks as `Opener.open` does, none of it before all of their tags are verified."""
        view = memoryview(bytearray(CHECK_SIZE + len(chunk)))
        data = bytes(self.open_into(view, number, last, chunk))
        if not last:
            self._next = number + len(chunk) // WIRE_CHUNK
        return data

    def _verified(self, number: int, last: int, chunk: bytes | memoryview) -> bytes | memoryview:
        if last or not chunk:
            return super()._verified(number, last, chunk)
        view, starts = memoryview(chunk), range(0, len(chunk), WIRE_CHUNK)
        bodies = [view[start : start + CHUNK] for start in starts]
        tags = b"".join([view[start + CHUNK : start + WIRE_CHUNK] for start in starts])
        if not compare_digest(b"".join(_tags(self._mac, number, bodies)), tags):
            raise errors.UnitError(errors.AUTH)
        return b"".join(bodies)


def _tags(mac: HostMac, number: int, bodies: list[memoryview]) -> list[bytes]:
    """Return the tags of chunks from `number` on, none of which is the last one. UnitError RANGE."""
    if number + len(bodies) > _MOST_CHUNKS:
        raise errors.UnitError(errors.RANGE)
    heads = [_BEFORE_BODY(each, 0) for each in range(number, number + len(bodies))]
    return [code[:TAG_SIZE] for code in mac.digests(zip(heads, bodies, strict=True))]
