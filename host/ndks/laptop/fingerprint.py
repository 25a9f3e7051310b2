# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fingerprint of a laptop: characteristics that depend neither on the user nor on plugged-in devices.

On Linux they come from world-readable files: board, machine, serial (device tree), processor, and a mac for each
built-in network interface. An interface in another network namespace is not seen. sysfs shows the namespace in which it
was mounted: still the outer one after `unshare`, but a new one without interfaces under `ip netns exec` and in
containers. The records of udev are no substitute, because they do not tell which interfaces are built in.

On other systems there is only machine, from py-machineid: the platform's UUID on macOS, the installation's MachineGuid
on Windows. Neither was tested.
"""

import logging
import platform
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import takewhile
from pathlib import Path

from ..exceptions import UsageError
from ..paths import real_path

_log = logging.getLogger(__name__)

Characteristics = tuple[tuple[str, str], ...]  # sorted pairs of name and value; only mac may be repeated

_SYSTEM = Path("/")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_NO_MAC = "00:00:00:00:00:00"
_UDEV_MAC = re.compile(r"E:ID_NET_NAME_MAC=[a-z]{2}x([0-9a-f]{12})")
# Virtual interfaces, paired telephones, USB adapters, peers on a USB cable, peers on a Thunderbolt cable.
_NOT_BUILT_IN = re.compile(r"virtual|bluetooth|usb\d+|gadget.*|domain\d+")
_PERMANENT = "0"  # NET_ADDR_PERM in if_link.h of Linux
_LOCALLY_ADMINISTERED = 0x02  # in the first byte of a MAC address
_ETHERNET = "1"  # ARPHRD_ETHER in if_arp.h
_GATEWAY = 0x2  # RTF_GATEWAY in route.h
_COMPLETE = 0x2  # ATF_COM in if_arp.h


def characteristics(*, with_network: bool = False, root: Path = _SYSTEM) -> Characteristics:
    """Return the characteristics of this laptop; `with_network` adds its router and subnet.

    Missing characteristics are omitted. UsageError if there is no router. Tests pass another `root`.
    """
    if platform.system() != "Linux":
        return _of_another_system(with_network)
    files = _PublicFiles(root)
    pairs = {
        ("board", files.joined("sys/class/dmi/id/board_vendor", "sys/class/dmi/id/board_name")),
        ("machine", _machine(files)),
        ("serial", files.read("sys/firmware/devicetree/base/serial-number")),
        ("processor", _processor(files)),
    }
    pairs |= {("mac", mac) for mac in _built_in_macs(files)}
    if with_network:
        pairs |= _network(files)
    return tuple(sorted(pair for pair in pairs if pair[1]))


def fingerprint(characteristics: Characteristics) -> bytes:
    """Return the sorted lines "name=value". Names contain no "=", and `_clean` has removed all line ends."""
    return b"".join(sorted(f"{name}={value}\n".encode() for name, value in characteristics))


def differences(recorded: Characteristics, present: Characteristics) -> list[str]:
    """Return a short phrase for each change."""
    return [phrase for name in sorted(dict(recorded + present)) for phrase in _changes(name, recorded, present)]


def _changes(name: str, recorded: Characteristics, present: Characteristics) -> list[str]:
    before, now = (Counter(value for other, value in pairs if other == name) for pairs in (recorded, present))
    gone, new = sorted((before - now).elements()), sorted((now - before).elements())
    label = name.replace("_", " ")
    if gone and new and before.total() == now.total() == 1:
        return [f"{label} is now {new[0]}, was {gone[0]}"]
    return [f"{label} {value} is gone" for value in gone] + [f"{label} {value} is new" for value in new]


class _PublicFiles:
    """World-readable files; all others count as missing, so that root sees no more than a user."""

    def __init__(self, root: Path) -> None:
        self.root = real_path(root)

    def raw(self, path: str | Path) -> bytes:
        """Return the content of a file, or b"" if it is missing."""
        real = real_path(self.root / path)
        try:
            return real.read_bytes() if self._is_public(real) else b""
        except OSError:  # some drivers refuse to answer
            return b""

    def read(self, path: str | Path) -> str:
        """Return the content of a file as one printable line."""
        return _clean(self.raw(path))

    def lines(self, path: str | Path) -> list[str]:
        return self.raw(path).decode(errors="backslashreplace").splitlines()

    def joined(self, *paths: str) -> str:
        return " ".join(filter(None, map(self.read, paths)))

    def children(self, path: str) -> list[Path]:
        real = real_path(self.root / path)
        try:
            return sorted(real.iterdir()) if self._is_public(real) else []
        except OSError:
            return []

    def folder(self, path: Path) -> Path | None:
        """Return the target of a link to a directory, or None."""
        real = real_path(path)
        try:
            return real if self._is_public(real) else None
        except OSError:
            return None

    def upwards(self, path: Path) -> Iterator[Path]:
        """Return a path and its parents below the root."""
        return takewhile(lambda parent: parent != self.root, (path, *path.parents))

    def _is_public(self, path: Path) -> bool:
        parents = self.upwards(path.parent)
        return bool(path.stat().st_mode & stat.S_IROTH) and all(each.stat().st_mode & stat.S_IXOTH for each in parents)


def _clean(raw: bytes) -> str:
    """Return one printable line; strings from firmware may contain any bytes."""
    words = raw.decode(errors="backslashreplace").split()
    return " ".join(filter(None, ("".join(filter(str.isprintable, word)) for word in words)))


def _machine(files: _PublicFiles) -> str:
    dmi = files.joined("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name")
    return dmi or files.read("sys/firmware/devicetree/base/model")


def _processor(files: _PublicFiles) -> str:
    """Return the name of the first processor; on ARM its numbers, because only 32-bit programs see a "model name"."""
    first: dict[str, str] = {}
    for line in takewhile(str.strip, files.lines("proc/cpuinfo")):
        name, _, value = line.partition(":")
        first[name.strip().lower()] = _clean(value.encode())
    if "cpu implementer" in first:
        return f"ARM {first['cpu implementer']} {first.get('cpu part', '')}".strip()
    return first.get("model name", "")


def _built_in_macs(files: _PublicFiles) -> set[str]:
    interfaces = files.children("sys/class/net")
    return {_permanent_mac(files, interface) for interface in interfaces if _is_built_in(files, interface)}


def _is_built_in(files: _PublicFiles, interface: Path) -> bool:
    device = files.folder(interface / "device")
    if not device:
        return False  # a bridge, a tunnel or the like
    if any(_NOT_BUILT_IN.fullmatch(parent.name) for parent in files.upwards(device)):
        return False
    # Linux marks Thunderbolt docks as removable since 5.14; before, their interfaces count as built-in.
    return all(files.read(parent / "removable") != "removable" for parent in files.upwards(device))


def _permanent_mac(files: _PublicFiles, interface: Path) -> str:
    """Return the permanent MAC address of an interface, even while it uses another, or "".

    An address set by the user or by a bond hides the permanent one. udev recorded that one when the interface appeared,
    and a bond does so when it takes the interface. An interface without a permanent address gets a random, locally
    administered one at each start; neither records it, and the interface is always omitted. If udev has no record
    (because udev is missing, or was triggered after the address was set), an interface outside a bond is omitted while
    it uses another address.
    """
    radio = _mac(files.read(interface / "phy80211/macaddress"))
    if radio:  # `address` may be random in foreign networks
        return radio
    if files.read(interface / "addr_assign_type") == _PERMANENT:
        return _mac(files.read(interface / "address"))
    for line in files.lines(f"run/udev/data/n{files.read(interface / 'ifindex')}"):
        if record := _UDEV_MAC.fullmatch(line):
            return _mac(":".join(re.findall("..", record[1])))
    bonded = _mac(files.read(interface / "bonding_slave/perm_hwaddr"))
    return "" if bonded and int(bonded[:2], 16) & _LOCALLY_ADMINISTERED else bonded


def _mac(text: str) -> str:
    """Return a MAC address in lower case, or "" if it is invalid."""
    mac = text.lower()
    return mac if _MAC.fullmatch(mac) and mac != _NO_MAC else ""


@dataclass(frozen=True)
class _Route:
    interface: str
    network: IPv4Network
    gateway: IPv4Address | None
    metric: int


def _network(files: _PublicFiles) -> set[tuple[str, str]]:
    """Return router and subnet, even if a VPN has the default route of the lowest metric; opens no socket."""
    routes = list(_routes(files))
    defaults = [r for r in routes if r.network.prefixlen == 0 and r.gateway and not _is_tunnel(files, r.interface)]
    if not defaults:
        raise UsageError("there is no default route", "use the network once, or bind without --with-network")
    default = min(defaults, key=lambda route: route.metric)
    mac = _neighbour(files, default)
    if not mac:
        raise UsageError(
            f"the MAC address of the router {default.gateway} is not known",
            "use the network once, or bind without --with-network",
        )
    connected = [r.network for r in routes if _leads_to_router(r, default)]
    # The widest, because a VPN may add a route to the router alone.
    subnet = str(min(connected, key=lambda network: network.prefixlen)) if connected else ""
    return {("gateway_mac", mac), ("subnet", subnet)}


def _routes(files: _PublicFiles) -> Iterator[_Route]:
    for line in files.lines("proc/net/route")[1:]:
        try:
            interface, destination, gateway, flags, _, _, metric, mask, *_ = line.split()
            network = IPv4Network((_address(destination), str(_address(mask))))
            router = _address(gateway) if int(flags, 16) & _GATEWAY else None
            yield _Route(interface, network, router, int(metric))
        except (ValueError, OverflowError):
            continue  # not an IPv4 route


def _address(word: str) -> IPv4Address:
    """Return an address from /proc/net/route, which prints its four bytes as a number of native byte order."""
    return IPv4Address(int(word, 16).to_bytes(4, sys.byteorder))


def _is_tunnel(files: _PublicFiles, interface: str) -> bool:
    folder = Path("sys/class/net", interface)
    # In another network namespace sysfs may not show the interface: then it does not count as a tunnel.
    return files.read(folder / "type") not in ("", _ETHERNET) or bool(files.read(folder / "tun_flags"))


def _neighbour(files: _PublicFiles, route: _Route) -> str:
    for line in files.lines("proc/net/arp")[1:]:
        match line.split():
            case [address, _, flags, mac, _, interface] if (address, interface) == (
                str(route.gateway),
                route.interface,
            ):
                return _mac(mac) if int(flags, 16) & _COMPLETE else ""
            case _:
                continue
    return ""


def _leads_to_router(route: _Route, default: _Route) -> bool:
    same = route.interface == default.interface and not route.gateway and route.network.prefixlen > 0
    return same and default.gateway in route.network


def _of_another_system(with_network: bool) -> Characteristics:
    if with_network:
        raise UsageError("a binding can include the network on Linux only", "bind without --with-network")
    import machineid

    try:
        machine = _clean(machineid.id().encode())
    except Exception as error:  # its own exceptions, and any raised by the programs and the registry that it reads
        _log.debug("this machine has no id: %r", error)
        machine = ""
    return (("machine", machine),) if machine else ()
