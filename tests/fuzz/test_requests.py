# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Any frames to a unit that is blank, bound, or in a session, which may have gone on for long.

Most requests are valid frames, secured if a session is open, so that they pass COBS, CRC and MAC. Their fields are
arbitrary or plausible. A blank unit has a session as well, and perhaps a joining key.
"""

import functools
from collections.abc import Callable

from capsule_reference import AES, HYBRID, VERNAM, Message, clear_header, suite_network
from conversation import ENTROPY, ERASE, FIRST, MEMBER, OWN_LANE, SECOND, UID
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors
from x25519_reference import LOW_ORDER

from fuzz.bench import PUBLIC, RANDOM, Bench, bound_bench, fuzzed_unit
from fuzz.fuzzing import FUZZED, Draw, altered, bounded, byte, flag
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, framing
from ndks_protocol.commands import TABLE, WIRE_HEADER_SIZE
from ndks_protocol.control.limits import BEACON_SIZE

MESSAGES = [
    Message(suite_network(), clear_header(HYBRID, cipher, lane, number, bytes(8)), data)
    for cipher, data in ((AES, b"hello"), (VERNAM, bytes(30)), (AES, bytes(1020)))
    for lane in (1, 3, 9, OWN_LANE)
    for number in (1, 300, 1 << 22)
]
TOKENS = [bytes(8), b"token 01", b"token 02", ENTROPY[:8]]
INTEGERS = (
    *(0, 1, 2, 3, 7, 8, 15, 16, 24, 64, 65, 255, 256, 1015, 1016, 1017, 1023, 1024, 1025, 0xFFFF, 1 << 16, 1 << 20),
    *((1 << 20) + 1, (1 << 20) + 2, (1 << 32) - 1, 1 << 32, (1 << 37) - 1, 1 << 37, (1 << 48) - 2, (1 << 48) - 1),
    *(1 << 48, 1 << 63, (1 << 64) - 1, (OWN_LANE << 48) + 1, (1 << 64) - 64),
)
TEXTS = ("", "0.52", "25", "-1", "0", "1" * 80, "1e9", "demo", "\N{BLACK STAR}" * 11, "x" * 33)

codes = st.sampled_from(sorted(TABLE))
ids = st.integers(0, 2**32 - 1)
payloads = st.binary(max_size=64) | st.integers(0, framing.MAX_PAYLOAD).map(bytes)
integers = st.sampled_from(INTEGERS) | st.integers(0, 0xFFFF)
texts = st.sampled_from(TEXTS).map(lambda text: bytes([len(text.encode())]) + text.encode())
PUBLISHED = [(step["command"], bytes.fromhex(step["request"])) for step in load_vectors("commands")["steps"]]
CAPSULES = [
    *(request for command, request in PUBLISHED if command == commands.CONTROL.code),
    *(request[2:] for command, request in PUBLISHED if command == commands.NOTICE.code),
    *(message.capsule for message in MESSAGES[:3]),
]


@functools.cache
def busy_unit() -> MemoryUnit:
    bench = bound_bench()
    bench.open_session()
    for lane in range(20, 29):  # one more sender takes the last window
        bench.ask(commands.ACCEPT, Message(suite_network(), clear_header(1, 1, lane, 5, bytes(8)), b"").header, 0)
    bench.ask(commands.TRUST, 3, bytes(16 * [1]))
    log, index = bench.firmware.state.log, 1
    while log.used < log.size - 200:  # soon the log is compacted
        bench.ask(commands.ACKNOWLEDGE, 0, index, 0)
        index += 2
    return bench.unit


def in_session(bench: Bench, up_to: int = commands.UNLOCK.code) -> Bench:
    bench.open_session(up_to=up_to)
    assert bench.unlocked == (up_to == commands.UNLOCK.code)
    return bench


def joining_bench() -> Bench:
    """Return a blank unit with a joining key, in a session."""
    bench = Bench(fuzzed_unit(), None)
    bench.ask(commands.JOINING_KEY)
    return in_session(bench, commands.PROVE.code)


BENCHES: tuple[Callable[[], Bench], ...] = (
    lambda: Bench(fuzzed_unit(), None),
    joining_bench,
    bound_bench,
    lambda: in_session(bound_bench(), commands.PROVE.code),
    lambda: in_session(bound_bench()),
    lambda: in_session(Bench(busy_unit().clone(), FIRST)),
)


def field(bench: Bench, name: str, kind: str, draw: Draw) -> bytes:
    """Draw the bytes of one field, usually plausible ones."""
    if draw(st.sampled_from(range(8))) == 7:
        return draw(st.binary(max_size=31))
    if kind[0] == "u":
        size = int(kind[1:]) // 8
        return (draw(integers) % (1 << 8 * size)).to_bytes(size)
    return draw(texts) if kind == "text" else draw(st.sampled_from(candidates(bench)[name]))


def candidates(bench: Bench) -> dict[str, list[bytes]]:
    headers = [message.header for message in MESSAGES]
    return {
        "public": [PUBLIC, PUBLIC, *LOW_ORDER[:4], bench.answer[:32].ljust(32, b"\0")],
        "package": packages(bench),
        "capsule": [*CAPSULES, bench.answer[-BEACON_SIZE:]],
        "random": [bytes(16), RANDOM, RANDOM[:8], ENTROPY[:8]],
        "proof": [bench.opening.host_proof if bench.opening else bytes(16)],
        "kek": [bench.binding.kek if bench.binding else bytes(32), FIRST.kek, SECOND.kek, bytes(32)],
        "binding": [FIRST.secret, SECOND.secret, bytes(32)],
        "binding_id": [bytes(16), FIRST.id, SECOND.id],
        "confirmation": [ERASE[:8]],
        "uid": [UID],
        "secret": [MEMBER[9:41], bytes(32)],
        "header": [*headers, bench.answer[:WIRE_HEADER_SIZE].ljust(WIRE_HEADER_SIZE, b"\0")],
        "token": TOKENS,
        "message": [*TOKENS, bench.answer[:8].ljust(8, b"\0")],
        "handle": [ENTROPY[:8]],
        "data": [b"", b"x", bytes(1016), bytes(1017), bytes(1024), bytes(1025)],
        "chunk": [chunk for message in MESSAGES for chunk in message.chunks],
    }


def packages(bench: Bench) -> list[bytes]:
    """Return packages for the unit's joining key, with fields of any kind, and what no key opens."""
    right = bench.package(MEMBER)
    unfit = [bench.package(fields) for fields in (b"", MEMBER[:-1], MEMBER + b"x", bytes(len(MEMBER)))]
    damaged = [right[:-1], right[:47], right[:-1] + bytes([right[-1] ^ 1]), LOW_ORDER[1] + right[32:], b""]
    return [right] * 4 + unfit + damaged


