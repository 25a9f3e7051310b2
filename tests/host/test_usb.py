# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""USB descriptors of attached boards, on systems that show all, some or none of them."""

import errno
from typing import Any

import pytest
import usb.core
from host.fake_usb import FakeUsbDevice, plug_in_devices

from ndks.line import usb as ndks_usb

# pyusb raises this if it cannot read the list of languages, for lack of permission.
NO_LANGUAGES = ValueError(
    "The device has no langid (permission issue, no string descriptors supported or device error)"
)


def described(monkeypatch: pytest.MonkeyPatch, device: FakeUsbDevice) -> ndks_usb.UsbDevice:
    plug_in_devices(monkeypatch, device)
    (found,) = ndks_usb.attached()
    assert (found.bus, found.address, found.vendor, found.product_id) == (1, 7, device.idVendor, device.idProduct)
    return found


def test_product_and_serial_number_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = described(monkeypatch, FakeUsbDevice())
    assert (found.product, found.serial_number, found.problem) == (ndks_usb.PRODUCT, "E66038B713596E2A", None)
    assert ndks_usb.problems(ndks_usb.attached()) == []


@pytest.mark.parametrize(
    "error",
    [
        NO_LANGUAGES,
        usb.core.USBError("Access denied (insufficient permissions)", -3, errno.EACCES),
        usb.core.USBError("Operation not permitted", -1, errno.EPERM),
    ],
)
def test_no_permission(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    for device in (FakeUsbDevice(product=error, serial_number=error), FakeUsbDevice(serial_number=error)):
        found = described(monkeypatch, device)
        assert (found.product, found.serial_number) == (None, None)
        assert "70-ndks.rules" in str(found.problem)
        (line,) = ndks_usb.problems(ndks_usb.attached())
        assert "001:007" in line
        assert "239a:80f4" in line
        assert "70-ndks.rules" in line


def test_driver_that_shows_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    # On Windows the serial driver owns the device.
    error = NotImplementedError("Operation not supported or unimplemented on this platform")
    found = described(monkeypatch, FakeUsbDevice(product=error))
    assert "no descriptors" in str(found.problem)


def test_other_error(monkeypatch: pytest.MonkeyPatch) -> None:
    error = usb.core.USBError("No such device (it may have been disconnected)", -4, errno.ENODEV)
    found = described(monkeypatch, FakeUsbDevice(product=error))
    assert "may have been disconnected" in str(found.problem)


def test_board_in_its_bootloader(monkeypatch: pytest.MonkeyPatch) -> None:
    found = described(monkeypatch, FakeUsbDevice(0x2E8A, 0x0003, product=NO_LANGUAGES))
    assert "bootloader" in str(found.problem)


def test_other_devices_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_devices(monkeypatch, FakeUsbDevice(0x0403, 0x6001), FakeUsbDevice(0x2E8A, 0x000A))
    assert ndks_usb.attached() == []


@pytest.mark.parametrize(
    "error",
    [
        usb.core.NoBackendError("No backend available"),
        usb.core.USBError("Access denied", -3, errno.EACCES),
        NotImplementedError(),
    ],
)
def test_system_without_usb(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Any:
        raise error

    monkeypatch.setattr(usb.core, "find", fail)
    assert ndks_usb.attached() == []
    assert ndks_usb.problems(ndks_usb.attached()) == []


def test_error_while_devices_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def devices(**_: Any) -> Any:
        yield FakeUsbDevice()
        raise usb.core.USBError("Input/output error", -1, errno.EIO)

    monkeypatch.setattr(usb.core, "find", devices)
    assert ndks_usb.attached() == []


def test_this_system_is_listed_without_an_error() -> None:
    assert isinstance(ndks_usb.attached(), list)
