# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Recorded sessions, opened with A (PROTOCOL.md section 6)."""

import hashlib
import hmac
import struct
from collections.abc import Iterator

from capsule_reference import derive
from session_reference import Direction
from wire_codes import C

from .recording import ERROR, Exchange, Recording, exchanges

PROOF = 16  # bytes


class OpenedSession:
    """The keys of a session of protocol 2.0: all of them come from A and from what is on the line."""

    def __init__(self, auth: bytes, hello: bytes, randoms: bytes) -> None:
        transcript = hashlib.sha256(b"ndks session 1\0" + struct.pack(">H", len(hello)) + hello + randoms).digest()
        self.unit_proof = derive(auth, "ndks unit proof", transcript)[:PROOF]
        self.host_proof = derive(auth, "ndks host proof", transcript)[:PROOF]
        self.to_unit = Direction(auth, "h2u", transcript)
        self.to_host = Direction(auth, "u2h", transcript)

    def decrypted(self, heard: Exchange) -> Exchange | None:
        """Return the next exchange in the clear; None if it is not of this session."""
        request = self.to_unit.opened(heard.command, heard.request_id, heard.request)
        answer = self.to_host.opened(heard.kind, heard.request_id, heard.answer)
        return None if request is None or answer is None else heard._replace(request=request, answer=answer)


def begun(auth: bytes, hello: bytes, heard: Exchange) -> OpenedSession | None:
    """Return the session that this OPEN_SESSION began, if A is the one that both ends used."""
    session = OpenedSession(auth, hello, heard.request + heard.answer[:-PROOF])
    return session if hmac.compare_digest(session.unit_proof, heard.answer[-PROOF:]) else None


def opened(auth: bytes, recording: Recording) -> Iterator[Exchange]:
    """Yield, in the clear, what was said in all sessions that A opens."""
    hello, prepared, session = b"", None, None
    for heard in exchanges(recording):
        if heard.command == C.HELLO:
            hello, prepared, session = heard.answer, None, None
        elif heard.command == C.OPEN_SESSION:
            prepared, session = begun(auth, hello, heard), None
        elif heard.command == C.PROVE:
            session = prepared if heard.kind != ERROR else None
        elif session and (clear := session.decrypted(heard)):
            yield clear
        else:
            session = None
