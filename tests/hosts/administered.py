# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network with generations: what its administrators give to units in memory, and the hosts of these units."""

import struct
from typing import Any, NamedTuple

from conversation import sealed

from ndks.crypto import CRYPTO
from ndks_emulator import MemoryUnit
from ndks_protocol import commands
from ndks_protocol.capsule import FIRST_PIECE, Header, HeaderKeys, MessageKeys, Sealer, header_keys
from ndks_protocol.commands import AGAIN, ALLOW_JUMP, VERNAM, VOUCHED, WIRE_HEADER_SIZE
from ndks_protocol.control.beacon import pack_beacon
from ndks_protocol.control.capsules import seal_control
from ndks_protocol.control.ladder import NEXT_EPOCH, NEXT_MEMBER_KEY, first_member_key, parameters_of, ratchet
from ndks_protocol.control.limits import ADMINISTRATOR_LANE, ADMINISTRATORS
from ndks_protocol.control.notice import Notice
from ndks_protocol.generator import F1, F2, Generator
from ndks_protocol.kdf import derive
from ndks_protocol.network_id import control_key

from .memory import Host, complete_pair
from .network import BINDING

ROOT = bytes(range(32))
OPERATORS = (3, 0, 0)
P1, P2 = "0.52", "25"  # of epoch 0 of generation 0
_SALT = bytes(8)


class Ticked(NamedTuple):
    """The answer to TICK."""

    role: int
    epoch: int
    revoked: int
    term: int
    master: int
    capsule: bytes


def secret_of(generation: int) -> bytes:
    """Return the first secret of a generation: with a real administrator it is random."""
    return derive(CRYPTO, ROOT, "a secret for tests", struct.pack(">H", generation))


def member_key(lane: int, generation: int) -> bytes:
    return ratchet(CRYPTO, first_member_key(CRYPTO, ROOT, lane), NEXT_MEMBER_KEY, generation)


def notice(
    lane: int,
    generation: int,
    revoked: tuple[int, ...] = (),
    others: tuple[int, ...] = (),
    **changes: Any,
) -> bytes:
    """Return the notice of a generation for a lane; `changes` are other values of its fields or of its header."""
    entries = [(g, changes.get("others_revoked", 0), OPERATORS, secret_of(g)) for g in others]
    lanes = struct.pack(f">{len(revoked)}H", *revoked)
    operators = changes.get("operators", OPERATORS)
    content = Notice(changes.get("inside", generation), operators, secret_of(generation), lanes, entries).pack()
    key = member_key(lane, changes.get("key_of", generation))
    keys = HeaderKeys(CRYPTO, header_keys(CRYPTO, key))
    sender = ADMINISTRATOR_LANE + generation % ADMINISTRATORS
    return seal_control(
        CRYPTO,
        changes.get("sealed_under", key),
        keys,
        (changes.get("sender", sender), changes.get("number", generation + 1)),
        _SALT,
        changes.get("data", content),
    )


def epoch_secret(generation: int, number: int) -> bytes:
    return ratchet(CRYPTO, secret_of(generation), NEXT_EPOCH, number)


def message(lane: int, n: int, epoch: int = 0, data: bytes = b"hello", *, kind: int = 0, **changes: Any) -> bytes:
    """Return a capsule of a member in an epoch, as its unit seals it."""
    generation, number = epoch >> 16, epoch & 0xFFFF
    secret = changes.get("secret", epoch_secret(generation, number))
    digits, f1, f2 = changes.get("operators", OPERATORS)
    p1, p2 = parameters_of(CRYPTO, secret) if epoch else (P1, P2)
    header = Header.new(changes.get("suite", 1), VERNAM, lane, n, _SALT, kind, number)
    paper = Generator(p1, p2, digits, F1[f1], F2[f2]).key(header.index)
    keys = MessageKeys(CRYPTO, secret, header, bytes(16), lambda offset, size: paper.read(8 * offset, 8 * size))
    protection = HeaderKeys(CRYPTO, header_keys(CRYPTO, changes.get("first", secret_of(generation))))
    assert len(data) <= FIRST_PIECE
    return protection.mask(header) + Sealer(CRYPTO, keys).seal(0, 1, data)


