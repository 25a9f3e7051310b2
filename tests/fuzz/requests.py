# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Any frames to a unit that is blank, bound, in a session, or in one with much behind it.

script: which unit, then steps. Most requests are well-formed frames, secured where there is a session, so that they get
past COBS, CRC and MAC; their fields come from the script, or are such as would fit.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from capsule_reference import AES, HYBRID, VERNAM, Message, clear_header, suite_network
from conversation import ENTROPY, ERASE, FIRST, MEMBER, OWN_LANE, SECOND, UID
from support.reference import load_vectors

from fuzz.bench import RANDOM, Bench, fuzzed_unit
from fuzz.script import Script, block
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, framing
from ndks_protocol.commands import TABLE, WIRE_HEADER_SIZE

MOST_MEMORY = 600_000
LARGEST_INPUT = 4096

_CODES = sorted(TABLE)
_BLANK, _BOUND, _PROVED, _SESSION, _BUSY = range(5)
_UNITS = (_SESSION, _BUSY, _BOUND, _BLANK, _PROVED)
_MOST_STEPS = 64

_LANES = (1, 3, 9, OWN_LANE)
_MESSAGES = [
    Message(suite_network(), clear_header(HYBRID, cipher, lane, number, bytes(8)), data)
    for cipher, data in ((AES, b"hello"), (VERNAM, bytes(30)), (AES, bytes(1020)))
    for lane in _LANES
    for number in (1, 300, 1 << 22)
]
_TOKENS = [bytes(8), b"token 01", b"token 02", ENTROPY[:8]]
_INTEGERS = (
    *(0, 1, 2, 3, 7, 8, 15, 16, 24, 64, 65, 255, 256, 1015, 1016, 1017, 1023, 1024, 1025, 0xFFFF, 1 << 16, 1 << 20),
    *((1 << 20) + 1, (1 << 20) + 2, (1 << 32) - 1, 1 << 32, (1 << 37) - 1, 1 << 37, (1 << 48) - 2, (1 << 48) - 1),
    *(1 << 48, 1 << 63, (1 << 64) - 1, (OWN_LANE << 48) + 1, (1 << 64) - 64),
)
_TEXTS = ("", "0.52", "25", "-1", "0", "1" * 80, "1e9", "demo", "\N{BLACK STAR}" * 11, "x" * 33)


def run(data: bytes) -> None:
    script = Script(data)
    bench = _bench(script.one_of(_UNITS))
    for _ in range(_MOST_STEPS):
        if not script.ended:
            script.one_of(_STEPS)(bench, script)
    _come_home(bench)


def _come_home(bench: Bench) -> None:
    """Whatever was sent, the owner gets in; and a unit that is bound no more can be bound again."""
    bench.unit.flash.drive_is_writable = True
    bench.unit.case.close()
    bench.opens_case = False
    bench.restart()
    if bench.binding is None:
        assert bench.send(commands.ZEROIZE.code, ERASE) == 0
        assert bench.send(commands.PROVISION.code, FIRST.secret + MEMBER) == 0
    bench.unit.clock.milliseconds += 60_001  # wrong attempts are forgiven
    bench.open_session()
    assert bench.unlocked


def _bench(what: int) -> Bench:
    if what == _BLANK:
        return Bench(fuzzed_unit(), None)
    bench = Bench(bound_unit(is_busy=what == _BUSY).clone(), FIRST)
    if what != _BOUND:
        bench.open_session(up_to=commands.PROVE.code if what == _PROVED else commands.UNLOCK.code)
        assert bench.unlocked == (what != _PROVED)
    return bench


@functools.cache
def bound_unit(*, is_busy: bool = False) -> MemoryUnit:
    bench = Bench(fuzzed_unit(), None)
    assert bench.send(commands.PROVISION.code, FIRST.secret + MEMBER) == 0
    if is_busy:
        bench.open_session()
        for lane in range(20, 29):  # another sender, and there is no room for one more
            _ask(bench, commands.ACCEPT, Message(suite_network(), clear_header(1, 1, lane, 5, bytes(8)), b"").header, 0)
        _ask(bench, commands.TRUST, 3, bytes(16 * [1]))
        index = 1
        while bench.firmware.state.log.used < bench.firmware.state.log.size - 200:  # soon the log is compacted
            _ask(bench, commands.ACKNOWLEDGE, 0, index, 0)
            index += 2
    return bench.unit


def _ask(bench: Bench, command: commands.Command, *values: Any) -> None:
    assert bench.ask(command.code, command.request.pack(*values)) == 0


# Steps


def _line(bench: Bench, script: Script) -> None:
    bench.receive(script.block())


def _frame(bench: Bench, script: Script) -> None:
    kind, request_id = script.byte(), script.number(4)
    bench.send(kind, script.block()[: framing.MAX_PAYLOAD], request_id)


def _request(bench: Bench, script: Script) -> None:
    bench.ask(script.one_of(_CODES), script.block())


def _fitting_request(bench: Bench, script: Script) -> None:
    command = TABLE[script.one_of(_CODES)]
    fields = zip(command.request.names, command.request.kinds, strict=True)
    bench.ask(command.code, b"".join([_field(bench, name, kind, script) for name, kind in fields]))


