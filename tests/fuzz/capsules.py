# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of any bytes, opened offline, by a unit, and by a unit that gives its keys: all three must agree.

script: whether to open it anyway, then parts: of real capsules, altered ones, headers and chunks with forged tags.
"""

import functools
import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

from capsule_reference import Message, chunk, derive, masked_header, suite_network
from conversation import FIRST, OWN_LANE
from support.reference import load_vectors

from fuzz.bench import Bench
from fuzz.requests import bound_unit
from fuzz.script import Script, block
from ndks.crypto import CRYPTO
from ndks.driver.capsules import unseal_offline
from ndks.exceptions import DeviceError
from ndks.network.network_file import Network
from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHUNK, TAG_SIZE, Keys, Opener
from ndks_protocol.commands import WIRE_HEADER_SIZE

MOST_MEMORY = 2_000_000
LARGEST_INPUT = 4096

_NETWORK = suite_network()
_MOST_PARTS = 8

Verdict = tuple[int, bytes]  # code of the error, 0 for none; what came out


def run(data: bytes) -> None:
    script = Script(data)
    flags = script.byte()
    capsule = b""
    for _ in range(_MOST_PARTS):
        if not script.ended:
            capsule += script.one_of(_PARTS)(script)
    offline = _open_offline(capsule)
    assert offline[0] in (0, *errors.TABLE)
    if len(capsule) < WIRE_HEADER_SIZE:
        return
    for open_with in (_open_in_mode_b, _open_in_mode_a):
        bench = Bench(bound_unit().clone(), FIRST)
        bench.open_session()
        verdict = open_with(bench, capsule, flags)
        if verdict[0] not in _UNIT_ALONE:
            assert verdict == offline, f"{open_with.__name__} gives {verdict}, offline gives {offline}"
        _accept(bench, capsule, verdict[0])


def _open_offline(capsule: bytes) -> Verdict:
    network = Network("demo", "hybrid", "vernam", _NETWORK.p1, _NETWORK.p2, _NETWORK.digits, 0, _NETWORK.secret)
    sink = io.BytesIO()
    try:
        opened = unseal_offline(network, io.BytesIO(capsule), sink, int)
    except DeviceError as error:  # anything else is a finding
        return error.number, b""
    assert opened.size == len(sink.getvalue())
    return 0, sink.getvalue()


# What a unit knows beside the network's secret
_UNIT_ALONE = (errors.RANGE, errors.REFLECTED, errors.DUPLICATE, errors.TOO_OLD, errors.TOO_FAR, errors.SENDERS)


def _open_in_mode_b(bench: Bench, capsule: bytes, flags: int) -> Verdict:
    values = _ask(bench, commands.OPEN_BEGIN, capsule[:WIRE_HEADER_SIZE], flags)
    if isinstance(values, int):
        return values, b""
    data = b""
    for number, last, part in _chunks(capsule):
        if len(part) <= TAG_SIZE:
            return errors.AUTH, b""  # says the host
        answer = _ask(bench, commands.OPEN_CHUNK, values[0], number, last, part)
        if isinstance(answer, int):
            return answer, b""
        data += answer[0]
    return 0, data


def _open_in_mode_a(bench: Bench, capsule: bytes, flags: int) -> Verdict:
    values = _ask(bench, commands.OPEN_KEYS, capsule[:WIRE_HEADER_SIZE], flags)
    if isinstance(values, int):
        return values, b""
    handle, _, _, tag_key, sync, aes_key = values
    opener = Opener(CRYPTO, _KeysOfUnit(bench, handle, tag_key, sync, aes_key))
    try:
        return 0, b"".join([opener.open(*part) for part in _chunks(capsule)])
    except errors.UnitError as error:
        return error.code, b""


class _KeysOfUnit(Keys):
    """Keys as a host in mode a has them."""

    def __init__(self, bench: Bench, handle: bytes, tag_key: bytes, sync: bytes, aes_key: bytes) -> None:
        self.tag_key, self.sync = tag_key, sync if any(sync) else b""
        self._bench, self._handle, self._aes_key = bench, handle, aes_key

    def apply(self, offset: int, text: bytearray | memoryview) -> bytearray | memoryview:
        if self._aes_key:
            stream = bytearray(-(-(offset + len(text)) // 16) * 16)
            CRYPTO.aes_ctr(self._aes_key, bytes(16), stream)
            CRYPTO.xor(text, stream[offset : offset + len(text)])
        else:
            CRYPTO.xor(text, self._asked(commands.MESSAGE_STREAM, offset, len(text)))
        return text

    def check(self, size: int) -> bytes:
        return self._asked(commands.MESSAGE_CHECK, size)

    def _asked(self, command: commands.Command, *values: int) -> bytes:
        answer = _ask(self._bench, command, self._handle, *values)
        if isinstance(answer, int):
            raise errors.UnitError(answer)
        return answer[0]


def _accept(bench: Bench, capsule: bytes, code: int) -> None:
    """What was opened can be accepted, once: then it is not opened again."""
    header = capsule[:WIRE_HEADER_SIZE]
    accepted = _ask(bench, commands.ACCEPT, header, 1)
    if code == 0:
        assert accepted == ()
    if accepted == ():
        assert _ask(bench, commands.OPEN_BEGIN, header, commands.ALLOW_JUMP) == errors.DUPLICATE
        assert _ask(bench, commands.ACCEPT, header, 0) == ()


def _ask(bench: Bench, command: commands.Command, *values: Any) -> "int | tuple[Any, ...]":
    """The fields of the answer, or the code of its error."""
    code = bench.ask(command.code, command.request.pack(*values))
    return code or command.answer.unpack(bench.answer)


def _chunks(capsule: bytes) -> Iterator[tuple[int, int, bytes]]:
    body, full = capsule[WIRE_HEADER_SIZE:], CHUNK + TAG_SIZE
    count = max(1, -(-len(body) // full))
    for number in range(count):
        yield number, int(number == count - 1), body[full * number : full * (number + 1)]


# Parts of a capsule


@functools.cache
def _capsules() -> list[bytes]:
    vectors = load_vectors("capsules")
    whole = [bytes.fromhex(each.get("capsule", "")) for each in (*vectors["good"], *vectors["bad"])]
    clear = [bytes([1, 1, cipher, 0, 0, 0, 3]) + bytes(5) + bytes([9]) + bytes(8) for cipher in (0, 1)]
    own = [Message(_NETWORK, each, bytes(size)).capsule for each in clear for size in (0, 40, 1008, 1030)]
    return own + [capsule for capsule in whole if 0 < len(capsule) < 4096]


def _whole(script: Script) -> bytes:
    return script.one_of(_capsules())


def _altered(script: Script) -> bytes:
    capsule = bytearray(script.one_of(_capsules()))
    for _ in range(1 + script.byte() % 3):
        capsule[script.number(2) % len(capsule)] ^= script.byte()
    return bytes(capsule)


def _piece(script: Script) -> bytes:
    capsule = script.one_of(_capsules())
    start = script.number(2) % len(capsule)
    return capsule[start : start + script.number(2)]


def _forged_header(script: Script) -> bytes:
    """One that a member would make: any content, under the right tag."""
    return masked_header(_NETWORK.secret, _clear(script))


def _forged_capsule(script: Script) -> bytes:
    """Any content in chunks with the right tags, under a header that would be opened, mostly."""
    clear = _clear(script)
    tag_key = derive(_NETWORK.secret, "ndks capsule auth", clear)
    bodies = [script.block()[:CHUNK] for _ in range(1 + script.byte() % 2)]
    forged = [chunk(tag_key, i, int(i == len(bodies) - 1), body) for i, body in enumerate(bodies)]
    return masked_header(_NETWORK.secret, clear) + b"".join(forged)


def _sealed(script: Script) -> bytes:
    """Made as it has to be, but for the paper bits or the binding, perhaps."""
    clear = _clear(script)
    if clear[1] > 1 or clear[2] > 1:
        return masked_header(_NETWORK.secret, clear)
    data = script.block()[:1500]
    binding_id = script.one_of((bytes(16), FIRST.id))
    paper = hashlib.shake_128(data).digest(len(data) + 32) if script.byte() & 1 else None
    return Message(_NETWORK, clear, data, binding_id, paper).capsule


def _clear(script: Script) -> bytes:
    """A header in the clear; where the script says so, one of no capsule that there can be."""
    odd = script.byte()
    suite, cipher, kind, zero = (script.byte() if odd >> bit & 1 else usual for bit, usual in enumerate((1, 1, 0, 0)))
    lane = script.one_of((3, 3, 9, OWN_LANE, 0, 0xFFFF))
    number = script.one_of((1, 2, 300, (1 << 20) + 1, (1 << 48) - 1, 0))
    return bytes([1, suite, cipher, kind, zero]) + (lane << 48 | number).to_bytes(8) + script.take(8).ljust(8, b"\0")


def _bytes(script: Script) -> bytes:
    return script.block()


_PARTS: tuple[Callable[[Script], bytes], ...] = (
    *(_whole, _altered, _sealed, _piece, _forged_header, _forged_capsule, _bytes),
)


def seeds() -> Iterator[bytes]:
    for number in range(len(_capsules())):
        yield bytes([number & 3, 0, number])
        yield bytes([number & 3, 1, number, 0, 0, number, 1])
        yield bytes([2, 6]) + block(_capsules()[number])
    for odd, value in ((0, 0), (1, 0), (2, 0), (2, 2), (4, 1), (8, 1), (1, 2)):
        clear = bytes([odd]) + bytes([value] * odd.bit_count())
        for lane in range(6):
            for number in range(6):
                where = bytes([lane, number]) + bytes(8)
                yield bytes([2, 2]) + clear + where + block(b"hello") + bytes([number % 2, lane % 2])
                yield bytes([2, 5]) + clear + where + bytes([1]) + block(bytes(CHUNK)) + block(bytes(20))