def beacon(lane: int, n: int, epoch: int, term: int, **changes: Any) -> bytes:
    """Return a beacon of a member."""
    generation, number = epoch >> 16, epoch & 0xFFFF
    secret = changes.get("secret", secret_of(generation))
    data = changes.get("data", pack_beacon(changes.get("inside", generation), number, term))
    protection = HeaderKeys(CRYPTO, header_keys(CRYPTO, secret))
    key = changes.get("sealed_under", control_key(CRYPTO, secret))
    return seal_control(CRYPTO, key, protection, (lane, n), _SALT, data)


def enrolment(lane: int, generation: int = 0, /, **changes: Any) -> bytes:
    """Return the fields of a package."""
    values: dict[str, Any] = {"g": generation, "key": member_key(lane, generation)}
    values |= {"suite": 1, "cipher": 0, "digits": 3, "name": b"test", "p1": P1.encode(), "p2": P2.encode()}
    values |= {"lane": lane, "f1": 0, "f2": 0, "mode": 0} | changes
    texts = b"".join(bytes((len(values[each]),)) + values[each] for each in ("name", "p1", "p2"))
    head = struct.pack(">HH32sBBB", *(values[each] for each in ("lane", "g", "key", "suite", "cipher", "digits")))
    return head + texts + bytes((values["f1"], values["f2"], values["mode"]))


class Member:
    """The host of a unit in an administered network; by default it has entered the first generation."""

    def __init__(self, lane: int = 1, unit: MemoryUnit | None = None, *, generation: int = 0, enters: bool = True):
        self.lane = lane
        self.host = Host(unit)
        if not self.host.firmware.state.binding:
            self.enrol(generation)
            if enters:
                self.enter(generation)

    @property
    def state(self) -> Any:
        return self.host.firmware.state

    def enrol(self, generation: int = 0, **changes: Any) -> tuple[Any, ...]:
        """Make the blank unit a member."""
        (public,) = self.host.ask(commands.JOINING_KEY)
        private = self.state.log.body(0xF3)[:32]
        assert public
        answer = self.host.ask(
            commands.ENROL, BINDING, sealed(bytes(private), enrolment(self.lane, generation, **changes))
        )
        complete_pair(self.host.unit)
        return answer

    def enter(self, generation: int, *arguments: Any, **changes: Any) -> int:
        return self.host.ask(commands.NOTICE, generation, notice(self.lane, generation, *arguments, **changes))[0]

    def enter_code(self, generation: int, *arguments: Any, **changes: Any) -> int:
        """Return the error code of a notice, or 0."""
        return self.host.code(commands.NOTICE, generation, notice(self.lane, generation, *arguments, **changes))

    def status(self) -> dict[str, Any]:
        """Return the answer to STATUS in a session."""
        if not self.host.channel:
            self.host.open()
        return self.host.status()

    def tick(self, ticks: int = 1) -> Ticked:
        answer = self.host.ask(commands.TICK, ticks)
        return Ticked(*answer[:-1], bytes(answer[-1]))

    def hear(self, capsule: bytes) -> int:
        """Return the event of CONTROL."""
        return self.host.ask(commands.CONTROL, capsule)[0]

    def hear_code(self, capsule: bytes) -> int:
        return self.host.code(commands.CONTROL, capsule)

    def renew(self) -> int:
        return self.host.ask(commands.RENEW)[0]

    def wait(self, ticks: int) -> None:
        for _ in range(-(-ticks // 16)):
            self.tick(16)

    def seal(self, data: bytes = b"hello", kind: int = 0) -> tuple[bytes, int]:
        token = self.host.request_id.to_bytes(8)
        header, epoch = self.host.ask(commands.SEAL_BEGIN, token, VERNAM, kind, bytes(8))
        (chunk,) = self.host.ask(commands.SEAL_CHUNK, token, 0, 1, data)
        return header + bytes(chunk), epoch

    def open(self, capsule: bytes, *, vouched: bool = False) -> tuple[int, int, bytes]:
        """Return kind, epoch and data."""
        flags = AGAIN | ALLOW_JUMP | (VOUCHED if vouched else 0)
        handle, _, _, _, kind, epoch = self.host.ask(commands.OPEN_BEGIN, capsule[:WIRE_HEADER_SIZE], flags)
        (data,) = self.host.ask(commands.OPEN_CHUNK, handle, 0, 1, capsule[WIRE_HEADER_SIZE:])
        return kind, epoch, bytes(data)

    def open_code(self, capsule: bytes, flags: int = AGAIN | ALLOW_JUMP) -> int:
        """Return the error code of OPEN_BEGIN, or 0."""
        return self.host.code(commands.OPEN_BEGIN, capsule[:WIRE_HEADER_SIZE], flags)
