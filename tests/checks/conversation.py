# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Conversations with a unit for the golden vectors, from PROTOCOL.md alone: nothing of the project is imported here."""

import hashlib
import struct
from typing import Any, NamedTuple

from capsule_reference import HYBRID, VERNAM, WINDOW, Network, derive, suite_network
from flash_reference import BINDING, FORMAT, MEMBERSHIP, STATE_FORMAT, extent
from package_vectors import Package
from session_reference import Binding, Session
from wire_codes import C, E
from x25519_reference import public_key, x25519

Step = tuple[int, bytes, bytes | int]  # command, request, and its answer or error

ABOUT_STEPS = (
    "Each step is one request, a frame of kind command with this request_id, and its one answer. Where one of"
    " them is secured, sent or received is its payload as it travels; else it travels as it is in request or answer."
    " The payload of an error is its code u16. The unit's clock stands still but for after_ms milliseconds"
    " before a step; restart: before this step its power was cut. When the unit asks for n random bytes, it gets the"
    " first n of entropy. Its free memory is given as 0, and power-on as the reason of its starts. case_open, from"
    " before this step on: whether the case is open; files_writable: whether snapshot files can be written. What the"
    " first step says of these holds when the unit starts. dropped: the frame has no answer. host_private and"
    " unit_private are the private keys of a handshake."
)

UID = bytes.fromhex("0011223344556677")
ENTROPY = bytes(range(0xE0, 0x100))
POWER_ON = 0
MAX_SENDERS = 10
OWN_LANE = 7
LAST = (1 << 48) - 1  # number of a lane
LAST_IN_TURN = (1 << 47) - 1  # number of the common lane that is acknowledged
READ_ONLY = 2  # flag
HELD, NO_GENERATION = 7, b"\xff\xff"  # the generations of which STATUS has room, and one that is none
BLANK_STATE, UNLOCKED_STATE, LOCKED_STATE, TAMPERED_STATE = 0, 1, 2, 3
FIRST, SECOND = Binding(bytes(range(0x40, 0x60))), Binding(bytes(range(0x60, 0x80)))


class Membership(NamedTuple):
    """The membership of the unit of the vectors after PROVISION, on lane 7."""

    network: Network
    suite: int = HYBRID
    cipher: int = VERNAM
    epoch: int = 0
    name: str = "demo"

    @property
    def request(self) -> bytes:
        """Return the payload of PROVISION after the binding."""
        numbers = struct.pack(">IHBBB", self.epoch, OWN_LANE, self.suite, self.cipher, self.network.digits)
        return numbers + self.network.secret + text(self.name) + self._decimals + self.network.operators

    @property
    def network_id(self) -> bytes:
        operators = self.network.operators if any(self.network.operators) else b""
        context = bytes([self.suite, self.network.digits]) + self._decimals + operators
        return derive(self.network.secret, "ndks network id", context)[:8]

    @property
    def generation_id(self) -> bytes:
        return derive(derive(self.network.secret, "ndks control"), "ndks generation id")[:8]

    @property
    def _decimals(self) -> bytes:
        return text(self.network.p1) + text(self.network.p2)


def text(value: str) -> bytes:
    return bytes([len(value.encode())]) + value.encode()


DEMO = Membership(suite_network())
MEMBER = DEMO.request
ERASE = b"ZEROIZE!" + UID  # the request of ZEROIZE
OPENING = bytes(48)  # a request of OPEN_SESSION that is refused before its public key, of low order, is looked at


def unit_salt(binding: Binding) -> bytes:
    return derive(binding.secret, "ndks unit salt", ENTROPY[:16])[:16]


def binding_body(binding: Binding, salt: bytes, settled: int) -> bytes:
    """Return the body of a binding record of the unit of the vectors, whose d is 3."""
    return binding.auth + salt + binding.id + bytes([3, settled])


def unlocking(binding: Binding, minimum: int = 0, allow_jump: int = 0) -> bytes:
    return binding.kek + struct.pack(">QB", minimum, allow_jump)


def sealed(joining_key: bytes, fields: bytes) -> bytes:
    """Return the package of these fields for a joining key, of which this takes the private key."""
    ephemeral = hashlib.sha256(b"ephemeral key" + joining_key + fields).digest()
    return bytes.fromhex(Package(joining_key, ephemeral, fields).described()["sealed"])


def ends_session(command: int, got: bytes | int) -> bool:
    """Return whether the answer to a secured request is in the clear (section 6)."""
    begins = command == C.OPEN_SESSION and got not in (E.BAD_REQUEST, E.TAMPERED)
    return begins or (command == C.ZEROIZE and isinstance(got, bytes))


def prepares_pair(command: int, got: bytes | int) -> bool:
    """Return whether the unit chooses a private key for its next session, unless it has one (section 6)."""
    return (command == C.HELLO and isinstance(got, bytes)) or (command == C.CLOSE and got in (b"", E.STORAGE))


