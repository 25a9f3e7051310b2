# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The keys that follow from the root (PROTOCOL.md section 13): of members, of notices, and of the signature."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ndks_protocol.capsule import HeaderKeys, header_keys
from ndks_protocol.control.capsules import seal_control
from ndks_protocol.control.ladder import NEXT_MEMBER_KEY, first_member_key, hint_of, ratchet
from ndks_protocol.control.limits import ADMINISTRATOR_LANE, ADMINISTRATORS
from ndks_protocol.control.notice import Notice
from ndks_protocol.kdf import derive

from ..crypto import CRYPTO


class AdministratorKeys:
    """Keys of members are kept in memory, because a later one is found from the one before."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._members: dict[int, tuple[int, bytes]] = {}
        self.signing = Ed25519PrivateKey.from_private_bytes(derive(CRYPTO, root, "ndks bundle signature", b""))
        self.public = self.signing.public_key().public_bytes_raw()

    def member_key(self, lane: int, g: int) -> bytes:
        """Return M(lane, g)."""
        known, key = self._members.get(lane, (0, b""))
        if not key or known > g:
            known, key = 0, first_member_key(CRYPTO, self._root, lane)
        key = ratchet(CRYPTO, key, NEXT_MEMBER_KEY, g - known)
        self._members[lane] = g, key
        return key

    def notice(self, lane: int, content: Notice, salt: bytes) -> tuple[bytes, bytes]:
        """Return the hint of a member, and its notice."""
        g = content.generation
        key = self.member_key(lane, g)
        sender = ADMINISTRATOR_LANE + g % ADMINISTRATORS, g + 1
        masks = HeaderKeys(CRYPTO, header_keys(CRYPTO, key))
        return hint_of(CRYPTO, key), seal_control(CRYPTO, key, masks, sender, salt, content.pack())
