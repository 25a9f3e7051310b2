# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bridge between a serial port of a chip and a line."""

from collections.abc import Callable
from typing import Any

import pytest
import serial
from support.emulate_process import wait_until

from ndks_emulator import PtyLine, TcpLine
from ndks_emulator.chip.bridge import Bridge
from ndks_emulator.chip.pace import Pace
from ndks_emulator.lines import MemoryLine


class Port:
    """A port that notes what the host does to it."""

    def __init__(self) -> None:
        self.on_data: Callable[[bytes], None] = lambda _: None
        self.is_ready = True
        self.written = bytearray()
        self.events: list[Any] = []

    @property
    def pending(self) -> int:
        return len(self.written)

    def write(self, data: bytes) -> None:
        self.written += data

    def set_dtr(self, on: bool) -> None:
        self.events.append(on)

    def set_baud(self, baud: int) -> None:
        self.events.append(baud)


@pytest.fixture
def usb() -> Port:
    return Port()


@pytest.fixture
def line() -> MemoryLine:
    return MemoryLine()


@pytest.fixture
def bridge(usb: Port, line: MemoryLine) -> Bridge:
    return Bridge(usb, line)  # pyright: ignore[reportArgumentType]


def test_bytes_pass_in_both_directions(bridge: Bridge, usb: Port, line: MemoryLine) -> None:
    line.inbound += b"request"
    usb.on_data(b"answer")
    bridge.turn()
    assert (usb.written, line.outbound) == (b"request", b"answer")


def test_bytes_for_a_port_that_is_not_there_wait(bridge: Bridge, usb: Port, line: MemoryLine) -> None:
    usb.is_ready = False
    line.inbound += b"request"
    bridge.turn()
    assert (usb.written, line.inbound) == (b"", b"request")
    usb.is_ready = True
    bridge.turn()
    assert usb.written == b"request"


def test_the_line_holds_what_the_chip_does_not_take(bridge: Bridge, usb: Port, line: MemoryLine) -> None:
    line.inbound += bytes(20_000)
    for _ in range(100):
        bridge.turn()
    assert 4096 <= usb.pending < 5000
    assert len(line.inbound) == 20_000 - usb.pending


def test_the_chip_waits_for_a_program_that_does_not_read(
    bridge: Bridge, usb: Port, line: MemoryLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "offer", lambda data: 0)
    bridge.turn()
    usb.on_data(bytes(70_000))
    bridge.turn()
    assert bridge.is_full
    line.connected = False
    bridge.turn()
    assert not bridge.is_full, "what a program has not read is lost when it leaves"


def test_opening_and_closing_are_passed_on(bridge: Bridge, usb: Port, line: MemoryLine) -> None:
    line.connected = False
    bridge.turn()
    line.connected = True
    bridge.turn()
    bridge.turn()
    line.connected = False
    bridge.turn()
    assert usb.events == [False, True, False]


def test_a_touch_that_is_seen(bridge: Bridge, usb: Port, line: MemoryLine) -> None:
    line.baud = 1200
    bridge.turn()
    line.connected = False
    bridge.turn()
    assert usb.events == [False, 1200, True, False]


def test_a_touch_between_two_turns(bridge: Bridge, usb: Port, line: MemoryLine) -> None:
    line.connected = False
    bridge.turn()
    line.baud = 1200
    bridge.turn()
    bridge.turn()
    assert usb.events == [False, 1200, True, False]


def test_a_touch_of_a_pseudo_terminal(usb: Port) -> None:
    pytest.importorskip("termios")
    line = PtyLine()
    bridge = Bridge(usb, line)  # pyright: ignore[reportArgumentType]
    bridge.turn()
    serial.Serial(line.path, 1200).close()
    bridge.turn()
    assert usb.events == [False, 1200, True, False]
    line.close()


def test_a_line_takes_what_it_has_room_for() -> None:
    line = TcpLine(0)
    assert line.offer(b"nobody is there") == 0
    with serial.serial_for_url(line.address) as host:
        wait_until(lambda: line.read(0) or line.connected, "the host is seen")
        taken = 0
        for _ in range(1000):
            taken += line.offer(bytes(1 << 16))
        assert 0 < taken < 1000 << 16
        assert host.read(1) == b"\0"
    line.close()


def test_pace_is_that_of_real_time_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    assert Pace(1.0).ahead(1_000_000_000) == pytest.approx(1.0)
    assert Pace(2.0).ahead(1_000_000_000) == pytest.approx(0.5)
    assert Pace(float("inf")).ahead(10**18) == 0


def test_a_chip_that_was_late_does_not_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    pace = Pace(1.0)
    now = 110.0
    assert pace.ahead(1_000_000_000) == 0
    assert pace.ahead(2_000_000_000) == pytest.approx(1.0)
