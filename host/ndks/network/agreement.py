# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agreements: who let a candidate join, when and why (PROTOCOL.md section 13), signed where the network requires it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from .. import strict_json
from ..exceptions import CheckFailed, UsageError
from .ssh_signature import check_signature

NAMESPACE = "ndks-join"
FORMAT = 1
_MARK = "ndks_join_agreement"


@dataclass(frozen=True)
class Agreement:
    """`request` is the SHA-256 of a request's file, `signing_key` that of the administrators, both in hex."""

    request: str
    network: str
    signing_key: str
    who: str
    when: str
    why: str

    def __post_init__(self) -> None:
        if not self.who or not all(text.isprintable() for text in (self.who, self.when, self.why)):
            raise UsageError("an agreement names who agreed, when and why, each on one line")
        try:
            datetime.fromisoformat(self.when)
        except ValueError:
            raise UsageError("the date of an agreement is no date of ISO 8601", "write it as 2026-11-28") from None

    @property
    def content(self) -> bytes:
        """The file agreement.json, which the authority signs."""
        return (json.dumps({_MARK: FORMAT} | asdict(self), indent=2) + "\n").encode()

    @classmethod
    def parsed(cls, content: bytes) -> Self:
        """Return what a file says, which must be as `content` writes it. CheckFailed."""
        try:
            values: Any = strict_json.loads(content)
            del values[_MARK]
            agreement = cls(**values)
        except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
            agreement = None
        if agreement is None or agreement.content != content:
            raise CheckFailed("this is no agreement of this version, or it was altered", "have it made again")
        return agreement

    def check(self, request: bytes, network: str, public: bytes) -> None:
        """Check that this is about a request, to join a network. CheckFailed."""
        if (self.request, self.network, self.signing_key) != (sha256(request).hexdigest(), network, public.hex()):
            what = "the agreement is about another request, or another network"
            raise CheckFailed(what, "make it of the right request, and have it signed again")

    def check_signature(self, armored: str, authority: str) -> None:
        """Check the authority's signature. CheckFailed."""
        if not armored:
            what = "this network wants its authority's signature of the agreement"
            raise CheckFailed(what, f"have it signed: ssh-keygen -Y sign -n {NAMESPACE} -f KEY agreement.json")
        check_signature(self.content, armored, authority, NAMESPACE)
