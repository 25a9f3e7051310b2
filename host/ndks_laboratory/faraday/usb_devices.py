# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""USB devices that are channels: network adapters, telephones, modems, radios, and serial devices except the unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ndks.line.usb import PRODUCT
from ndks.paths import real_path

from .channel import LaptopChannel
from .computer import Computer, SerialPort, read
from .radios import modem

_UNPLUG = "unplug USB device {}"
# Prefixes of class, subclass and protocol of an interface (usb.org, "Defined Class Codes" and "CDC Subclass").
_NETWORK = ("0206", "020a", "020c", "020d", "e00103", "ef04")  # ECM, MDLM, EEM, NCM, RNDIS of both kinds
_MODEM = "020e"  # MBIM
_BLUETOOTH = "e00101"
_RADIO = "e0"
_MODEM_DRIVERS = ("qmi_wwan", "cdc_mbim")


@dataclass(frozen=True)
class _UsbInterface:
    code: str
    driver: str
    is_network: bool
    is_wifi: bool
    is_bluetooth: bool  # and has a driver

    @classmethod
    def at(cls, folder: Path) -> "_UsbInterface":
        code = "".join(read(folder / f"bInterface{name}") for name in ("Class", "SubClass", "Protocol"))
        names = _names(folder / "net")
        wireless = (folder / "net" / name / kind for name in names for kind in ("phy80211", "wireless"))
        is_wifi = (folder / "ieee80211").is_dir() or any(map(Path.is_dir, wireless))
        driver = real_path(folder / "driver").name
        return cls(code.lower(), driver, bool(names), is_wifi, (folder / "bluetooth").is_dir())


def usb_devices(computer: Computer) -> list[LaptopChannel]:
    """Return USB networks and radios, except the radios that `radios` lists."""
    if not computer.has_sysfs:
        state = "this system does not report whether there is one"
        return [LaptopChannel("USB network", "of any kind", state, None, "unplug all USB devices but the unit")]
    folders = [path for path in computer.children("sys/bus/usb/devices") if ":" in path.name]
    devices = groupby(folders, key=lambda path: path.name.partition(":")[0])
    return [channel for name, interfaces in devices for channel in _device(computer, name, list(interfaces))]


def serial_devices(ports: Sequence[SerialPort], unit: str = "") -> list[LaptopChannel]:
    """Return serial USB devices. The unit (named by port or serial number, or the only one) is a closed channel."""
    units = {port.serial_number for port in ports if port.product == PRODUCT}
    own = {port.serial_number for port in ports if port.serial_number and _is_named(port, unit)}
    own = own or (units if len(units) == 1 and not unit else set[str]())
    return [_serial(port, own, unit) for port in ports if port.vendor is not None]


def _device(computer: Computer, name: str, folders: Sequence[Path]) -> Iterator[LaptopChannel]:
    interfaces = _unlisted([_UsbInterface.at(folder) for folder in folders])
    folder = computer.root / "sys/bus/usb/devices" / name
    label = f"{name}, {_product(folder)}"
    advice = _UNPLUG.format(name)
    if any(each.code.startswith(_MODEM) or each.driver in _MODEM_DRIVERS for each in interfaces):
        yield modem(computer, label)
    elif any(each.code.startswith(_NETWORK) or each.is_network for each in interfaces):
        # A built-in adapter cannot be unplugged; it is judged by its network interface.
        if read(folder / "removable") != "fixed":
            yield LaptopChannel("USB network", label, "plugged in", True, advice)
    elif any(each.code.startswith(_BLUETOOTH) for each in interfaces):
        yield LaptopChannel("Bluetooth", label, "it has no driver, and may transmit", None, advice)
    elif any(each.code.startswith(_RADIO) for each in interfaces):
        yield LaptopChannel("USB radio", label, "plugged in", True, advice)


def _unlisted(interfaces: Sequence[_UsbInterface]) -> list[_UsbInterface]:
    """Omit the interfaces of listed radios. A Bluetooth controller has several, of which only one has a driver."""
    is_bluetooth = any(each.is_bluetooth for each in interfaces)
    others = (each for each in interfaces if not each.is_wifi)
    return [each for each in others if not (is_bluetooth and each.code.startswith(_BLUETOOTH))]


def _serial(port: SerialPort, own: set[str], unit: str) -> LaptopChannel:
    if port.serial_number in own or _is_named(port, unit):
        return LaptopChannel("USB serial", port.device, "the unit", False)
    what = "another unit" if port.product == PRODUCT else port.product or "plugged in"
    return LaptopChannel("USB serial", port.device, what, True, _UNPLUG.format(f"at {port.device}"))


def _is_named(port: SerialPort, unit: str) -> bool:
    if not unit:
        return False
    is_number = bool(port.serial_number) and port.serial_number.upper() == unit.upper()
    return is_number or port.device == unit or port.device == str(real_path(Path(unit)))


def _product(folder: Path) -> str:
    return read(folder / "product") or f"{read(folder / 'idVendor')}:{read(folder / 'idProduct')}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
