# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a laptop is known by: names and values that are the same whoever looks, and whatever is plugged in.

On Linux they come from files that everybody may read: board, machine, serial (device tree), processor, and one mac
for each built-in network interface. An interface that was moved into another network namespace is not seen. sysfs
shows the namespace in which it was mounted: after `unshare` that is still the outer one; `ip netns exec` and containers
mount it anew and see no mac. udev's records could not stand in for it: they do not say which interfaces are built in.

On other systems there is one, machine, from py-machineid: the platform's UUID on macOS, the installation's MachineGuid
on Windows. That was not tested on either.
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

Characteristics = tuple[tuple[str, str], ...]  # sorted pairs of name and value; mac may be there several times

_SYSTEM = Path("/")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_NO_MAC = "00:00:00:00:00:00"
_UDEV_MAC = re.compile(r"E:ID_NET_NAME_MAC=[a-z]{2}x([0-9a-f]{12})")
# Simulated, of a paired telephone, on USB, the other end of a USB cable, the other end of a Thunderbolt cable.
_NOT_BUILT_IN = re.compile(r"virtual|bluetooth|usb\d+|gadget.*|domain\d+")
_PERMANENT = "0"  # NET_ADDR_PERM in if_link.h of Linux
_LOCALLY_ADMINISTERED = 0x02  # in the first byte of a MAC address
_ETHERNET = "1"  # ARPHRD_ETHER in if_arp.h
_GATEWAY = 0x2  # RTF_GATEWAY in route.h
_COMPLETE = 0x2  # ATF_COM in if_arp.h


def characteristics(*, with_network: bool = False, root: Path = _SYSTEM) -> Characteristics:
    """Return what this laptop is known by, on request with the router and subnet that it uses; what is missing is left
    out. UsageError without a router. Tests have another `root`."""
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
    """Return the sorted lines "name=value". Names have no "=", and neither has a line end: `_clean` takes them away."""
    return b"".join(sorted(f"{name}={value}\n".encode() for name, value in characteristics))


def differences(recorded: Characteristics, present: Characteristics) -> list[str]:
    """Say what changed, a short phrase for each; an empty list when nothing did."""
    return [phrase for name in sorted(dict(recorded + present)) for phrase in _changes(name, recorded, present)]


def _changes(name: str, recorded: Characteristics, present: Characteristics) -> list[str]:
    before, now = (Counter(value for other, value in pairs if other == name) for pairs in (recorded, present))
    gone, new = sorted((before - now).elements()), sorted((now - before).elements())
    label = name.replace("_", " ")
    if gone and new and before.total() == now.total() == 1:
        return [f"{label} is now {new[0]}, was {gone[0]}"]
    return [f"{label} {value} is gone" for value in gone] + [f"{label} {value} is new" for value in new]


class _PublicFiles:
    """Files that everybody may read; any other is as if it were not there, so that root sees no more than a user."""

    def __init__(self, root: Path) -> None:
        self.root = real_path(root)

    def raw(self, path: str | Path) -> bytes:
        """Return what is in a file, nothing if there is none."""
        real = real_path(self.root / path)
        try:
            return real.read_bytes() if self._is_public(real) else b""
        except OSError:  # also of files whose driver has no answer
            return b""

    def read(self, path: str | Path) -> str:
        """Return what is in a file as one clean line."""
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
        """Return where a link to a folder leads."""
        real = real_path(path)
        try:
            return real if self._is_public(real) else None
        except OSError:
            return None

    def upwards(self, path: Path) -> Iterator[Path]:
        """Return this path and its parents below the root."""
        return takewhile(lambda parent: parent != self.root, (path, *path.parents))

    def _is_public(self, path: Path) -> bool:
        parents = self.upwards(path.parent)
        return bool(path.stat().st_mode & stat.S_IROTH) and all(each.stat().st_mode & stat.S_IXOTH for each in parents)


def _clean(raw: bytes) -> str:
    """Return one line of text that prints; firmware puts any bytes into its strings."""
    words = raw.decode(errors="backslashreplace").split()
    return " ".join(filter(None, ("".join(filter(str.isprintable, word)) for word in words)))


def _machine(files: _PublicFiles) -> str:
    dmi = files.joined("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name")
    return dmi or files.read("sys/firmware/devicetree/base/model")


def _processor(files: _PublicFiles) -> str:
    """Return the first processor's name; ARM's has numbers, and a "model name" only in the eyes of 32-bit programs."""
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
        return False  # bridges, tunnels and the like
    if any(_NOT_BUILT_IN.fullmatch(parent.name) for parent in files.upwards(device)):
        return False
    # Thunderbolt docks: Linux says so from 5.14 on; older versions take a dock's interfaces for built-in ones.
    return all(files.read(parent / "removable") != "removable" for parent in files.upwards(device))


def _permanent_mac(files: _PublicFiles, interface: Path) -> str:
    """Return the address an interface was made with, whatever it uses at present, or nothing.

    An address that was set, or that a bond gave, hides the permanent one. udev noted that when the interface appeared,
    or the bond when it took the interface. An interface without a permanent address has a random, locally administered
    one at every start: neither notes it then, and it is left out always. Where udev notes nothing (there is none, or it
    was triggered anew since the address was set), one that is in no bond is left out as long as another address is set.
    """
    radio = _mac(files.read(interface / "phy80211/macaddress"))
    if radio:  # `address` is random in foreign networks
        return radio
    if files.read(interface / "addr_assign_type") == _PERMANENT:
        return _mac(files.read(interface / "address"))
    for line in files.lines(f"run/udev/data/n{files.read(interface / 'ifindex')}"):
        if noted := _UDEV_MAC.fullmatch(line):
            return _mac(":".join(re.findall("..", noted[1])))
    bonded = _mac(files.read(interface / "bonding_slave/perm_hwaddr"))
    return "" if bonded and int(bonded[:2], 16) & _LOCALLY_ADMINISTERED else bonded


def _mac(text: str) -> str:
    """Return an address in lower case, nothing for what is none."""
    mac = text.lower()
    return mac if _MAC.fullmatch(mac) and mac != _NO_MAC else ""


@dataclass(frozen=True)
class _Route:
    interface: str
    network: IPv4Network
    gateway: IPv4Address | None
    metric: int


def _network(files: _PublicFiles) -> set[tuple[str, str]]:
    """Return router and subnet, also when a VPN has the default route of a lower metric; without a socket."""
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
    # The widest: for a VPN's sake there may be one to the router alone.
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
            continue  # no route that this knows how to read


def _address(word: str) -> IPv4Address:
    """Return an address as it is in /proc/net/route: the number that its bytes in memory make."""
    return IPv4Address(int(word, 16).to_bytes(4, sys.byteorder))


def _is_tunnel(files: _PublicFiles, interface: str) -> bool:
    folder = Path("sys/class/net", interface)
    # In another network namespace sysfs may not show the interface: then it counts as none.
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
        raise UsageError("the network can be a part of the binding on Linux only", "bind without --with-network")
    import machineid

    try:
        machine = _clean(machineid.id().encode())
    except Exception as error:  # besides its own, whatever the programs and registry raise that it asks
        _log.debug("this machine has no id: %r", error)
        machine = ""
    return (("machine", machine),) if machine else ()
