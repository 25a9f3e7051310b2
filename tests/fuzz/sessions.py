# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The messages of sessions, altered, left out, repeated, in any order, by hosts with and without the binding.

script: steps, each with what is done to its frame on the way. The model of `Bench` says what may come of it.
"""

from collections.abc import Callable, Iterator

from conversation import FIRST, SECOND, UID
from session_reference import Session

from fuzz.bench import RANDOM, Bench, Request
from fuzz.requests import bound_unit
from fuzz.script import Script, block
from ndks_protocol import commands, framing
from ndks_protocol.commands import HELLO, OPEN_SESSION, PROVE, UNLOCK

MOST_MEMORY = 400_000
LARGEST_INPUT = 1024

_MOST_STEPS = 64
_ASKED = (
    *(commands.STATUS, commands.NEXT_INDEX, commands.KEY_CHUNK, commands.ACKNOWLEDGE, commands.SEAL_BEGIN),
    *(commands.SEAL_CHUNK, commands.TRUST, commands.BIND, commands.CLOSE, commands.ZEROIZE),
)


class Hosts:
    """Whoever has the cable; all frames that were ever on it are known to them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.heard: list[Request] = []

    def send(self, kind: int, payload: bytes, script: Script, request_id: int = 1) -> None:
        """Send a frame, or what becomes of it."""
        frame = kind, request_id, payload
        self.heard.append(frame)
        for its_kind, its_id, its_payload in script.one_of(_FATES)(self, frame, script):
            self.bench.send(its_kind, its_payload[: framing.MAX_PAYLOAD], its_id)


def run(data: bytes) -> None:
    script = Script(data)
    hosts = Hosts(Bench(bound_unit().clone(), FIRST))
    for _ in range(_MOST_STEPS):
        if script.ended:
            return
        script.one_of(_STEPS)(hosts, script)


# Steps


def _hello(hosts: Hosts, script: Script) -> None:
    hosts.send(HELLO.code, b"", script)


def _open(hosts: Hosts, script: Script) -> None:
    hosts.send(OPEN_SESSION.code, script.take(4).ljust(16, b"\0"), script)


def _prove(hosts: Hosts, script: Script) -> None:
    opening = hosts.bench.opening
    hosts.send(PROVE.code, opening.host_proof if opening else bytes(16), script)


def _prove_otherwise(hosts: Hosts, script: Script) -> None:
    """With another binding, or with what the unit itself has said."""
    bench = hosts.bench
    auth = script.one_of((SECOND.auth, FIRST.kek, FIRST.id * 2, bytes(32)))
    other = Session(auth, bench.hello, RANDOM, bench.answer[:16].ljust(16, b"\0"))
    proofs = (other.host_proof, other.unit_proof, bench.answer[16:32].ljust(16, b"\0"))
    hosts.send(PROVE.code, script.one_of(proofs), script)


def _unlock(hosts: Hosts, script: Script) -> None:
    bench = hosts.bench
    kek = bench.binding.kek if bench.binding and script.byte() < 192 else SECOND.kek
    minimum = script.one_of((0, 1, 1 << 20, 1 << 21, (1 << 48) - 1, 1 << 48, (1 << 64) - 1))
    _secured(hosts, UNLOCK, kek + minimum.to_bytes(8) + bytes([script.byte() & 1]), script)


def _ask(hosts: Hosts, script: Script) -> None:
    _secured(hosts, script.one_of(_ASKED), script.block(), script)


def _ask_in_the_clear(hosts: Hosts, script: Script) -> None:
    hosts.send(script.one_of(_ASKED).code, script.block(), script)


def _secured(hosts: Hosts, command: commands.Command, body: bytes, script: Script) -> None:
    request_id = script.byte()
    hosts.send(command.code, hosts.bench.secured(command.code, body, request_id), script, request_id)


def _all(hosts: Hosts, script: Script) -> None:
    hosts.bench.open_session()


def _event(hosts: Hosts, script: Script) -> None:
    what = script.byte() % 4
    if what == 0:
        hosts.bench.leave()
    elif what == 1:
        hosts.bench.restart()
    elif what == 2:
        hosts.bench.unit.clock.milliseconds += 100 << (script.byte() % 12)
    else:
        hosts.bench.unit.flash.drive_is_writable = bool(script.byte() & 1)


_STEPS: tuple[Callable[[Hosts, Script], None], ...] = (
    *(_hello, _open, _prove, _unlock, _ask, _prove_otherwise, _ask_in_the_clear, _all, _event),
)


# What becomes of a frame


def _arrives(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    return [frame]


def _is_altered(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    kind, request_id, payload = frame
    altered = bytearray(payload or b"\0")
    altered[script.byte() % len(altered)] ^= script.byte()
    return [(kind, request_id, bytes(altered))]


def _is_cut(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    kind, request_id, payload = frame
    return [(kind, request_id, payload[: script.byte()])]


def _grows(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    kind, request_id, payload = frame
    return [(kind, request_id, payload + script.block())]


def _is_another(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    """With the same payload."""
    return [(script.one_of(sorted(commands.TABLE)), frame[1] ^ script.byte(), frame[2])]


def _is_lost(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    return []


def _comes_twice(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    return [frame, frame]


def _is_replaced(hosts: Hosts, frame: Request, script: Script) -> list[Request]:
    """By one that was heard before."""
    return [script.one_of(hosts.heard)]


_FATES: tuple[Callable[[Hosts, Request, Script], list[Request]], ...] = (
    *(_arrives, _is_altered, _is_cut, _grows, _is_another, _is_lost, _comes_twice, _is_replaced, _arrives),
)


def seeds() -> Iterator[bytes]:
    handshake = [bytes([0, 0]), bytes([1, *RANDOM[:4], 0]), bytes([2, 0]), bytes([3, 0, 0, 0, 1, 0])]
    asked = [bytes([4, number]) + block(_request_of(number)) + bytes([2, 0]) for number in range(len(_ASKED))]
    in_the_clear = [bytes([6, number]) + block(_request_of(number)) + bytes([0]) for number in range(len(_ASKED))]
    yield b"".join(handshake + asked[:-2])
    for step in range(len(handshake)):
        for fate in range(1, len(_FATES)):
            altered = handshake[step][:-1] + bytes([fate, 3, 1])
            yield b"".join([*handshake[:step], altered, *handshake, asked[1]])
    for request in asked + in_the_clear:
        for fate in range(len(_FATES)):
            yield bytes([7]) + request[:-1] + bytes([fate, 0, 16]) + asked[1] + bytes([8, 2, 9]) + b"".join(handshake)
    for wrong in range(12):
        yield b"".join(handshake[:2]) + bytes([5, wrong % 4, wrong % 3, 0]) + b"".join(handshake) + asked[0]


def _request_of(number: int) -> bytes:
    """One that would be granted."""
    values = {
        commands.KEY_CHUNK: (0, 1, 0, 32),
        commands.ACKNOWLEDGE: (0, 1, 0),
        commands.SEAL_BEGIN: (b"token 01", 1, 0, bytes(8)),
        commands.SEAL_CHUNK: (b"token 01", 0, 1, b"hello"),
        commands.TRUST: (3, bytes(range(16))),
        commands.BIND: (SECOND.secret,),
        commands.CLOSE: (0,),
        commands.ZEROIZE: (commands.CONFIRMATION, UID),
    }
    return _ASKED[number].request.pack(*values.get(_ASKED[number], ()))
