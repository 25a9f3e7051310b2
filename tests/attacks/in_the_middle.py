# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An attacker in the middle of a line: to the host he is the unit, and to the unit the host. Neither notices."""

import secrets
from collections import deque

from frame_reference import ReferenceDecoder, frame
from session_reference import Binding
from wire_codes import C

from ndks.line.transport import Transport

from .attackers import Loot, what_was_said
from .fake_unit import impersonated_unit, new_share
from .recording import ANSWER, ERROR, Exchange
from .sessions import ANONYMOUS, PROOF, PUBLIC, OpenedSession, public_of, session_3, shared_of

_GIVE_A = (C.PROVISION, C.PROVISION_SEALED, C.BIND)  # their requests begin with B, from which A derives


class ManInTheMiddle:
    """A transport. He knows A at first (that of a blank unit is known), and later what is said in his sessions."""

    unplugs = False

    def __init__(self, auth: bytes = ANONYMOUS) -> None:
        self.said: list[Exchange] = []  # in the clear
        self._auth = auth
        self._hello = b""
        self._with_host: OpenedSession | None = None
        self._with_unit: OpenedSession | None = None
        self._is_proved = False

    @property
    def loot(self) -> Loot:
        return what_was_said(self.said)

    def on(self, line: Transport) -> "ManInTheMiddle":
        self._line = line
        self._of_host, self._of_unit = ReferenceDecoder(), ReferenceDecoder()
        self._answers: deque[bytes] = deque()
        return self

    def write(self, data: bytes) -> None:
        for event in self._of_host.events(data):
            if not isinstance(event, str):
                self._answers.append(self._relayed(*event))

    def read(self) -> bytes:
        return self._answers.popleft()

    def close(self) -> None:
        self._line.close()

    def _relayed(self, command: int, request_id: int, payload: bytes) -> bytes:
        if command == C.HELLO:
            self._with_host = self._with_unit = None
            self._is_proved = False
            kind, self._hello = self._ask(command, request_id, payload)
            return frame(kind, request_id, self._hello)
        if command == C.OPEN_SESSION:
            return frame(command | ANSWER, request_id, self._open_both(request_id, payload))
        if command == C.PROVE:
            assert self._with_unit
            self._is_proved = True
            return frame(*self._answered(command, request_id, self._with_unit.host_proof))
        if self._is_proved:
            return self._relayed_secured(command, request_id, payload)
        return frame(*self._answered(command, request_id, payload))

    def _open_both(self, request_id: int, host_share: bytes) -> bytes:
        """Open a session with each end. Return what OPEN_SESSION answers to the host."""
        private, share = new_share()
        _, answer = self._ask(C.OPEN_SESSION, request_id, share)
        shared = shared_of(private, answer[:PUBLIC])
        self._with_unit = session_3(self._auth, shared, self._hello, share + answer[:-PROOF])
        assert answer[-PROOF:] == self._with_unit.unit_proof, "he does not know A"
        share, self._with_host = impersonated_unit(self._auth, self._hello, host_share)
        return share + self._with_host.unit_proof

    def _relayed_secured(self, command: int, request_id: int, payload: bytes) -> bytes:
        assert self._with_host
        assert self._with_unit
        request = self._with_host.to_unit.opened(command, request_id, payload)
        assert request is not None
        kind, answer = self._ask(command, request_id, self._with_unit.to_unit.secured(command, request_id, request))
        answer = self._with_unit.to_host.opened(kind, request_id, answer)
        assert answer is not None
        self.said.append(Exchange(command, request_id, request, kind, answer))
        if command in _GIVE_A and kind != ERROR:
            self._auth = Binding(request[:32]).auth
        return frame(kind, request_id, self._with_host.to_host.secured(kind, request_id, answer))

    def _answered(self, command: int, request_id: int, payload: bytes) -> tuple[int, int, bytes]:
        kind, answer = self._ask(command, request_id, payload)
        return kind, request_id, answer

    def _ask(self, command: int, request_id: int, payload: bytes) -> tuple[int, bytes]:
        """Return kind and payload of the unit's answer."""
        self._line.write(frame(command, request_id, payload))
        while True:
            for event in self._of_unit.events(self._line.read()):
                if not isinstance(event, str):
                    return event[0], event[2]


class KeyChanger(ManInTheMiddle):
    """Puts a key of his own in the place of the unit's joining key."""

    def __init__(self) -> None:
        super().__init__()
        self.private = secrets.token_bytes(PUBLIC)

    def _answered(self, command: int, request_id: int, payload: bytes) -> tuple[int, int, bytes]:
        kind, _, answer = super()._answered(command, request_id, payload)
        return kind, request_id, public_of(self.private) if command == C.JOINING_KEY else answer
