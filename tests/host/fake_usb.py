# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Simulated ports of pyserial and USB devices of pyusb."""

from types import SimpleNamespace
from typing import Any

import pytest
import usb.core
from serial.tools import list_ports

from ndks.line.usb import CIRCUITPYTHON_VID, PRODUCT


def fake_port(device: str, serial_number: str | None, location: str = "1-1:1.0", **others: Any) -> SimpleNamespace:
    """Return an entry of pyserial's list of ports, by default that of a unit."""
    values = {"product": PRODUCT, "vid": CIRCUITPYTHON_VID, "location": location}
    return SimpleNamespace(device=device, serial_number=serial_number, **(values | others))


def plug_in_ports(monkeypatch: pytest.MonkeyPatch, *ports: SimpleNamespace) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))


class FakeUsbDevice:
    """A device of pyusb; a descriptor that is an exception is raised when it is read."""

    def __init__(
        self,
        vendor: int = CIRCUITPYTHON_VID,
        product_id: int = 0x80F4,
        product: str | Exception = PRODUCT,
        serial_number: str | Exception = "E66038B713596E2A",
    ) -> None:
        self.bus, self.address = 1, 7
        self.idVendor, self.idProduct = vendor, product_id
        self._product, self._serial_number = product, serial_number

    @property
    def product(self) -> str:
        return _read(self._product)

    @property
    def serial_number(self) -> str:
        return _read(self._serial_number)


def plug_in_devices(monkeypatch: pytest.MonkeyPatch, *devices: FakeUsbDevice) -> None:
    monkeypatch.setattr(usb.core, "find", lambda **_: iter(devices))


def _read(descriptor: str | Exception) -> str:
    if isinstance(descriptor, Exception):
        raise descriptor
    return descriptor
