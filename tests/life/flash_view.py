# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The contents of a unit's flash by PROTOCOL.md section 7 alone: nothing of the project is imported here."""

import hashlib
import hmac
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import flash_reference as reference
from capsule_reference import aes_ctr, derive, xor
from session_reference import Binding
from x25519_reference import public_key

NVM = 2  # a place, as 0 and 1 are the snapshots
WINDOW_KINDS = range(reference.WINDOWS, reference.WINDOWS + 10)
_HEADER, _BODY, _TAG = 8, 24, 16
_COUNTERS = (reference.EXPORT_COUNTER, reference.BOOTS)
_LARGEST_BODY = 240  # of a membership
_HIGHEST_SEQUENCE = 0xFFFF0000
_KINDS = {
    *(reference.MEMBERSHIP, reference.MEMBER_IDS, *WINDOW_KINDS),
    *(reference.EXPORT_COUNTER, reference.MESSAGE_COUNTER, reference.BOOTS, reference.WRONG_ATTEMPTS),
    *(reference.STATE_FORMAT, reference.TAMPERED, reference.JOINING_KEY, reference.BINDING),
}


class Record(NamedTuple):
    """A possible record, found at some place in flash."""

    sequence: int
    place: int
    kind: int
    offset: int
    content: bytes
    tail: bytes

    def body(self, binding: Binding | None) -> bytes | None:
        """Return the body if the tag is correct under this binding, else None."""
        header, tag, body = self.content[:_HEADER], self.content[_HEADER:_BODY], self.content[_BODY:]
        if self.kind >= 0xF0:
            right = hashlib.sha256(header + body).digest()[:_TAG]
        elif binding is None:
            return None
        elif self.kind >= 0x80:
            right = derive(binding.auth, "ndks log", header + body)[:_TAG]
        else:
            key = hmac.digest(derive(binding.kek, "ndks seal enc"), tag, hashlib.sha256)
            body = xor(body, aes_ctr(key, bytes(16), bytes(len(body))))
            right = hmac.digest(derive(binding.kek, "ndks seal mac"), header + body, hashlib.sha256)[:_TAG]
        return body if right == tag else None


class FlashView(NamedTuple):
    """The state of a unit with this flash. Sealed records count only if their binding is known."""

    is_bound: bool
    is_tampered: bool
    is_settled: bool
    salt: bytes
    binding: bytes  # B, or b"" if it is unknown
    membership: bytes
    next_index: int
    reserved: int  # the first own number that is not reserved
    boots: int
    wrong_attempts: int
    erases: int
    trusted: dict[int, bytes]
    windows: dict[int, tuple[int, int]]  # by lane: top, bits
    free: int  # free bytes of the log
    joining_key: bytes  # the private key, and the public key; b"": there is none
    has_remains: bool  # of a joining key, or of what a power cut has left of a provisioning


