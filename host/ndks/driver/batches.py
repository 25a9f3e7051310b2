# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealing and opening of many chunks at once by the host, which makes the same bytes faster."""

from hmac import compare_digest

from ndks_protocol import errors
from ndks_protocol.capsule import CHECK_SIZE, CHUNK, TAG_SIZE, Keys, Opener, Sealer, tag_of

from ..crypto import CRYPTO, HostMac
from .blocks import WIRE_CHUNK


class BatchSealer(Sealer):
    """Sealer of the chunks of one message; all pieces but the last can be given several at a time."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(CRYPTO, keys)
        self._mac = HostMac(keys.tag_key)

    def seal(self, number: int, last: int, data: bytes | memoryview) -> bytes:
        """Return the chunks for whole pieces from `number` on, or those for the last piece."""
        if last:
            return super().seal(number, last, data)
        text = bytearray(b"" if number else self._keys.sync)
        text += data
        self._keys.apply(CHUNK * number, memoryview(text))
        return b"".join(self._tagged(number, bytes(text)))

    def _tagged(self, number: int, text: bytes) -> list[bytes]:
        parts: list[bytes] = []
        for first, start in enumerate(range(0, len(text), CHUNK), number):
            body = text[start : start + CHUNK]
            parts += body, tag_of(self._mac, first, 0, body)
        return parts


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
        bodies: list[memoryview] = []
        view = memoryview(chunk)
        for each, start in enumerate(range(0, len(chunk), WIRE_CHUNK), number):
            end = start + CHUNK
            body = view[start:end]
            if not compare_digest(tag_of(self._mac, each, 0, body), view[end : end + TAG_SIZE]):
                raise errors.UnitError(errors.AUTH)
            bodies.append(body)
        return b"".join(bodies)
