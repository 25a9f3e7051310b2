# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a binding between a unit and a laptop gives (PROTOCOL.md section 6)."""

from .kdf import Crypto, derive

BINDING_SIZE = 32
ID_SIZE = 16


class BindingKeys:
    """The keys of binding B, 32 bytes that unit and host have in common only while they are being bound.

    auth: proves who is there; the unit keeps it in the clear. kek: seals the unit's secrets; the unit never keeps it.
    id: tells bindings apart, and is no secret.
    """

    def __init__(self, crypto: Crypto, binding: bytes):
        self.auth = derive(crypto, binding, "ndks bind auth", b"")
        self.kek = derive(crypto, binding, "ndks bind kek", b"")
        self.id = derive(crypto, binding, "ndks bind id", b"")[:ID_SIZE]