def look(images: list[bytes], bindings: Iterable[bytes]) -> FlashView:
    """Return the state that the unit finds in flash, if its host has one of these bindings."""
    records = list(_looked_at(images))
    body = _newest(records, reference.BINDING, None)
    auth, salt, _, _, settled = struct.unpack(">32s16s16sBB", body) if body else (b"", b"", b"", 0, 1)
    binding = next((each for each in map(Binding, bindings) if each.auth == auth), None)
    if body and binding is None:
        raise AssertionError("the unit has a binding that was never made")
    windows: dict[int, tuple[int, int]] = {}
    for kind in WINDOW_KINDS:
        window = _newest(records, kind, binding)
        if window:
            lane, high, low = struct.unpack_from(">HHI", window)
            assert lane not in windows, "two windows of one lane"
            windows[lane] = high << 32 | low, int.from_bytes(window[8:])
    ids = _newest(records, reference.MEMBER_IDS, binding) or b""
    epoch, reserved = struct.unpack(
        ">IQ", _newest(records, reference.MESSAGE_COUNTER, binding) or struct.pack(">IQ", 0, 1)
    )
    assert epoch == 0
    counter = _newest(records, reference.EXPORT_COUNTER, binding) or struct.pack(">IQ", 0, 1)
    joining_key = _newest(records, reference.JOINING_KEY, None) or b""
    if joining_key:
        assert body is None, "a joining key has outlived the provisioning"
        assert all(record.place == NVM for record in records if record.kind == reference.JOINING_KEY)
        assert joining_key[32:] == public_key(joining_key[:32])
    return FlashView(
        body is not None,
        _newest(records, reference.TAMPERED, None) is not None,
        bool(settled),
        salt,
        binding.secret if binding else b"",
        _newest(records, reference.MEMBERSHIP, binding) or b"",
        struct.unpack(">IQ", counter)[1],
        reserved,
        int.from_bytes(_newest(records, reference.BOOTS, binding) or b""),
        int.from_bytes(_newest(records, reference.WRONG_ATTEMPTS, binding) or b""),
        int.from_bytes((_newest(records, reference.STATE_FORMAT, None) or bytes(5))[1:]),
        dict(struct.unpack_from(">H16s", ids, offset) for offset in range(0, len(ids), 18)),
        windows,
        reference.LOG_SIZE - _end(images[NVM]),
        joining_key,
        body is None and _end(images[NVM]) > _least_end(records),
    )


def records_under(images: list[bytes], binding: bytes) -> list[int]:
    """Return the types of all records, old ones included, that this binding decrypts or authenticates."""
    keys = Binding(binding)
    everything = (record for place, image in enumerate(images) for record in _records(image, place))
    return [record.kind for record in everything if record.kind < 0xF0 and record.body(keys) is not None]


def _looked_at(images: list[bytes]) -> Iterator[Record]:
    """Yield the records of nvm, and of the newest intact snapshot."""
    yield from _records(images[NVM], NVM)
    whole = [slot for slot in (0, 1) if images[slot] == reference.snapshot(images[slot])]
    in_slots = [list(_records(images[slot], slot)) for slot in whole]
    if in_slots:
        yield from max(in_slots, key=lambda records: max((record.sequence for record in records), default=0))


def _records(image: bytes, place: int) -> Iterator[Record]:
    """Yield the records of an image. Those of a snapshot are contiguous: what looks like one within another is none."""
    offset = 0
    while offset < reference.LOG_SIZE - _BODY:
        kind, size, sequence, zero = struct.unpack_from(">BHIB", image, offset)
        here, end = offset, offset + reference.extent(kind, size)
        offset += 16
        right = not zero and size <= _LARGEST_BODY and sequence <= _HIGHEST_SEQUENCE and end <= reference.LOG_SIZE
        if kind in _KINDS and right:
            offset = offset if place == NVM else end
            tail = image[end - reference.TAIL : end] if kind in _COUNTERS else b""
            yield Record(sequence, place, kind, here, image[here : here + _BODY + size], tail)


def _newest(records: list[Record], kind: int, binding: Binding | None) -> bytes | None:
    """Return the body of the newest record of a type with a correct tag; for a counter, with its current value."""
    for record in sorted((record for record in records if record.kind == kind), reverse=True):
        body = record.body(binding)
        if body is not None:
            steps = len(record.tail.rstrip(b"\xff")) if record.place == NVM else 0
            return body[:-8] + struct.pack(">Q", int.from_bytes(body[-8:]) + steps) if kind in _COUNTERS else body
    return None


def _least_end(records: list[Record]) -> int:
    """Return where the records end that an erasure leaves."""
    state = _newest(records, reference.STATE_FORMAT, None), _newest(records, reference.TAMPERED, None)
    return sum(reference.extent(reference.STATE_FORMAT, len(body)) for body in state if body is not None)


def _end(nvm: bytes) -> int:
    written = len(nvm[: reference.LOG_SIZE].rstrip(b"\xff"))
    ends = [record.offset + reference.extent(record.kind, len(record.content) - _BODY) for record in _records(nvm, NVM)]
    return max(-(-written // 16) * 16, *ends, 0)
