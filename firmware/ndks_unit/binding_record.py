# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record of the binding to a laptop, in flash."""

import struct

from ndks_protocol.binding import BindingKeys

_BODY = ">32s16s16sBB"  # auth, unit salt, binding id, digits, settled
SALT_SIZE = 16


class BindingRecord:
    """The part of a binding that the unit stores: `auth` for authentication, but no key that decrypts a secret.

    `digits` selects the tables to load at start. If `settled` is 0, flash may still hold records of the previous
    binding.
    """

    auth: bytes
    salt: bytes
    id: bytes
    digits: int
    settled: int

    def __init__(self, body: "bytes | bytearray"):
        self.body = body
        self.auth, self.salt, self.id, self.digits, self.settled = struct.unpack(_BODY, body)

    def as_settled(self) -> "BindingRecord":
        """Return the same binding with `settled` set to 1."""
        return BindingRecord(self.body[:-1] + b"\1")


class NewBinding(BindingKeys):
    """The keys of a binding that an on-demand handler is to store. Its base class, `BindingKeys`, is always loaded."""

    def body(self, salt: bytes, digits: int, settled: int) -> bytes:
        """Return the body of the record BINDING."""
        return struct.pack(_BODY, self.auth, salt, self.id, digits, settled)
