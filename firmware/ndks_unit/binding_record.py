# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The record in flash that says which laptop this unit opens for."""

import struct

from ndks_protocol.binding import BindingKeys
from ndks_protocol.kdf import Crypto, derive

_BODY = ">32s16s16sBB"  # auth, unit salt, binding id, digits, settled
SALT_SIZE = 16


class BindingRecord:
    """What is known without the host: `auth`, which proves who is there, and nothing that opens a secret.

    `digits` tells which tables the unit will need. A binding that is not `settled` has replaced another one, whose
    records are not all gone.
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
        """Return the same binding, with nothing left of the one before."""
        return BindingRecord(self.body[:-1] + b"\1")


def binding_body(keys: BindingKeys, salt: bytes, digits: int, settled: int) -> bytes:
    """Return the body of the record BINDING."""
    return struct.pack(_BODY, keys.auth, salt, keys.id, digits, settled)


def new_salt(crypto: Crypto, binding: bytes, random: bytes) -> bytes:
    """Return the salt of a unit that is being provisioned, from random bytes of the host and of the unit."""
    return derive(crypto, binding, "ndks unit salt", random)[:SALT_SIZE]
