# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A USB host with one device: it resets the bus, enumerates (USB 2.0, 9.1.2), and serves the serial ports."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ndks_chip.usb import descriptors
from ndks_chip.usb.control import ControlPipe, Request
from ndks_chip.usb.serial_port import SerialPort

_TO_HOST = 0x80  # bmRequestType: a standard request for data from the device
_SET_ADDRESS, _GET_DESCRIPTOR, _SET_CONFIGURATION = 5, 6, 9
_ADDRESS = 1
_BOOT_ROM = (0x2E8A, 0x0003)
_DATA_NAME = (
    "CDC2"  # CircuitPython names the control interfaces "CircuitPython CDC control", "CircuitPython CDC2 control"
)


class UsbHost:
    """`console` and `data` are the same objects for the life of the chip; a port that is not there is not ready."""

    def __init__(self, controller: Any, clock: Any) -> None:
        self._controller = controller
        self._control = ControlPipe(controller, clock)
        self.on_change: Callable[[], None] | None = None  # the device is configured, or gone
        self.console, self.data = (SerialPort(self._control.ask, self._serve) for _ in range(2))
        self._functions: list[descriptors.CdcFunction] = []
        self._names: dict[int, str] = {}
        self._room: dict[int, int] = {}
        self.is_configured = False
        self.identity = (0, 0)
        controller.on_usb_enabled = controller.reset_device
        controller.on_reset_received = self._enumerate
        controller.on_endpoint_write = self._device_wrote
        controller.on_endpoint_read = self._device_reads

    @property
    def is_boot_rom(self) -> bool:
        """The device is the boot ROM, which waits for an image."""
        return self.identity == _BOOT_ROM

    def detach(self) -> None:
        """The device is gone from the bus."""
        was_configured = self.is_configured
        self._control.reset()
        self._functions, self._names, self._room = [], {}, {}
        self.is_configured = False
        self.identity = (0, 0)
        for port in (self.console, self.data):
            port.disconnect()
        if was_configured and self.on_change:
            self.on_change()

    # Enumeration

    def _enumerate(self) -> None:
        self.detach()
        self._control.ask(
            Request(0, _SET_ADDRESS, _ADDRESS, 0),
            _get(descriptors.DEVICE, 0, 0, descriptors.DEVICE_SIZE, self._got_device),
            _get(descriptors.CONFIGURATION, 0, 0, descriptors.CONFIGURATION_HEADER_SIZE, self._got_header),
        )

    def _got_device(self, data: bytes) -> None:
        self.identity = descriptors.vendor_and_product(data)

    def _got_header(self, data: bytes) -> None:
        size = descriptors.total_length(data)
        self._control.ask(_get(descriptors.CONFIGURATION, 0, 0, size, self._got_configuration))

    def _got_configuration(self, data: bytes) -> None:
        self._functions = descriptors.cdc_functions(data)
        for index in sorted({function.name_index for function in self._functions} - {0}):
            on_done = partial(self._got_name, index)
            self._control.ask(_get(descriptors.STRING, index, descriptors.ENGLISH, 255, on_done))
        self._control.ask(Request(0, _SET_CONFIGURATION, 1, 0, on_done=self._configured))

    def _got_name(self, index: int, data: bytes) -> None:
        self._names[index] = descriptors.text(data)

    def _configured(self, _data: bytes) -> None:
        self.is_configured = True
        for number, function in enumerate(self._functions):
            name = self._names.get(function.name_index, "")
            is_data = _DATA_NAME in name if name else number == 1
            (self.data if is_data else self.console).connect(function)
        if self.on_change:
            self.on_change()

    # Endpoints

    def _device_wrote(self, endpoint: int, packet: bytes | bytearray) -> None:
        if endpoint == 0:
            self._control.device_wrote(bytes(packet))
            return
        for port in (self.console, self.data):
            if port.reads_from(endpoint) and packet:
                port.received(bytes(packet))

    def _device_reads(self, endpoint: int, size: int) -> None:
        if endpoint == 0:
            self._control.device_reads(size)
            return
        self._room[endpoint] = size
        for port in (self.console, self.data):
            if port.writes_to(endpoint):
                self._serve(port)

    def _serve(self, port: SerialPort) -> None:
        """Send the next packet, if there is one and the device has room."""
        if port.endpoint in self._room and port.pending:
            size = self._room.pop(port.endpoint)
            self._controller.endpoint_read_done(port.endpoint, port.take(size))


def _get(kind: int, index: int, language: int, size: int, on_done: Callable[[bytes], None]) -> Request:
    return Request(_TO_HOST, _GET_DESCRIPTOR, kind << 8 | index, language, size, on_done=on_done)
