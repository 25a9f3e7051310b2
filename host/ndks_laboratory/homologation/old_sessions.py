# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A control: a unit with the sessions of protocol 2.0, whose keys follow from A and the recording alone.

Whoever has a recording of the cable and a copy of the flash, which has A in the clear, must read what was said.
"""

import contextlib
from collections.abc import Generator

import numpy as np

from ndks.crypto import CRYPTO
from ndks_protocol import commands, framing
from ndks_protocol.session import OVERHEAD, RANDOM_SIZE, SYNC_SIZE, UNIT, SecureChannel, proof

from .adversaries.active.session_keys import transcript_of_2_0
from .ideal_system import IdealCable, IdealSystem
from .system import Dump, RecordedSession, TappedCable

_AUTH, _HELLO = 32, 77  # bytes
_REQUEST = 7  # the id of the request for a key


class OldSessions(IdealSystem):
    """An ideal system, except for what passes on the cable and for A in flash."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._auth = self.random.bytes(_AUTH)

    @contextlib.contextmanager
    def cable(self) -> Generator[TappedCable]:
        yield OldCable(self.random, self._auth)

    def dumps(self) -> tuple[Dump, ...]:
        """Return flash that has the A of Alice's unit, in both copies."""
        return tuple(Dump(dump.owner, tuple(self._auth + each for each in dump.content)) for dump in super().dumps())


class OldCable(IdealCable):
    def __init__(self, random: np.random.Generator, auth: bytes) -> None:
        super().__init__(random)
        self._auth = auth

    def record_session(self) -> RecordedSession:
        hello, host_random, unit_random = (self._random.bytes(size) for size in (_HELLO, RANDOM_SIZE, RANDOM_SIZE))
        transcript_hash = transcript_of_2_0(hello, host_random + unit_random)
        unit_proof = proof(CRYPTO, self._auth, UNIT, transcript_hash)
        return RecordedSession(
            hello, host_random, unit_random + unit_proof, (self._answer(transcript_hash),), self._key
        )

    def _answer(self, transcript_hash: bytes) -> framing.Frame:
        payload = memoryview(bytearray(len(self._key) + OVERHEAD))
        payload[SYNC_SIZE : SYNC_SIZE + len(self._key)] = self._key
        kind = commands.KEY_CHUNK.code | framing.ANSWER
        SecureChannel(CRYPTO, self._auth, transcript_hash, UNIT).seal(kind, _REQUEST, payload, len(self._key))
        return framing.Frame(kind, _REQUEST, bytes(payload))
