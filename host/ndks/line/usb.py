# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""USB descriptors of attached boards, and boards that this user may not open."""

import errno
import logging
from dataclasses import dataclass
from typing import Any

import usb.core

from ..exceptions import reason
from ..shipped import udev_advice

_log = logging.getLogger(__name__)
_core: Any = usb.core  # pyusb has no types, and its stubs are incomplete

CIRCUITPYTHON_VID = 0x239A  # units keep the vendor and product ids of CircuitPython
PRODUCT = "NDKS unit"
_BOOT_VID, _BOOT_PID = 0x2E8A, 0x0003  # RP2040 in its bootloader


@dataclass(frozen=True)
class UsbDevice:
    """A device with the vendor id of CircuitPython, or an RP2040 in its bootloader."""

    bus: int
    address: int
    vendor: int
    product_id: int
    product: str | None = None
    serial_number: str | None = None
    problem: str | None = None


def attached() -> list[UsbDevice]:
    """Return the attached boards; an empty list on a system without USB."""
    try:
        devices = list(_core.find(find_all=True, backend=_backend()))
    except Exception as error:  # pyusb, its loader of libusb and ctypes raise many types
        _log.debug("USB devices cannot be listed: %r", error)
        return []
    return [_describe(device) for device in devices if _is_board(device)]


def _backend() -> Any:
    """Return the libusb of its Python package, or None to let pyusb search for that of the system."""
    try:
        import libusb_package  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:  # there is no wheel for this platform
        return None
    package: Any = libusb_package
    return package.get_libusb1_backend()


def _is_board(device: Any) -> bool:
    return device.idVendor == CIRCUITPYTHON_VID or (device.idVendor, device.idProduct) == (_BOOT_VID, _BOOT_PID)


def _describe(device: Any) -> UsbDevice:
    place = (device.bus, device.address, device.idVendor, device.idProduct)
    if device.idVendor == _BOOT_VID:
        return UsbDevice(*place, problem="in its bootloader: install CircuitPython, or press its reset button")
    try:
        return UsbDevice(*place, device.product, device.serial_number)
    except UnicodeDecodeError:
        return UsbDevice(*place, problem="its descriptors are not valid UTF-16")
    except ValueError:  # pyusb could not read the list of languages, for lack of permission
        return UsbDevice(*place, problem=_no_permission())
    except NotImplementedError:
        return UsbDevice(*place, problem="this system's USB driver shows no descriptors")
    except Exception as error:  # USBError, which is an OSError, or any other if the device was unplugged meanwhile
        number, why = (error.errno, reason(error)) if isinstance(error, OSError) else (None, repr(error))
        denied = number in (errno.EACCES, errno.EPERM)
        return UsbDevice(*place, problem=_no_permission() if denied else f"its descriptors cannot be read: {why}")


def _no_permission() -> str:
    return f"you may not open it: {udev_advice()}"


def problems(devices: list[UsbDevice]) -> list[str]:
    """Return one line for each board with a problem."""
    return [
        f"USB {device.bus:03d}:{device.address:03d}, id {device.vendor:04x}:{device.product_id:04x}: {device.problem}"
        for device in devices
        if device.problem
    ]