def _damaged_frame(bench: Bench, script: Script) -> None:
    kind = script.one_of(_CODES)
    wire = bytearray(framing.encode(kind, 1, bench.secured(kind, script.block()[:1000], 1)))
    wire[script.number(2) % len(wire)] ^= script.byte()
    bench.receive(bytes(wire))


def _damaged_payload(bench: Bench, script: Script) -> None:
    kind = script.one_of(_CODES)
    payload = bytearray(bench.secured(kind, script.block()[:1000]) + b"\0")
    payload[script.number(2) % len(payload)] ^= script.byte()
    bench.send(kind, bytes(payload[: -1 - script.byte() % 2]))


def _same_again(bench: Bench, script: Script) -> None:
    kind, request_id, payload = bench.request
    bench.send(kind, payload, request_id)


def _open_session(bench: Bench, script: Script) -> None:
    bench.open_session()


def _event(bench: Bench, script: Script) -> None:
    what = script.byte() % 8
    if what == 0:
        bench.leave()
    elif what == 1:
        bench.restart()
    elif what == 2:
        bench.unit.clock.milliseconds += script.number(2)
        bench.poll()
    elif what == 3:
        bench.unit.flash.drive_is_writable = not bench.unit.flash.drive_is_writable
    elif what == 4:
        bench.unit.power.steps_left = script.number(1)  # at some later request
    elif what == 5:
        bench.unit.power.steps_left = None
    elif what == 6:
        bench.open_case()
        bench.receive(framing.encode(script.byte(), 1, b""))
        if script.byte() & 1 == 0:
            bench.unit.case.close()
        bench.restart()
        bench.unit.case.close()
    else:
        bench.opens_case = script.byte() & 1 == 0
        bench.receive(script.take(3))  # before the next frame


_STEPS: tuple[Callable[[Bench, Script], None], ...] = (
    *(_fitting_request, _request, _fitting_request, _frame, _fitting_request, _event, _fitting_request, _line),
    *(_open_session, _damaged_frame, _fitting_request, _damaged_payload, _fitting_request, _same_again),
)


# Fields


def _field(bench: Bench, name: str, kind: str, script: Script) -> bytes:
    """Bytes for one field: such as would fit, or what the script says."""
    choice = script.byte()
    if choice >= 0xE0:
        return script.take(choice & 0x1F)
    if kind[0] == "u":
        size = int(kind[1:]) // 8
        integer = _INTEGERS[choice % len(_INTEGERS)] if choice < 0x80 else script.number(min(size, 2))
        return (integer % (1 << 8 * size)).to_bytes(size)
    if kind == "text":
        text = _TEXTS[choice % len(_TEXTS)].encode()
        return bytes([len(text)]) + text
    candidates = _candidates(bench, name)
    return candidates[choice % len(candidates)]


def _candidates(bench: Bench, name: str) -> list[bytes]:
    headers = [message.header for message in _MESSAGES]
    fitting = {
        "random": [bytes(16), RANDOM, RANDOM[:8], ENTROPY[:8]],
        "proof": [bench.opening.host_proof if bench.opening else bytes(16)],
        "kek": [bench.binding.kek if bench.binding else bytes(32), FIRST.kek, SECOND.kek, bytes(32)],
        "binding": [FIRST.secret, SECOND.secret, bytes(32)],
        "binding_id": [bytes(16), FIRST.id, SECOND.id],
        "confirmation": [ERASE[:8]],
        "uid": [UID],
        "secret": [MEMBER[9:41], bytes(32)],
        "header": [*headers, bench.answer[:WIRE_HEADER_SIZE].ljust(WIRE_HEADER_SIZE, b"\0")],
        "token": _TOKENS,
        "message": [*_TOKENS, bench.answer[:8].ljust(8, b"\0")],
        "handle": [ENTROPY[:8]],
        "data": [b"", b"x", bytes(1016), bytes(1017), bytes(1024), bytes(1025)],
        "chunk": [chunk for message in _MESSAGES for chunk in message.chunks],
    }
    return fitting[name]


def seeds() -> Iterator[bytes]:
    steps = load_vectors("commands")["steps"]
    written = [_written(step) for step in steps]
    for start in range(0, len(steps), 4):
        for unit in range(len(_UNITS)):
            yield (bytes([unit]) + b"".join(written[start : start + 8]))[:LARGEST_INPUT]
    for command in range(len(_CODES)):
        for choice in (0, 1, 0x80):
            yield bytes([choice % 2, 0, command]) + bytes([choice] * 12)


def _written(step: dict[str, Any]) -> bytes:
    request = bytes.fromhex(step["request"])
    event = bytes([_STEPS.index(_event), 1]) if step.get("restart") else b""
    if step["command"] in _CODES:
        return event + bytes([_STEPS.index(_request), _CODES.index(step["command"])]) + block(request)
    return event + bytes([_STEPS.index(_frame), step["command"], 0, 0, 0, 1]) + block(request)