def fitting_request(bench: Bench, draw: Draw) -> None:
    command = TABLE[draw(codes)]
    fields = zip(command.request.names, command.request.kinds, strict=True)
    bench.request_of(command.code, b"".join([field(bench, name, kind, draw) for name, kind in fields]))


def published_requests(bench: Bench, draw: Draw) -> None:
    """Draw some requests of the vectors, in order."""
    start = draw(st.integers(0, len(PUBLISHED) - 1))
    for command, request in PUBLISHED[start : start + draw(st.integers(1, 8))]:
        bench.request_of(command, request)


def damaged_frame(bench: Bench, draw: Draw) -> None:
    kind = draw(codes)
    wire = framing.encode(kind, 1, bench.secured(kind, draw(payloads)[:1000], 1))
    bench.receive(draw(altered(st.just(wire))))


def damaged_payload(bench: Bench, draw: Draw) -> None:
    kind = draw(codes)
    bench.send(kind, draw(altered(st.just(bench.secured(kind, draw(payloads)[:1000]))))[: framing.MAX_PAYLOAD])


def same_again(bench: Bench, draw: Draw) -> None:
    kind, request_id, payload = bench.request
    bench.send(kind, payload, request_id)


def leave(bench: Bench, draw: Draw) -> None:
    bench.leave()


def restart(bench: Bench, draw: Draw) -> None:
    bench.restart()


def wait(bench: Bench, draw: Draw) -> None:
    bench.unit.clock.milliseconds += draw(integers)
    bench.poll()


def lock_drive(bench: Bench, draw: Draw) -> None:
    bench.unit.flash.drive_is_writable = draw(flag)


def limit_power(bench: Bench, draw: Draw) -> None:
    """Cut the power at some later request, or restore it."""
    bench.unit.power.steps_left = draw(st.none() | byte)


def open_case(bench: Bench, draw: Draw) -> None:
    bench.open_case()
    bench.receive(framing.encode(draw(byte), 1, b""))
    if draw(flag):
        bench.unit.case.close()
    bench.restart()
    bench.unit.case.close()


def open_case_meanwhile(bench: Bench, draw: Draw) -> None:
    """Open the case during the next request."""
    bench.opens_case = True


STEPS: tuple[Callable[[Bench, Draw], object], ...] = (
    *(fitting_request, published_requests, published_requests) * 8,
    lambda bench, draw: bench.request_of(draw(codes), draw(payloads)),
    lambda bench, draw: bench.send(draw(byte), draw(payloads), draw(ids)),
    lambda bench, draw: bench.receive(draw(st.binary(max_size=1500))),
    *(lambda bench, draw: bench.open_session(),) * 5,
    *(
        leave,
        restart,
        damaged_frame,
        damaged_payload,
        same_again,
        wait,
        lock_drive,
        limit_power,
        open_case,
        open_case_meanwhile,
    ),
)


@FUZZED
@given(st.data(), st.sampled_from(BENCHES + BENCHES[4:] * 2), st.lists(st.sampled_from(STEPS), max_size=16))
def test_requests(
    data: st.DataObject, begin: Callable[[], Bench], steps: list[Callable[[Bench, Draw], object]]
) -> None:
    with bounded(data.draw, 2_000_000):
        bench = begin()
        for step in steps:
            step(bench, data.draw)
        come_home(bench)


def come_home(bench: Bench) -> None:
    """Check that the owner can open a session after any input, and that an erased unit can be bound again."""
    bench.unit.flash.drive_is_writable = True
    bench.unit.case.close()
    bench.opens_case = False
    bench.restart()
    if bench.binding is None:
        assert bench.send(commands.ZEROIZE.code, ERASE) == 0
        assert bench.provision() == 0
    bench.unit.clock.milliseconds += 60_001  # wrong attempts are forgiven
    bench.open_session()
    assert bench.unlocked