class Conversation:
    """A host and a unit, from the unit's first start on."""

    def __init__(self, membership: Membership = DEMO) -> None:
        self.membership = membership
        self.steps: list[dict[str, Any]] = []
        self.format, self.flags = FORMAT, 0
        self.is_tampered = False
        self.session: Session | None = None
        self.binding: Binding | None = None
        self.salt = bytes(16)
        self.boots = b""  # the body of the record
        self.joining_key = b""  # the private one
        self._draws = 0  # since the start
        self._pair = b""  # the private key of the unit's pair
        self._prepare_pair()
        self._opening: Session | None = None
        self._greeting = b""  # the last answer to HELLO
        self._before: dict[str, Any] = {}

    def say(self, *steps: Step) -> None:
        """Add each request with its answer; both are secured in a session."""
        for command, request, got in steps:
            request_id = len(self.steps) + 1
            answer = struct.pack(">H", got) if isinstance(got, int) else got
            secured: dict[str, str] = {}
            if self.session:
                secured["sent"] = self.session.to_unit.secured(command, request_id, request).hex()
                if ends_session(command, got) or (got == E.TAMPERED and self.has_secrets):
                    self.session = None
                else:
                    kind = 0xFF if isinstance(got, int) else command | 0x80
                    secured["received"] = self.session.to_host.secured(kind, request_id, answer).hex()
            result = {"error": got} if isinstance(got, int) else {"answer": got.hex()}
            step = {"command": command, "request_id": request_id, "request": request.hex()}
            self.steps.append(self._before | step | result | secured)
            self._before = {}
            if prepares_pair(command, got):
                self._prepare_pair()

    def say_in_the_clear(self, *steps: Step) -> None:
        """Add requests in the clear, after the end of the session."""
        self.session = None
        self.say(*steps)

    def say_in_vain(self, command: int, request: bytes) -> None:
        """Add a frame that the unit drops."""
        step = {"command": command, "request_id": len(self.steps) + 1, "request": request.hex(), "dropped": True}
        self.steps.append(step)

    def wait(self, milliseconds: int) -> None:
        """Let time pass before the next step."""
        self._before["after_ms"] = milliseconds

    def set_case(self, is_open: bool) -> None:
        """Open or close the case before the next step."""
        self._before["case_open"] = is_open

    def set_files(self, writable: bool) -> None:
        """Make the snapshot files writable or not, before the next step."""
        self._before["files_writable"] = writable
        self.flags = 0 if writable else READ_ONLY

    def restart(self) -> None:
        """Cut the power before the next step, and switch it on again. A bound unit counts its starts."""
        self._before["restart"] = True
        self.session = None
        self._greeting = b""
        self.boots = struct.pack(">Q", int.from_bytes(self.boots) + 1) if self.binding else b""
        self._start()

    def _start(self) -> None:
        self._draws = 0
        self._pair = b""
        self._prepare_pair()

    def provision(self, binding: Binding) -> None:
        """Add an anonymous session, unless there is one, and PROVISION, which ends it."""
        if not self.session:
            self.open_anonymously()
        self.say((C.PROVISION, binding.secret + self.membership.request, b""))
        self.become_a_member(binding)

    def provision_sealed(self, binding: Binding) -> None:
        """Add an anonymous session, unless there is one, and PROVISION_SEALED, which ends it."""
        if not self.session:
            self.open_anonymously()
        package = sealed(self.joining_key, self.membership.request)
        self.say((C.PROVISION_SEALED, binding.secret + package, b""))
        self.become_a_member(binding)

    def become_a_member(self, binding: Binding) -> None:
        """Note that the unit has been provisioned."""
        self.session = None
        self.joining_key = b""
        self.binding = binding
        self.salt = unit_salt(binding)

    def make_joining_key(self) -> None:
        """Add JOINING_KEY, which takes the pair that is ready."""
        self.joining_key = self._take_pair()
        self._prepare_pair()
        self.say((C.JOINING_KEY, b"", public_key(self.joining_key)))

    def resume(self, boots: int = 1) -> None:
        """Begin with a provisioned unit that has already started this many times."""
        self.binding, self.salt, self.boots = FIRST, unit_salt(FIRST), struct.pack(">Q", boots)
        self._start()

    def bind(self, binding: Binding) -> None:
        self.say((C.BIND, binding.secret, b""))
        self.binding = binding

    def zeroize(self) -> None:
        self.say((C.ZEROIZE, ERASE, b""))
        self.be_erased()

    def be_erased(self) -> None:
        """Note that the unit has erased itself."""
        self.binding = None
        self.joining_key = self.boots = self._pair = b""
        self.salt = bytes(16)

    def lose_keys(self) -> None:
        """Note that a blank unit was opened, and has overwritten its pair."""
        self.is_tampered = True
        self._pair = b""

    def greet(self) -> None:
        """Add HELLO, which ends a session."""
        self._greeting = self.hello()
        self.say_in_the_clear((C.HELLO, b"", self._greeting))

    def open_session(self, minimum: int = 0) -> None:
        self.greet()
        self.begin_session()
        self.prove()
        self.unlock(minimum)

    def open_anonymously(self) -> None:
        """Open a session with a blank unit."""
        self.greet()
        self.begin_session()
        self.prove()

    def begin_session(self) -> None:
        host_private, host_random = (
            hashlib.sha256(b"%s of the host %d" % (what, len(self.steps))).digest()
            for what in (b"private key", b"random")
        )
        unit_random, unit_private = self._draw()[:16], self._take_pair()
        host_share, unit_share = public_key(host_private) + host_random[:16], public_key(unit_private) + unit_random
        shared = x25519(host_private, public_key(unit_private))
        auth = self.binding.auth if self.binding else None
        self._opening = Session(auth, shared, self._greeting, host_share, unit_share)
        self._before |= {"host_private": host_private.hex(), "unit_private": unit_private.hex()}
        self.say((C.OPEN_SESSION, host_share, unit_share + self._opening.unit_proof))

    def refuse_public_key(self, public: bytes) -> None:
        """Add OPEN_SESSION with a public key of low order: the unit uses its pair up."""
        self._draw()
        self._take_pair()
        self.say((C.OPEN_SESSION, public + bytes(16), E.PUBLIC_KEY))

    def _draw(self) -> bytes:
        """Return the unit's next random value."""
        self._draws += 1
        return hashlib.sha256(ENTROPY + UID + self.boots + struct.pack(">I", self._draws)).digest()

    def _prepare_pair(self) -> None:
        """Choose a private key, unless the unit has a pair."""
        self._pair = self._pair or self._draw()

    def _take_pair(self) -> bytes:
        """Return the private key of the unit's pair, which is used up."""
        self._prepare_pair()
        private, self._pair = self._pair, b""
        return private

    def prove(self) -> None:
        assert self._opening
        self.say((C.PROVE, self._opening.host_proof, b""))
        self.session = self._opening

    def prove_wrongly(self) -> None:
        """Add PROVE with one bit of the proof changed."""
        assert self._opening
        proof = self._opening.host_proof
        self.say((C.PROVE, bytes([proof[0] ^ 1]) + proof[1:], E.LOCKED))

    def unlock(self, minimum: int = 0) -> None:
        assert self.binding
        self.say((C.UNLOCK, unlocking(self.binding, minimum), b""))

    @property
    def has_secrets(self) -> bool:
        """Whether an opened case makes the unit erase something."""
        return self.binding is not None or bool(self.joining_key)

    @property
    def used(self) -> int:
        """Return the bytes of the log that PROVISION uses."""
        return extent(STATE_FORMAT, 5) + extent(MEMBERSHIP, len(self.membership.request)) + extent(BINDING, 66)

    def hello(self) -> bytes:
        """Return the answer to HELLO."""
        state = LOCKED_STATE if self.binding else TAMPERED_STATE if self.is_tampered else BLANK_STATE
        # Firmware 0.1.0, whatever the present one is: HELLO is part of all that follows, which no release shall alter.
        versions = bytes([3, 1, 0, 1, 0, self.format, state, self.flags])
        binding_id = self.binding.id if self.binding else bytes(16)
        return versions + UID + self.salt + binding_id + struct.pack(">HHHB", 1120, MAX_SENDERS, WINDOW, 1)

    def status(self, state: int, log_used: int, *, dropped: int = 0, message_counter: int = 0, **life: int) -> Step:
        about_network, operators, generation = bytes(18), bytes(2), bytes(8) + NO_GENERATION * HELD
        if state == UNLOCKED_STATE:
            generation = self.membership.generation_id + bytes(2) + NO_GENERATION * (HELD - 1)
            request = self.membership.request
            about_network = request[:9] + text(self.membership.name) + self.membership.network_id
            operators = self.membership.network.operators
        line = struct.pack(">HHII", log_used, 4064, 0, dropped)
        counts = life.get("erases", 0), life.get("wrong", 0)
        end = struct.pack(">QBIIQ", int.from_bytes(self.boots), POWER_ON, *counts, message_counter)
        return C.STATUS, b"", bytes([state, self.flags]) + about_network + line + operators + end + generation


def a_member(membership: Membership = DEMO) -> Conversation:
    """Return the conversation of a newly provisioned unit with its host, in a session."""
    talk = Conversation(membership)
    talk.provision(FIRST)
    talk.open_session()
    return talk
