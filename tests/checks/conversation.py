# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Conversations with a unit for the golden vectors, from PROTOCOL.md alone: nothing of the project is imported here."""

import hashlib
import json
import struct
from typing import Any

from capsule_reference import VECTORS, WINDOW, derive
from flash_reference import FORMAT
from session_reference import OPEN_SESSION, PROVE, UNLOCK, Binding, Session

Step = tuple[int, bytes, bytes | int]  # command, request, and its answer or error

ABOUT_STEPS = (
    "Each step is one request, a frame of kind command with this request_id, and its one answer. Where these are"
    " secured, sent and received are the payloads as they travel; else request is what was sent as it is, and answer"
    " what came. The payload of an error is its code u16. The unit's clock stands still but for after_ms milliseconds"
    " before a step; restart: before this step its power was cut. When the unit asks for n random bytes, it gets the"
    " first n of entropy. Its free memory is given as 0, and power-on as the reason of its starts."
)

UID = bytes.fromhex("0011223344556677")
ENTROPY = bytes(range(0xE0, 0x100))
POWER_ON = 0
MAX_SENDERS = 10
OWN_LANE = 7
HELLO, STATUS, PROVISION, CLOSE, BIND, TRUST, ZEROIZE = 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0A
NEXT_INDEX, KEY_CHUNK, ACKNOWLEDGE = 0x10, 0x11, 0x12
LOCKED = 0x0501
BLANK_STATE, UNLOCKED_STATE, LOCKED_STATE = 0, 1, 2
FIRST, SECOND = Binding(bytes(range(0x40, 0x60))), Binding(bytes(range(0x60, 0x80)))


def network_secret() -> bytes:
    return bytes.fromhex(json.loads((VECTORS / "suite.json").read_text())["network"]["secret"])


PARAMETERS = network_secret() + b"\x04demo" + b"\x040.52" + b"\x0225"
EQUATION_7 = b"\0\0"
MEMBER = struct.pack(">IHBBB", 0, OWN_LANE, 1, 0, 3) + PARAMETERS + EQUATION_7
ERASE = b"ZEROIZE!" + UID  # the request of ZEROIZE


def unit_salt(binding: Binding) -> bytes:
    return derive(binding.secret, "ndks unit salt", ENTROPY[:16])[:16]


def binding_body(binding: Binding, salt: bytes, settled: int) -> bytes:
    """The body of the record of a binding of the unit of the vectors, whose d is 3."""
    return binding.auth + salt + binding.id + bytes([3, settled])


def unlocking(binding: Binding, minimum: int = 0, allow_jump: int = 0) -> bytes:
    return binding.kek + struct.pack(">QB", minimum, allow_jump)


class Conversation:
    """One host and one unit, from the unit's first start on."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.session: Session | None = None
        self.binding: Binding | None = None
        self.salt = bytes(16)
        self.boots = b""  # the body of the record
        self._session_count = 0
        self._opening: Session | None = None
        self._before: dict[str, Any] = {}

    def say(self, *steps: Step) -> None:
        """Each as its frame and the answer to it; secured in a session."""
        for command, request, got in steps:
            request_id = len(self.steps) + 1
            answer = struct.pack(">H", got) if isinstance(got, int) else got
            secured: dict[str, str] = {}
            if self.session:
                sent = self.session.to_unit.secured(command, request_id, request)
                kind = 0xFF if isinstance(got, int) else command | 0x80
                received = self.session.to_host.secured(kind, request_id, answer)
                secured = {"sent": sent.hex(), "received": received.hex()}
            result = {"error": got} if isinstance(got, int) else {"answer": got.hex()}
            step = {"command": command, "request_id": request_id, "request": request.hex()}
            self.steps.append(self._before | step | result | secured)
            self._before = {}

    def say_in_the_clear(self, *steps: Step) -> None:
        """As they are; the session has ended."""
        self.session = None
        self.say(*steps)

    def wait(self, milliseconds: int) -> None:
        """Before the next step."""
        self._before["after_ms"] = milliseconds

    def restart(self) -> None:
        """Cut the power before the next step, and switch it on again. Starts of a unit that is bound are counted."""
        self._before["restart"] = True
        self.session = None
        self._session_count = 0
        self.boots = struct.pack(">Q", int.from_bytes(self.boots) + 1) if self.binding else b""

    def provision(self, binding: Binding) -> None:
        self.say((PROVISION, binding.secret + MEMBER, b""))
        self.binding = binding
        self.salt = unit_salt(binding)

    def bind(self, binding: Binding) -> None:
        self.say((BIND, binding.secret, b""))
        self.binding = binding

    def zeroize(self) -> None:
        self.say_in_the_clear((ZEROIZE, ERASE, b""))
        self.binding = None
        self.salt = bytes(16)
        self.boots = b""

    def greet(self) -> None:
        """HELLO, which ends a session."""
        self.say_in_the_clear((HELLO, b"", self.hello()))

    def open_session(self, minimum: int = 0) -> None:
        self.greet()
        self.begin_session()
        self.prove()
        self.unlock(minimum)

    def begin_session(self) -> None:
        assert self.binding
        self._session_count += 1
        host_random = hashlib.sha256(b"random of the host %d" % len(self.steps)).digest()[:16]
        seed = ENTROPY + UID + self.boots + struct.pack(">I", self._session_count)
        unit_random = hashlib.sha256(seed).digest()[:16]
        self._opening = Session(self.binding.auth, self.hello(), host_random, unit_random)
        self.say((OPEN_SESSION, host_random, unit_random + self._opening.unit_proof))

    def prove(self) -> None:
        assert self._opening
        self.say((PROVE, self._opening.host_proof, b""))
        self.session = self._opening

    def prove_wrongly(self) -> None:
        """With one bit changed."""
        assert self._opening
        proof = self._opening.host_proof
        self.say((PROVE, bytes([proof[0] ^ 1]) + proof[1:], LOCKED))

    def unlock(self, minimum: int = 0) -> None:
        assert self.binding
        self.say((UNLOCK, unlocking(self.binding, minimum), b""))

    def hello(self) -> bytes:
        """The answer to HELLO."""
        state = LOCKED_STATE if self.binding else BLANK_STATE
        # Firmware 0.1.0, whatever the present one is: HELLO is part of all that follows, which no release shall alter.
        versions = bytes([2, 0, 0, 1, 0, FORMAT, state, 0])
        binding_id = self.binding.id if self.binding else bytes(16)
        return versions + UID + self.salt + binding_id + struct.pack(">HHHB", 1120, MAX_SENDERS, WINDOW, 1)

    def status(self, state: int, log_used: int, *, erases: int = 0, wrong: int = 0, message_counter: int = 0) -> Step:
        about_network, operators = bytes(18), bytes(2)
        if state == UNLOCKED_STATE:
            network_id = derive(network_secret(), "ndks network id", bytes([1, 3]) + b"\x040.52" + b"\x0225")[:8]
            about_network, operators = MEMBER[:9] + b"\x04demo" + network_id, EQUATION_7
        line = struct.pack(">HHII", log_used, 4064, 0, 0)
        life = struct.pack(">QBIIQ", int.from_bytes(self.boots), POWER_ON, erases, wrong, message_counter)
        return STATUS, b"", bytes([state, 0]) + about_network + line + operators + life
