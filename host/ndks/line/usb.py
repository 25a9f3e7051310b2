# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What USB itself says about attached boards: descriptors, and devices that this user may not open."""

import errno
import logging
from dataclasses import dataclass
from typing import Any

import usb.core

from ..exceptions import reason
from ..shipped import udev_advice

_log = logging.getLogger(__name__)
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
        devices = list(_core.find(find_all=True, backend=_backend()))
    except Exception as error:  # pyusb has its own; the loader of libusb, ctypes and libusb itself raise others
        _log.debug("USB cannot be looked at: %r", error)
        return []
    return [_describe(device) for device in devices if _is_board(device)]


def _backend() -> Any:
    """Return libusb from its package, or None to let pyusb look for one of the system."""
    try:
        import libusb_package  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:  # not built for this platform
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
        return UsbDevice(*place, problem="its descriptors are no text (UTF-16)")
    except ValueError:  # pyusb could not read the list of languages, which it may not without permission
        return UsbDevice(*place, problem=_no_permission())
    except NotImplementedError:
        return UsbDevice(*place, problem="this system's USB driver shows no descriptors")
    except Exception as error:  # USBError, an OSError; of a device that was pulled meanwhile any other
        number, why = (error.errno, reason(error)) if isinstance(error, OSError) else (None, repr(error))
        denied = number in (errno.EACCES, errno.EPERM)
        return UsbDevice(*place, problem=_no_permission() if denied else f"its descriptors cannot be read: {why}")


def _no_permission() -> str:
    return f"you may not open it: {udev_advice()}"


def problems(devices: list[UsbDevice]) -> list[str]:
    """Return one line for each of these boards that cannot be used as it is."""
    return [
        f"USB {device.bus:03d}:{device.address:03d}, id {device.vendor:04x}:{device.product_id:04x}: {device.problem}"
        for device in devices
        if device.problem
    ]
