# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What USB itself says about attached boards: descriptors, and devices that this user may not open."""

import errno
from dataclasses import dataclass
from typing import Any

import libusb_package  # pyright: ignore[reportMissingTypeStubs]
import usb.core

_libusb: Any = libusb_package
_core: Any = usb.core  # pyusb has no types; its stubs lack half of this

CIRCUITPYTHON_VID = 0x239A  # boards keep CircuitPython's vendor and product ids
PRODUCT = "NDKS unit"
_BOOT_VID, _BOOT_PID = 0x2E8A, 0x0003  # RP2040 in its bootloader


@dataclass(frozen=True)
class UsbDevice:
    """One device with CircuitPython's vendor id, or an RP2040 in its bootloader."""

    bus: int
    address: int
    vendor: int
    product_id: int
    product: str | None = None
    serial_number: str | None = None
    problem: str | None = None


def attached() -> list[UsbDevice]:
    """Return attached boards; an empty list where there is no USB at all."""
    try:
        devices = list(_core.find(find_all=True, backend=_libusb.get_libusb1_backend()))
    except (_core.USBError, _core.NoBackendError, NotImplementedError):
        return []
    return [_describe(device) for device in devices if _is_board(device)]


def _is_board(device: Any) -> bool:
    return device.idVendor == CIRCUITPYTHON_VID or (device.idVendor, device.idProduct) == (_BOOT_VID, _BOOT_PID)


def _describe(device: Any) -> UsbDevice:
    place = (device.bus, device.address, device.idVendor, device.idProduct)
    if device.idVendor == _BOOT_VID:
        return UsbDevice(*place, problem="in its bootloader: install CircuitPython, or press its reset button")
    try:
        return UsbDevice(*place, device.product, device.serial_number)
    except ValueError:  # pyusb could not read the list of languages, which it may not without permission
        return UsbDevice(*place, problem=_NO_PERMISSION)
    except NotImplementedError:
        return UsbDevice(*place, problem="this system's USB driver shows no descriptors")
    except _core.USBError as error:
        denied = error.errno in (errno.EACCES, errno.EPERM)
        return UsbDevice(
            *place, problem=_NO_PERMISSION if denied else f"its descriptors cannot be read: {error.strerror}"
        )


_NO_PERMISSION = "you may not open it: install hardware/70-ndks.rules (see hardware/README.md)"


def problems() -> list[str]:
    """Return one line for each attached board that cannot be used as it is."""
    return [
        f"USB {device.bus:03d}:{device.address:03d}, id {device.vendor:04x}:{device.product_id:04x}: {device.problem}"
        for device in attached()
        if device.problem
    ]
