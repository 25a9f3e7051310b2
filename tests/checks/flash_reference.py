# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records and images of flash from PROTOCOL.md section 7 alone: nothing of the project is imported here."""

import hashlib
import hmac
import re
import struct
from typing import Any

from capsule_reference import aes_ctr, derive, xor
from session_reference import Binding

MEMBERSHIP, MEMBER_IDS, WINDOWS = 0x01, 0x02, 0x10
EXPORT_COUNTER, MESSAGE_COUNTER, BOOTS, WRONG_ATTEMPTS = 0x80, 0x81, 0x82, 0x83
STATE_FORMAT, ERASING, TAMPERED, JOINING_KEY, BINDING = 0xF0, 0xF1, 0xF2, 0xF3, 0xFE
FORMAT = 4

NVM_SIZE, MARKER_SIZE = 4096, 32
LOG_SIZE = NVM_SIZE - MARKER_SIZE
TAIL = 64
_COUNTERS = (EXPORT_COUNTER, BOOTS)
# Plain ones come first in an image, then open ones, sealed ones last; each by type.
_CLASSES = ((0xF0, 0xFE), (0x80, 0xEF), (0x01, 0x7F))


def record(kind: int, sequence: int, body: bytes, binding: Binding | None = None) -> bytes:
    header = struct.pack(">BHIB", kind, len(body), sequence, 0)
    if kind >= 0xF0:
        tag = hashlib.sha256(header + body).digest()[:16]
    else:
        assert binding
        if kind >= 0x80:
            tag = derive(binding.auth, "ndks log", header + body)[:16]
        else:
            tag = hmac.digest(derive(binding.kek, "ndks seal mac"), header + body, hashlib.sha256)[:16]
            key = hmac.digest(derive(binding.kek, "ndks seal enc"), tag, hashlib.sha256)
            body = xor(body, aes_ctr(key, bytes(16), bytes(len(body))))
    whole = header + tag + body
    return whole + bytes(-len(whole) % 16)


