# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys derived from the binding between a unit and a laptop (PROTOCOL.md section 6)."""

from .kdf import Crypto, derive

BINDING_SIZE = 32
ID_SIZE = 16


class BindingKeys:
    """The keys of binding B, a 32-byte secret that unit and host share only during binding.

    auth: authenticates both ends; the unit stores it in the clear.
    kek: encrypts the unit's secrets; the unit never stores it.
    id: identifies the binding; it is public.
    """

    def __init__(self, crypto: Crypto, binding: bytes):
        self.auth = derive(crypto, binding, "ndks bind auth", b"")
        self.kek = derive(crypto, binding, "ndks bind kek", b"")
        self.id = derive(crypto, binding, "ndks bind id", b"")[:ID_SIZE]
