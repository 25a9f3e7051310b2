# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a system says of itself: its files, network interfaces, mounted file systems, serial ports."""

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
    """A network interface; `carrier` is None where the system does not say whether something is at the other end."""

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
    """A serial port; vendor is None for one that is not on USB."""

    device: str
    vendor: int | None
    product: str
    serial_number: str


def network_interfaces() -> list[Interface]:
    """Return the interfaces of this network namespace.

    Not from /sys/class/net: that shows the namespace in which sysfs was mounted, after `unshare` another one.
    """
    stats, addresses = _psutil.net_if_stats(), _psutil.net_if_addrs()
    names = {name for _, name in socket.if_nameindex()} | set(stats) | set(addresses)
    return [_interface(name, stats.get(name), addresses.get(name, ())) for name in sorted(names)]


def mounted() -> list[Mount]:
    """Return all mounted file systems, virtual ones too."""
    return [Mount(each.device, each.mountpoint, each.fstype, each.opts) for each in _psutil.disk_partitions(all=True)]


def serial_ports() -> list[SerialPort]:
    """Return the serial ports."""
    return [_serial_port(port) for port in listed_ports()]


@dataclass(frozen=True)
class Computer:
    """All of it; tests have another `root`, and other answers."""

    root: Path = Path("/")
    interfaces: Callable[[], Sequence[Interface]] = network_interfaces
    mounts: Callable[[], Sequence[Mount]] = mounted
    ports: Callable[[], Sequence[SerialPort]] = serial_ports
    system: str = platform.system()

    @property
    def has_sysfs(self) -> bool:
        """Whether it tells of radios and USB devices."""
        return self.system == "Linux" and (self.root / "sys/class").is_dir()

    def children(self, path: str) -> list[Path]:
        """Return what lies in a directory of the system, nothing if there is none."""
        try:
            return sorted((self.root / path).iterdir())
        except OSError:
            return []


def told(ask: Callable[[], Sequence[_Told]]) -> Sequence[_Told] | None:
    """Return what a system says when it is asked; None where it does not."""
    try:
        return ask()
    except Exception as error:  # psutil has its own, and lets through what the system's libraries raise
        _log.debug("this system does not tell: %r", error)
        return None


def read(path: Path) -> str:
    """Return the line in a file of the system, "" if there is none."""
    try:
        return printable(path.read_bytes().decode(errors="backslashreplace").strip())
    except OSError:  # also of files whose driver has no answer
        return ""


def _interface(name: str, stats: Any, addresses: Sequence[Any]) -> Interface:
    ip = tuple(each.address for each in addresses if each.family in (socket.AF_INET, socket.AF_INET6))
    flags: str = stats.flags if stats else ""
    only_loopback = bool(ip) and all(ip_address(address).is_loopback for address in ip)
    # Of an interface without stats nothing is known: it has just come, or just gone. psutil's isup means running.
    return Interface(
        printable(name), stats.isup if stats else None, ip, "loopback" in flags.split(",") or only_loopback
    )


def _serial_port(port: Any) -> SerialPort:
    product, serial_number = printable(port.product or ""), printable(port.serial_number or "")
    return SerialPort(printable(port.device), port.vid, product, serial_number)