def extent(kind: int, size: int) -> int:
    """Return the bytes of a record with a body of this size, including the tail of a counter."""
    return -(-(24 + size) // 16) * 16 + (TAIL if kind in _COUNTERS else 0)


def state_format(erases: int) -> bytes:
    return struct.pack(">BI", FORMAT, erases)


def marker(cause: int) -> bytes:
    """Return the last bytes of nvm during an erasure: on request 0, after tampering 1."""
    return record(ERASING, 0, bytes([cause]))


def snapshot(image: bytes) -> bytes:
    return image[:LOG_SIZE] + hashlib.sha256(image[:LOG_SIZE]).digest()


def pieces(image: bytes) -> list[list[Any]]:
    """Return an image as pairs [offset, bytes], without runs of FF."""
    return [[found.start(), found[0].hex()] for found in re.finditer(rb"(?s)(?!\xff{8}).+?(?=\xff{8}|\Z)", image)]


class Flash:
    """The nvm and snapshots of a unit without power cuts or faults."""

    def __init__(self) -> None:
        self.nvm = bytearray(b"\xff" * NVM_SIZE)
        self.snapshots = [b"\xff" * NVM_SIZE, b"\xff" * NVM_SIZE]
        self.erases = 0
        self.binding: Binding | None = None
        self._forget()

    def _forget(self) -> None:
        self.bodies: dict[int, bytes] = {}
        self.end = 0
        self._sequence = 0
        self._sequences: dict[int, int] = {}  # of the newest record of each type
        self._tails: dict[int, tuple[int, int]] = {}
        self._newest_snapshot: int | None = None
        self._highest_in_snapshot = 0  # sequence number

    def append(self, kind: int, body: bytes) -> None:
        if self.end + extent(kind, len(body)) > LOG_SIZE:
            self.compact()
        self.bodies[kind] = body
        self.end = self._write(self.nvm, self.end, kind)

    def count(self, kind: int) -> None:
        """Program one step of a counter."""
        body = self.bodies[kind]
        body = body[:-8] + struct.pack(">Q", int.from_bytes(body[-8:]) + 1)
        start, end = self._tails.get(kind, (0, 0))
        if start == end:
            self.append(kind, body)
        else:
            self.nvm[start] = 0
            self._tails[kind] = (start + 1, end)
            self.bodies[kind] = body

    def restart(self) -> None:
        """Restart the unit: the sequence numbers of sealed records in nvm are unknown until `unlock`."""
        known = [sequence for kind, sequence in self._sequences.items() if kind >= 0x80]
        self._sequence = max([*known, self._highest_in_snapshot])

    def unlock(self) -> None:
        self._sequence = max([*self._sequences.values(), self._highest_in_snapshot])

    def compact(self) -> None:
        self._write_snapshot(self._image())
        self._start_nvm()

    def make_room(self, *records: tuple[int, bytes]) -> None:
        """Compact unless all of these records fit."""
        if self.end + sum(extent(kind, len(body)) for kind, body in records) > LOG_SIZE:
            self.compact()

    def leave_out(self, kind: int) -> None:
        """Write both files without this type, and then nvm."""
        del self.bodies[kind]
        for _ in self.snapshots:
            self._write_snapshot(self._image())
        self._image()
        self._start_nvm()

    def clear(self) -> None:
        """Rewrite nvm of a blank unit without its joining key, if there is more than an erasure leaves."""
        self.bodies.pop(JOINING_KEY, None)
        if self.end > sum(extent(kind, len(body)) for kind, body in self.bodies.items()):
            self._image()
            self._start_nvm()

    def rebind(self, binding: Binding, body: bytes, settled_body: bytes) -> None:
        """Write a compaction, a snapshot without a binding, the commit in nvm, and then all records again."""
        self.prepare_binding(binding, body)
        self.settle(settled_body)

    def prepare_binding(self, binding: Binding, body: bytes) -> None:
        """Do the steps of a binding up to the commit."""
        self.compact()
        self.binding = binding
        del self.bodies[BINDING]
        self._write_snapshot(self._image())
        self._tails = {}  # those of nvm are of the old binding
        self.append(BINDING, body)

    def settle(self, body: bytes) -> None:
        self.bodies[BINDING] = body
        self.compact()

    def erase(self, cause: int) -> None:
        left = record(STATE_FORMAT, 1, state_format(self.erases + 1))
        if cause:
            left += record(TAMPERED, 2, bytes([cause]))
        self.nvm = bytearray(left.ljust(NVM_SIZE, b"\xff"))
        self.snapshots = [snapshot(bytes(self.nvm))] * 2
        self.erases += 1
        self.binding = None
        self._forget()
        self.end = len(left)
        self.bodies = {STATE_FORMAT: state_format(self.erases)} | ({TAMPERED: bytes([cause])} if cause else {})
        self._sequence = self._highest_in_snapshot = len(self.bodies)
        self._newest_snapshot = 0

    def described(self) -> dict[str, Any]:
        return {"nvm": pieces(bytes(self.nvm)), "snapshots": [pieces(image) for image in self.snapshots]}

    def _image(self) -> bytearray:
        image = bytearray(b"\xff" * NVM_SIZE)
        end = 0
        self.bodies[STATE_FORMAT] = state_format(self.erases + 1)
        for first, last in _CLASSES:
            for kind in sorted(kind for kind in self.bodies if first <= kind <= last):
                end = self._write(image, end, kind)
        self.bodies[STATE_FORMAT] = state_format(self.erases)
        self._image_end, self._next_nvm = end, image
        return image

    def _write(self, image: bytearray, start: int, kind: int) -> int:
        body = self.bodies[kind]
        self._sequence += 1
        self._sequences[kind] = self._sequence
        data = record(kind, self._sequence, body, self.binding)
        image[start : start + len(data)] = data
        end = start + extent(kind, len(body))
        if kind in _COUNTERS:
            self._tails[kind] = (end - TAIL, end)
        return end

    def _write_snapshot(self, image: bytearray) -> None:
        self._newest_snapshot = 1 if self._newest_snapshot == 0 else 0
        self.snapshots[self._newest_snapshot] = snapshot(bytes(image))
        self._highest_in_snapshot = self._sequence

    def _start_nvm(self) -> None:
        self.nvm = self._next_nvm
        self.end = self._image_end
        self.erases += 1
        self.bodies[STATE_FORMAT] = state_format(self.erases)
