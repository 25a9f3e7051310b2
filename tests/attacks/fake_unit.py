# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A fake unit, made of A and of the true unit's answer to HELLO, which anybody may ask for."""

import secrets
from collections import deque

from frame_reference import ReferenceDecoder, frame
from wire_codes import C, E

from ndks.line.transport import Transport

from .attackers import KEK, Loot
from .recording import ANSWER, ERROR
from .sessions import PUBLIC, OpenedSession, public_of, session_3, shared_of


class FakeUnit:
    """A transport: the fake one in the owner's laptop. It proves A, takes the KEK, and refuses everything else."""

    unplugs = False

    def __init__(self, auth: bytes, hello: bytes) -> None:
        self.loot: Loot = {}
        self._auth = auth
        self._hello = hello
        self._decoder = ReferenceDecoder()
        self._prepared: OpenedSession | None = None
        self._session: OpenedSession | None = None
        self._answers: deque[bytes] = deque()

    def instead_of(self, line: Transport) -> "FakeUnit":
        line.close()
        return self

    def write(self, data: bytes) -> None:
        for event in self._decoder.events(data):
            if not isinstance(event, str):
                self._answers.append(self._answer(*event))

    def read(self) -> bytes:
        return self._answers.popleft()

    def close(self) -> None:
        """Do nothing: it has what it came for, or nothing."""

    def _answer(self, command: int, request_id: int, payload: bytes) -> bytes:
        if command == C.HELLO:
            self._prepared = self._session = None
            return frame(command | ANSWER, request_id, self._hello)
        if command == C.OPEN_SESSION:
            share, self._prepared = impersonated_unit(self._auth, self._hello, payload)
            return frame(command | ANSWER, request_id, share + self._prepared.unit_proof)
        if command == C.PROVE:
            self._session = self._prepared
            return frame(command | ANSWER, request_id, b"")
        return self._answer_secured(command, request_id, payload)

    def _answer_secured(self, command: int, request_id: int, payload: bytes) -> bytes:
        body = self._session and self._session.to_unit.opened(command, request_id, payload)
        if not self._session or body is None:
            return frame(ERROR, request_id, E.SESSION_ENDED.to_bytes(2))
        if command == C.UNLOCK:
            self.loot[KEK] = body[:32]
        refusal = E.KEK.to_bytes(2)
        return frame(ERROR, request_id, self._session.to_host.secured(ERROR, request_id, refusal))


def new_share() -> tuple[bytes, bytes]:
    """Return a new private key, and what OPEN_SESSION says of it."""
    private = secrets.token_bytes(PUBLIC)
    return private, public_of(private) + secrets.token_bytes(16)


def impersonated_unit(auth: bytes, hello: bytes, host_share: bytes) -> tuple[bytes, OpenedSession]:
    """Return a share as a unit's own, and the session with the host to which it goes."""
    private, share = new_share()
    return share, session_3(auth, shared_of(private, host_share[:PUBLIC]), hello, host_share + share)
