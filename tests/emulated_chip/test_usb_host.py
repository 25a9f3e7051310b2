# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host of USB against a stand-in for the controller with a device behind it."""

import struct
from collections.abc import Callable

import pytest
from rp2040py.clock.simulation_clock import SimulationClock

from ndks_chip.usb.host import UsbHost

CONSOLE, DATA = "CircuitPython CDC control", "CircuitPython CDC2 control"
GET_DESCRIPTOR, SET_ADDRESS, SET_CONFIGURATION, SET_LINE_CODING, SET_LINE_STATE = 6, 5, 9, 0x20, 0x22


def configuration(names: int) -> bytes:
    """Return a configuration with that many serial ports, each with a control interface and one for data."""
    parts = bytearray()
    for i in range(names):
        parts += struct.pack("9B", 9, 4, 2 * i, 0, 1, 2, 2, 0, 4 + i)
        parts += struct.pack("<4BHB", 7, 5, 0x81 + 2 * i, 3, 64, 16)
        parts += struct.pack("9B", 9, 4, 2 * i + 1, 0, 2, 10, 0, 0, 0)
        parts += struct.pack("<4BHB", 7, 5, 2 + 2 * i, 2, 64, 0)
        parts += struct.pack("<4BHB", 7, 5, 0x82 + 2 * i, 2, 64, 0)
    return struct.pack("<2BH5B", 9, 2, 9 + len(parts), 2 * names, 1, 0, 0x80, 50) + bytes(parts)


class StandIn:
    """rp2040py's controller, with a device that has serial ports of these names."""

    on_usb_enabled: Callable[[], None]
    on_reset_received: Callable[[], None]
    on_endpoint_write: Callable[[int, bytes], None]
    on_endpoint_read: Callable[[int, int], None]

    def __init__(self, *names: str) -> None:
        self.names = names
        self.requests: list[tuple[int, int, int, bytes]] = []  # code, value, index, data
        self.packets: list[tuple[int, bytes]] = []
        self._setup = (0, 0, 0, 0, 0)

    def reset_device(self) -> None:
        self.on_reset_received()

    def send_setup_packet(self, packet: bytes) -> None:
        self._setup = struct.unpack("<BBHHH", packet)
        kind, code, value, index, length = self._setup
        if kind & 0x80:
            answer = self._descriptor(value)[:length]
            for at in range(0, len(answer), 64):
                self.on_endpoint_write(0, answer[at : at + 64])
            self.on_endpoint_read(0, 0)
        elif length:
            self.on_endpoint_read(0, 64)
        else:
            self.requests.append((code, value, index, b""))
            self.on_endpoint_write(0, b"")

    def endpoint_read_done(self, endpoint: int, data: bytes) -> None:
        if endpoint:
            self.packets.append((endpoint, data))
        elif not self._setup[0] & 0x80:
            self.requests.append((*self._setup[1:4], data))
            self.on_endpoint_write(0, b"")

    def _descriptor(self, value: int) -> bytes:
        if value >> 8 == 3:
            text = self.names[(value & 0xFF) - 4].encode("utf-16-le")
            return bytes((2 + len(text), 3)) + text
        if value >> 8 == 2:
            return configuration(len(self.names))
        return struct.pack("<2BH4B3H4B", 18, 1, 0x200, 239, 2, 1, 64, 0x239A, 0x80F4, 0x100, 1, 2, 3, 1)


def plugged(*names: str) -> tuple[UsbHost, StandIn, SimulationClock]:
    device, clock = StandIn(*names), SimulationClock()
    host = UsbHost(device, clock)
    device.on_usb_enabled()
    clock.tick(1e9)
    return host, device, clock


@pytest.mark.parametrize(
    ("names", "console", "data"),
    [
        ((CONSOLE, DATA), 2, 4),
        ((DATA,), 0, 2),  # boot.py has turned the console off
        ((CONSOLE,), 2, 0),
        ((DATA, CONSOLE), 4, 2),
        ((), 0, 0),
    ],
)
def test_ports_are_known_by_name(names: tuple[str, ...], console: int, data: int) -> None:
    host, _, _ = plugged(*names)
    assert host.is_configured
    assert host.identity == (0x239A, 0x80F4)
    assert (host.console.endpoint, host.data.endpoint) == (console, data)
    assert (host.console.is_ready, host.data.is_ready) == (bool(console), bool(data))


def test_what_the_device_is_asked_for() -> None:
    _, device, _ = plugged(DATA)
    assert device.requests == [
        (SET_ADDRESS, 1, 0, b""),
        (SET_CONFIGURATION, 1, 0, b""),
        (SET_LINE_CODING, 0, 0, struct.pack("<IBBB", 115200, 0, 0, 8)),
        (SET_LINE_STATE, 3, 0, b""),
    ]


def test_data_waits_until_the_device_has_room() -> None:
    host, device, _ = plugged(CONSOLE, DATA)
    host.data.write(bytes(100))
    assert (device.packets, host.data.pending) == ([], 100)
    device.on_endpoint_read(4, 64)
    assert (device.packets, host.data.pending) == ([(4, bytes(64))], 36)
    device.on_endpoint_read(4, 64)
    device.on_endpoint_read(4, 64)
    assert (device.packets[1:], host.data.pending) == ([(4, bytes(36))], 0)
    host.data.write(b"at once")
    assert device.packets[-1] == (4, b"at once")


def test_data_from_the_device() -> None:
    host, device, _ = plugged(CONSOLE, DATA)
    console, data = bytearray(), bytearray()
    host.console.on_data, host.data.on_data = console.extend, data.extend
    device.on_endpoint_write(2, b"console")
    device.on_endpoint_write(4, b"data")
    device.on_endpoint_write(4, b"")
    assert (console, data) == (b"console", b"data")


def test_baud_and_dtr() -> None:
    host, device, clock = plugged(DATA)
    device.requests.clear()
    host.data.set_baud(1200)
    host.data.set_dtr(False)
    clock.tick(1e9)
    coding = struct.pack("<IBBB", 1200, 0, 0, 8)
    assert device.requests == [(SET_LINE_CODING, 0, 0, coding), (SET_LINE_STATE, 0, 0, b"")]


def test_a_device_that_goes_and_comes_back_without_its_console() -> None:
    host, device, clock = plugged(CONSOLE, DATA)
    changes: list[bool] = []
    host.on_change = lambda: changes.append(host.is_configured)
    host.data.write(b"lost")
    host.detach()
    assert not host.data.is_ready
    host.data.write(b"lost too")
    assert host.data.pending == 0
    device.names = (DATA,)
    device.on_usb_enabled()
    clock.tick(1e9)
    assert changes == [False, True]
    assert (host.console.is_ready, host.data.is_ready) == (False, True)
    assert device.packets == []
