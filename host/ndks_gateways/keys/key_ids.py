# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ids of keys: each says, encrypted, where its key is and for whom, so that no server tells another anything.

An id is one block of AES-256 under a key of its epoch:

    lane u16 | run u32 | slot u24 | size u16 | 00 | names 4 bytes

The epoch is not in it: a server tries those that its unit keeps. Whoever is not a member can neither make an id that
fits nor learn from one how many keys came before it.
"""

import hmac
import struct
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks.crypto import CRYPTO, HostMac
from ndks_protocol.kdf import derive

from . import refusals
from .names import Names
from .refusals import Unauthorized
from .runs import Place, Run, is_place

SIZE = 16  # bytes
_FIELDS = struct.Struct(">HIHBHB")  # all but the names; the slot in two parts
_RUNS = 1 << 31


class EpochIds:
    """The ids of one epoch. `exported` is bytes 0 to 31 of its key `ranges.IDS`."""

    def __init__(self, epoch: int, exported: bytes) -> None:
        self.epoch = epoch
        key = derive(CRYPTO, exported, "ndks 014 id", b"")
        cipher = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305 (one block, which never comes twice)
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update
        self._names = HostMac(exported)
        self._context = struct.pack(">I", epoch)

    def id_of(self, run: Run, slot: int, size: int, names: Names) -> bytes:
        """Return the id of a key of a run of this epoch. ValueError: it can have none."""
        if run.epoch != self.epoch or not is_place(slot, size):
            raise ValueError("a place of another epoch, or none")
        fields = _FIELDS.pack(run.lane, run.run, slot >> 8, slot & 0xFF, size, 0)
        return self._encrypt(fields + self._code(fields, names))

    def place(self, key_id: bytes) -> tuple[Place, bytes] | None:
        """Return the place that an id names, and the block, if the id is of this epoch; None if it is not."""
        block = self._decrypt(key_id)
        lane, run, high, low, size, zero = _FIELDS.unpack_from(block)
        slot = high << 8 | low
        if zero or not lane or run >= _RUNS or not is_place(slot, size):
            return None
        return Place(self.epoch, lane, run, slot, size), block

    def is_for(self, block: bytes, names: Iterable[Names]) -> bool:
        """Return whether the key of an id is for one of these names."""
        fields, code = block[: _FIELDS.size], block[_FIELDS.size :]
        return any(hmac.compare_digest(self._code(fields, each), code) for each in names)

    def _code(self, fields: bytes, names: Names) -> bytes:
        context = self._context + fields + names.packed
        return derive(CRYPTO, self._names, "ndks 014 names", context)[: SIZE - _FIELDS.size]


def find(key_id: bytes, epochs: Iterable[EpochIds], names: Sequence[Names]) -> Place | None:
    """Return where the key of an id is; None if the id is of none of these epochs. Unauthorized: it is for others."""
    is_of_others = False
    for epoch in epochs:
        if found := epoch.place(key_id):
            place, block = found
            if epoch.is_for(block, names):
                return place
            is_of_others = True
    if is_of_others:
        raise Unauthorized(refusals.NOT_YOURS)
    return None
