# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages of sessions, altered, omitted, repeated and in any order, from hosts with and without the binding.

The unit is bound, or blank: then nobody has to prove anything, and what a session is for is to join.

The model of `Bench` defines the permitted results.
"""

from collections.abc import Callable

from conversation import FIRST, MEMBER, SECOND, UID
from hypothesis import given
from hypothesis import strategies as st
from x25519_reference import LOW_ORDER, public_key

from fuzz.bench import PUBLIC, RANDOM, SHARE, Bench, Request, bound_bench, fuzzed_unit
from fuzz.fuzzing import FUZZED, Draw, bounded, byte, flag
from ndks_protocol import commands, framing
from ndks_protocol.commands import HELLO, OPEN_SESSION, PROVE, UNLOCK

GRANTED = {  # requests that a session is for
    commands.STATUS: (),
    commands.NEXT_INDEX: (),
    commands.KEY_CHUNK: (0, 1, 0, 32),
    commands.ACKNOWLEDGE: (0, 1, 0),
    commands.SEAL_BEGIN: (b"token 01", 1, 0, bytes(8)),
    commands.SEAL_CHUNK: (b"token 01", 0, 1, b"hello"),
    commands.TRUST: (3, bytes(range(16))),
    commands.BIND: (SECOND.secret,),
    commands.CLOSE: (0,),
    commands.ZEROIZE: (commands.CONFIRMATION, UID),
    commands.JOINING_KEY: (),
}
FATES = (*["arrives"] * 8, "is altered", "is cut", "grows", "is another", "is lost", "comes twice", "is replaced")
requests = st.sampled_from([(command.code, command.request.pack(*values)) for command, values in GRANTED.items()])
requests |= st.just((commands.PROVISION.code, FIRST.secret + MEMBER))
requests |= st.tuples(st.sampled_from([command.code for command in GRANTED]), st.binary(max_size=64))
OTHER_KEY = public_key(bytes(range(32, 64)))
shares = st.sampled_from([SHARE] * 4 + [PUBLIC + bytes(16)])  # with the host's own key
shares |= st.sampled_from((*LOW_ORDER, OTHER_KEY, bytes([*PUBLIC[:31], PUBLIC[31] | 0x80]))).map(lambda u: u + RANDOM)
minimums = st.sampled_from((0, 1, 1 << 20, 1 << 21, (1 << 48) - 1, 1 << 48, (1 << 64) - 1))


class Hosts:
    """Hosts and attackers on the cable, who know all frames sent on it so far."""

    def __init__(self, bench: Bench, draw: Draw) -> None:
        self.bench = bench
        self.draw = draw
        self.heard: list[Request] = []

    def send(self, kind: int, payload: bytes, request_id: int = 1) -> None:
        """Send a frame, or an altered form of it."""
        self.heard.append((kind, request_id, payload))
        for its_kind, its_id, its_payload in self._on_the_way(kind, request_id, payload):
            self.bench.send(its_kind, its_payload[: framing.MAX_PAYLOAD], its_id)

    def _on_the_way(self, kind: int, request_id: int, payload: bytes) -> list[Request]:
        draw, frame = self.draw, (kind, request_id, payload)
        match draw(st.sampled_from(FATES)):
            case "is altered":
                position, bits = draw(byte) % max(1, len(payload)), draw(byte)
                changed = bytes([(payload or b"\0")[position] ^ bits])
                return [(kind, request_id, payload[:position] + changed + payload[position + 1 :])]
            case "is cut":
                return [(kind, request_id, payload[: draw(byte)])]
            case "grows":
                return [(kind, request_id, payload + draw(st.binary()))]
            case "is another":  # with the same payload
                return [(draw(st.sampled_from(sorted(commands.TABLE))), request_id ^ draw(byte), payload)]
            case "is lost":
                return []
            case "comes twice":
                return [frame, frame]
            case "is replaced":  # by one that was heard before
                return [draw(st.sampled_from(self.heard))]
        return [frame]

    def send_secured(self, kind: int, body: bytes) -> None:
        request_id = self.draw(byte)
        self.send(kind, self.bench.secured(kind, body, request_id), request_id)

    # Steps

    def hello(self) -> None:
        self.send(HELLO.code, b"")

    def open(self) -> None:
        self.send(OPEN_SESSION.code, self.draw(shares))

    def open_with_the_units_key(self) -> None:
        """Send the unit its own latest public key back."""
        self.send(OPEN_SESSION.code, self.bench.answer[:32].ljust(32, b"\0") + RANDOM)

    def prove(self) -> None:
        self.send(PROVE.code, self.bench.opening.host_proof if self.bench.opening else bytes(16))

    def prove_otherwise(self) -> None:
        """Send a proof under another binding or share, or the unit's own proof."""
        auth = self.draw(st.sampled_from((SECOND.auth, FIRST.auth, FIRST.kek, FIRST.id * 2, bytes(32))))
        other = self.bench.session_of(self.draw(shares), auth)
        unit_proof = self.bench.answer[48:64].ljust(16, b"\0")
        self.send(PROVE.code, self.draw(st.sampled_from((other.host_proof, other.unit_proof, unit_proof))))

    def unlock(self) -> None:
        kek = self.bench.binding.kek if self.bench.binding and self.draw(flag) else SECOND.kek
        self.send_secured(UNLOCK.code, UNLOCK.request.pack(kek, self.draw(minimums), self.draw(st.integers(0, 1))))

    def ask(self) -> None:
        self.send_secured(*self.draw(requests))

    def ask_in_the_clear(self) -> None:
        self.send(*self.draw(requests))

    def open_at_once(self) -> None:
        self.bench.open_session()

    def leave(self) -> None:
        self.bench.leave()

    def restart(self) -> None:
        self.bench.restart()

    def wait(self) -> None:
        self.bench.unit.clock.milliseconds += 100 << self.draw(st.integers(0, 11))

    def lock_drive(self) -> None:
        self.bench.unit.flash.drive_is_writable = self.draw(flag)


STEPS: tuple[Callable[[Hosts], None], ...] = (
    *(Hosts.hello, Hosts.open, Hosts.prove, Hosts.unlock, Hosts.prove_otherwise, *(Hosts.ask,) * 12),
    Hosts.open_with_the_units_key,
    *(Hosts.ask_in_the_clear, Hosts.open_at_once, Hosts.open_at_once, Hosts.leave, Hosts.restart, Hosts.wait),
    Hosts.lock_drive,
)
HANDSHAKE = [Hosts.hello, Hosts.open, Hosts.prove, Hosts.unlock]
some_steps = st.lists(st.sampled_from([*([step] for step in STEPS), *[HANDSHAKE] * 4]), max_size=16)
BENCHES = (bound_bench, bound_bench, lambda: Bench(fuzzed_unit(), None))


@FUZZED
@given(st.data(), st.sampled_from(BENCHES), some_steps)
def test_sessions(
    data: st.DataObject, begin: Callable[[], Bench], groups: list[list[Callable[[Hosts], None]]]
) -> None:
    with bounded(data.draw, 1_500_000):
        hosts = Hosts(begin(), data.draw)
        for step in (step for group in groups for step in group):
            step(hosts)
