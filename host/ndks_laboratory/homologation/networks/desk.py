# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The administrator of the test network, and the authority that signs who may join."""

import base64
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ndks.exceptions import CheckFailed
from ndks.network import approval
from ndks.network.administration import ROOT_SIZE, Administration
from ndks.network.administrator import Administrator
from ndks.network.agreement import NAMESPACE, Agreement
from ndks.network.bundle import Bundle
from ndks.network.generation import Operators
from ndks.network.join_request import JoinRequest
from ndks.network.member_package import MemberPackage
from ndks.network.network_file import Network

_WHO, _WHY = "the homologation", "a unit under test"
_KEY_TYPE, _HASH = b"ssh-ed25519", b"sha256"


class Authority:
    """A key that signs agreements as OpenSSH does (`ssh-keygen -Y sign`)."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._blob = _string(_KEY_TYPE) + _string(self._key.public_key().public_bytes_raw())

    @property
    def line(self) -> str:
        """The public key as in a file KEY.pub."""
        return f"{_KEY_TYPE.decode()} {base64.b64encode(self._blob).decode()}"

    def sign(self, agreement: Agreement) -> str:
        """Return the signature of an agreement, armored."""
        parts = [NAMESPACE.encode(), b"", _HASH]
        signed = self._key.sign(b"SSHSIG" + b"".join(map(_string, (*parts, sha256(agreement.content).digest()))))
        fields = self._blob, *parts, _string(_KEY_TYPE) + _string(signed)
        blob = b"SSHSIG\0\0\0\1" + b"".join(map(_string, fields))
        return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"


class Desk:
    """An administrator's file in memory. `published` are the bundles that nobody has put on the channel yet."""

    def __init__(self, network: Network) -> None:
        self.authority = Authority()
        founded = Administration.founded(network, secrets.token_bytes(ROOT_SIZE))
        self.administrator = Administrator(replace(founded, authority=self.authority.line))
        self.published: list[bytes] = []

    @property
    def public(self) -> bytes:
        """The key by which members know bundles."""
        return self.administrator.keys.public

    def tries(self, request: JoinRequest) -> Iterator[tuple[str, bool]]:
        """Try to admit a unit in wrong ways; yield each, and whether it was refused."""
        agreement, other = self._agreement(request), self._agreement(replace(request, content=b"another request"))
        signatures = {
            "without a signature": (agreement, ""),
            "with another's signature": (agreement, Authority().sign(agreement)),
            "with the signature of another request": (agreement, self.authority.sign(other)),
            "with an agreement to another request": (other, self.authority.sign(other)),
        }
        for what, (agreed, signature) in signatures.items():
            yield what, self._refuses(request, agreed, signature)

    def admit(self, request: JoinRequest) -> MemberPackage:
        """Give a unit a lane and make the next generation, with the authority's signature. NdksError."""
        agreement = self._agreement(request)
        package = approval.approve(self.administrator, request, agreement, self.authority.sign(agreement))
        self.published.append(package.bundle)
        return package

    def refresh(self, operators: Operators | None = None) -> Bundle:
        """Make the next generation of the same members."""
        return self._publish(self.administrator.issue(operators=operators))

    def revoke(self, lane: int) -> Bundle:
        """Shut a unit out."""
        self.administrator.revoke([lane])
        return self.refresh()

    def retire(self, lane: int) -> Bundle:
        """Retire a unit that was seen erased."""
        self.administrator.retire([lane])
        return self.refresh()

    def _publish(self, bundle: Bundle) -> Bundle:
        self.published.append(bundle.content)
        return bundle

    def _agreement(self, request: JoinRequest) -> Agreement:
        today = datetime.now(UTC).date().isoformat()
        return approval.agreement_for(self.administrator, request, _WHO, today, _WHY)

    def _refuses(self, request: JoinRequest, agreement: Agreement, signature: str) -> bool:
        before = self.administrator.state
        try:
            approval.approve(self.administrator, request, agreement, signature)
        except CheckFailed:
            return self.administrator.state == before
        self.administrator.state = before
        return False


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value
