# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Queries of the system: files, network interfaces, mounted file systems and serial ports."""

import logging
import platform
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import psutil

from ndks.line.ports import listed_ports
from ndks.printable import printable

_log = logging.getLogger(__name__)
_psutil: Any = psutil  # has no types
_Told = TypeVar("_Told")


@dataclass(frozen=True)
class Interface:
    """A network interface; `carrier` is None if the system does not report it."""

    name: str
    carrier: bool | None
    addresses: tuple[str, ...] = ()
    is_loopback: bool = False


@dataclass(frozen=True)
class Mount:
    """A mounted file system."""

    device: str
    place: str
    kind: str
    options: str = ""


@dataclass(frozen=True)
class SerialPort:
    """A serial port; `vendor` is None if it is not on USB."""

    device: str
    vendor: int | None
    product: str
    serial_number: str


def network_interfaces() -> list[Interface]:
    """Return the interfaces of this network namespace.

    /sys/class/net is not used: it shows the namespace in which sysfs was mounted, which differs after `unshare`.
    """
    stats, addresses = _psutil.net_if_stats(), _psutil.net_if_addrs()
    names = {name for _, name in socket.if_nameindex()} | set(stats) | set(addresses)
    return [_interface(name, stats.get(name), addresses.get(name, ())) for name in sorted(names)]


def mounted() -> list[Mount]:
    """Return all mounted file systems, including virtual ones."""
    return [Mount(each.device, each.mountpoint, each.fstype, each.opts) for each in _psutil.disk_partitions(all=True)]


def serial_ports() -> list[SerialPort]:
    """Return the serial ports."""
    return [_serial_port(port) for port in listed_ports()]


@dataclass(frozen=True)
class Computer:
    """The queries of a system; tests replace `root` and the functions."""

    root: Path = Path("/")
    interfaces: Callable[[], Sequence[Interface]] = network_interfaces
    mounts: Callable[[], Sequence[Mount]] = mounted
    ports: Callable[[], Sequence[SerialPort]] = serial_ports
    system: str = platform.system()

    @property
    def has_sysfs(self) -> bool:
        """Whether the system lists radios and USB devices."""
        return self.system == "Linux" and (self.root / "sys/class").is_dir()

    def children(self, path: str) -> list[Path]:
        """Return the paths in a system directory, or none if it is missing."""
        try:
            return sorted((self.root / path).iterdir())
        except OSError:
            return []


def told(ask: Callable[[], Sequence[_Told]]) -> Sequence[_Told] | None:
    """Return the answer of the system, or None if it has none."""
    try:
        return ask()
    except Exception as error:  # psutil and the libraries of the system raise many types
        _log.debug("the system gave no answer: %r", error)
        return None


def read(path: Path) -> str:
    """Return the line in a system file, or "" if it cannot be read."""
    try:
        return printable(path.read_bytes().decode(errors="backslashreplace").strip())
    except OSError:  # some drivers refuse to answer
        return ""


def _interface(name: str, stats: Any, addresses: Sequence[Any]) -> Interface:
    ip = tuple(each.address for each in addresses if each.family in (socket.AF_INET, socket.AF_INET6))
    flags: str = stats.flags if stats else ""
    only_loopback = bool(ip) and all(ip_address(address).is_loopback for address in ip)
    # An interface without stats has just appeared or disappeared. psutil's `isup` means that it has a carrier.
    return Interface(
        printable(name), stats.isup if stats else None, ip, "loopback" in flags.split(",") or only_loopback
    )


def _serial_port(port: Any) -> SerialPort:
    product, serial_number = printable(port.product or ""), printable(port.serial_number or "")
    return SerialPort(printable(port.device), port.vid, product, serial_number)
