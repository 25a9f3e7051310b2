# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The serial line of a board: full FIFOs, slow hosts, hosts that disconnect or stop reading, invalid frames."""

import random
from types import SimpleNamespace

import pytest
from hosts.network import named

from firmware.stand_ins import Chip, Host, Script
from firmware.stand_ins.port import FIFO, PACKET
from ndks_protocol import commands, errors, framing
from ndks_protocol.capsule import CHECK_SIZE, FIRST_PIECE, SYNC_SIZE, TAG_SIZE
from ndks_protocol.layout import Layout
from ndks_protocol.session import OVERHEAD

AWKWARD = (63, 64, 65, 127, 128, 255, 256, 257)
ENOUGH = len(framing.encode(0xFF, 0xFFFFFFFF, b"\xff" * framing.MAX_PAYLOAD))
LONG = len(framing.encode(0, 0, b"\xff" * (framing.MAX_PAYLOAD_BEFORE_SESSION + 1)))  # too long without a session
WINDOW = 4  # requests in flight


@pytest.mark.parametrize("appetite", [1, 7, 63, 64, 65, 256])
def test_answers_larger_than_the_fifo_reach_a_slow_host_whole(chip: Chip, appetite: int) -> None:
    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        whole = yield from host.ask(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
        host.appetite = appetite
        requests = [host.request(commands.KEY_CHUNK, 0, 1, 100 * i, 1024 - 100 * i) for i in range(WINDOW)]
        for i, request in enumerate(requests):
            frame = yield from host.answer_to(request)
            assert frame.payload == whole[0][100 * i :]

    assert chip.run(script).port.short_writes > 0


@pytest.mark.parametrize("size", AWKWARD)
def test_answers_of_awkward_sizes_on_the_wire(chip: Chip, size: int) -> None:
    overhead = len(framing.encode(0, 0, bytes(OVERHEAD)))

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        whole = yield from host.ask(commands.KEY_CHUNK, 0, 1, 0, size)
        for payload in (size - overhead - 1, size - overhead):  # a zero byte saves one byte of COBS overhead
            key = yield from host.ask(commands.KEY_CHUNK, 0, 1, 0, payload)
            assert key[0] == whole[0][:payload]

    assert size in chip.run(script).frame_sizes


@pytest.mark.parametrize("size", [*(size for size in AWKWARD if size < LONG), LONG - 1])
def test_requests_of_awkward_sizes_on_the_wire(chip: Chip, size: int) -> None:
    payload = b"\xff" * next(n for n in range(size) if len(framing.encode(0x7E, 9, b"\xff" * n)) >= size)
    frame = framing.encode(0x7E, 9, payload)

    def script(host: Host) -> Script:
        host.open()
        host.send(frame)
        answer = yield from host.answer_to(9)
        assert (answer.kind, answer.payload) == (framing.ERROR, errors.UNKNOWN_COMMAND.to_bytes(2))

    assert len(frame) == size
    chip.run(script)


def test_the_largest_answer(chip: Chip) -> None:
    """It has the two chunks of a full last piece."""

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        token = bytes(8)
        yield from host.ask(commands.SEAL_BEGIN, token, commands.VERNAM, commands.DATA, bytes(8))
        chunks = yield from host.ask(commands.SEAL_CHUNK, token, 0, 1, b"\xff" * FIRST_PIECE)
        assert len(chunks[0]) == SYNC_SIZE + FIRST_PIECE + CHECK_SIZE + 2 * TAG_SIZE

    chip.run(script)


@pytest.mark.parametrize("size", [*AWKWARD, ENOUGH])
def test_requests_of_awkward_sizes_in_a_session(chip: Chip, size: int) -> None:
    """The unit does not have the command, and answers so."""
    body = bytes(min(framing.MAX_PAYLOAD, size - 11) - OVERHEAD)
    unknown = SimpleNamespace(code=0x7E, needs=commands.NOTHING, request=Layout(">*", "body"))

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.open_session()
        answer = yield from host.answer_to(host.request(unknown, body))
        assert (answer.kind, answer.payload) == (framing.ERROR, errors.UNKNOWN_COMMAND.to_bytes(2))
        yield from host.ask(commands.NEXT_INDEX)

    chip.run(script)


@pytest.mark.parametrize("uptime_ms", [0, 64_000])
def test_a_unit_gives_up_on_a_host_that_does_not_read(chip: Chip, uptime_ms: int) -> None:
    """In the second case ticks_ms wraps around before the timeout."""
    chip.clock.ms = uptime_ms

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.open_session()
        host.appetite = 0
        start = chip.clock.ms
        host.request(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
        yield from host.wait(lambda: host.port.out_waiting == FIFO)
        yield from host.wait(lambda: host.port.out_waiting == 0)
        assert 2000 < chip.clock.ms - start < 2200
        yield from _come_back(host)
        yield from host.ask(commands.HELLO)

    chip.run(script)


def test_a_host_that_reads_a_little_is_waited_for(chip: Chip) -> None:
    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.open_session()
        host.appetite = 0
        request = host.request(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
        yield from host.wait(lambda: host.port.out_waiting == FIFO)
        for _ in range(6):
            yield from host.wait_ms(1900)
            host.appetite = PACKET
            yield
            host.appetite = 0
        host.appetite = PACKET
        answer = yield from host.answer_to(request)
        assert len(answer.payload) == commands.MAX_CHUNK

    chip.run(script)


def test_the_first_answer_after_giving_up_arrives(chip: Chip) -> None:
    """A packet in the USB hardware cannot be withdrawn: the next answer must not be joined to it."""

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.open_session()
        host.appetite = 0
        host.request(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
        yield from host.wait(lambda: host.port.out_waiting == FIFO)
        yield from host.wait(lambda: host.port.out_waiting == 0)
        host.close()
        yield from host.wait_ms(10)
        host.open()
        host.appetite = PACKET
        request = host.request(commands.HELLO)
        yield from host.wait_ms(1000)
        last = framing.Decoder().feed(bytes(host.received))[-1]
        assert isinstance(last, framing.Frame)
        assert last.request_id == request

    chip.run(script)


def test_a_host_that_leaves_during_an_answer(chip: Chip) -> None:
    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.open_session()
        host.appetite = 0
        host.request(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
        yield from host.wait(lambda: host.port.out_waiting == FIFO)
        start = chip.clock.ms
        host.close()
        yield from host.wait_ms(100)
        yield from _come_back(host)
        yield from host.ask(commands.HELLO)
        assert chip.clock.ms - start < 200, "nobody waits for a host that has left"

    chip.run(script)


@pytest.mark.parametrize("part", range(1, 12))
def test_a_host_that_leaves_during_a_request(chip: Chip, part: int) -> None:
    frame = framing.encode(commands.HELLO.code, 7, b"")
    assert len(frame) == 11

    def script(host: Host) -> Script:
        host.open()
        host.send(frame[:part])
        yield from host.wait_ms(10)
        host.close()
        yield from host.wait_ms(10)
        host.open()
        yield from host.ask(commands.HELLO)

    chip.run(script)


def test_a_host_that_leaves_ends_its_session(chip: Chip) -> None:
    """The next host must prove that it knows the binding."""

    def script(host: Host) -> Script:
        host.open()
        yield from host.provision()
        yield from host.ask(commands.NEXT_INDEX)
        host.close()
        yield from host.wait_ms(10)
        host.open()
        with pytest.raises(errors.UnitError, match="LOCKED"):
            yield from host.ask_as_it_is(commands.NEXT_INDEX)
        status = named(commands.STATUS.answer, (yield from host.ask(commands.STATUS)))
        assert status["state"] == commands.STATE_LOCKED
        yield from host.ask(commands.NEXT_INDEX)

    chip.run(script)


def test_garbage_is_dropped_counted_and_never_answered(chip: Chip) -> None:
    rng = random.Random(1)
    garbage = [rng.randbytes(n).replace(b"\0", b"\1") for n in (1, 8, 9, 255, 256, 1000, 5000)]

    def script(host: Host) -> Script:
        host.open()
        for part in garbage:
            host.send(part + b"\0\0\0")
        status = named(commands.STATUS.answer, (yield from host.ask(commands.STATUS)))
        assert status["dropped_frames"] == len(garbage)

    host = chip.run(script)
    assert host.received.count(0) == 1


def test_a_frame_that_arrives_byte_by_byte(chip: Chip) -> None:
    def script(host: Host) -> Script:
        host.open()
        for byte in framing.encode(commands.HELLO.code, 7, b""):
            host.send(bytes([byte]))
            yield from host.wait_ms(3)
        yield from host.answer_to(7)

    chip.run(script)


def _come_back(host: Host) -> Script:
    """Open the port and, as the driver does, discard the bytes of the previous session."""
    host.close()
    yield from host.wait_ms(10)
    host.appetite = FIFO
    host.open()
    yield from host.wait_ms(10)
    host.close()
    host.open()
