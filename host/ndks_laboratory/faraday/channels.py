# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Search for all channels of a machine, open or closed."""

from pathlib import Path

from ndks.line.transport import is_url
from ndks.printable import printable

from .channel import LaptopChannel
from .computer import Computer, Interface, Mount, told
from .radios import radios
from .usb_devices import serial_devices, usb_devices

_BY_NAME = {
    ("docker", "br-", "veth"): "stop the containers (sudo systemctl stop docker.socket docker) and "
    "sudo ip link delete {0}",
    ("virbr", "vnet"): "stop the virtual machines, and sudo ip link delete {0}",
    ("tun", "tap", "wg", "ppp", "tailscale"): "end the VPN that made {0}",
    ("wl",): "sudo rfkill block all; sudo ip address flush dev {0}",
}
_ANY_INTERFACE = "unplug the cable of {0}; sudo ip link set {0} down; sudo ip address flush dev {0}"
_ANY_INTERFACE_ELSEWHERE = "unplug the cable of {0}, and switch it off in the system's settings"
_NETWORK_FILE_SYSTEMS = {
    *("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs"),
    *("nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "webdav"),
}
_NETWORK_FUSE = {
    f"fuse.{name}" for name in ("sshfs", "rclone", "s3fs", "glusterfs", "ceph", "curlftpfs", "vmhgfs-fuse")
}
_LOCAL_FUSE = {f"fuse.{name}" for name in ("portal", "lxcfs", "ntfs-3g", "gocryptfs", "squashfuse", "fuseiso", "exfat")}
_DESKTOP = "fuse.gvfsd-fuse"  # always mounted, and empty unless the desktop has mounted a remote file system


def find_channels(computer: Computer | None = None, unit: str = "") -> list[LaptopChannel]:
    """Return all channels; `unit` is the port or serial number of the unit, "" for the only one."""
    computer = computer or Computer()
    interfaces, ports, mounts = told(computer.interfaces), told(computer.ports), told(computer.mounts)
    mounted = (_mount_channel(mount) for mount in mounts or ())
    return [
        *(interface_channel(each, computer) for each in interfaces or () if not each.is_loopback),
        *radios(computer),
        *usb_devices(computer),
        *serial_devices(ports or (), unit),
        *(channel for channel in mounted if channel),
        *_unit_channel(unit),
        *_unknown("interface", "switch every network off", interfaces),
        *_unknown("USB serial", "unplug all USB devices but the unit", ports),
        *_unknown("file system", "unmount the file systems of other machines", mounts),
    ]


def interface_channel(interface: Interface, computer: Computer) -> LaptopChannel:
    """Return a network interface as a channel, which is open if it has a carrier or an address."""
    carrier = {True: "carrier", False: "no carrier", None: "carrier unknown"}[interface.carrier]
    state = ", ".join((carrier, *(interface.addresses or ("no address",))))
    is_open = True if interface.addresses else interface.carrier
    advice = "" if is_open is False else _interface_advice(interface.name, computer)
    return LaptopChannel("interface", interface.name, state, is_open, advice)


def _unknown(kind: str, advice: str, answer: object) -> list[LaptopChannel]:
    """Return an unknown channel if the system gave no answer."""
    return [LaptopChannel(kind, "of any kind", "this system does not tell", None, advice)] if answer is None else []


def _interface_advice(name: str, computer: Computer) -> str:
    for prefixes, advice in _BY_NAME.items():
        if name.startswith(prefixes):
            return advice.format(name)
    return (_ANY_INTERFACE if computer.system == "Linux" else _ANY_INTERFACE_ELSEWHERE).format(name)


def _mount_channel(mount: Mount) -> LaptopChannel | None:
    kind, place = mount.kind.lower(), printable(mount.place)
    if kind in _NETWORK_FILE_SYSTEMS | _NETWORK_FUSE:
        is_open, state = True, "mounted"
    elif kind == _DESKTOP:
        is_open = _has_something(mount.place)
        state = {True: "not empty", False: "empty", None: "not readable"}[is_open]
    elif kind == "fuse" or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE):
        is_open, state = None, "may be remote"
    else:
        return None
    return LaptopChannel(
        "file system", place, f"{kind}, {state}", is_open, "" if is_open is False else f"umount {place}"
    )


def _has_something(place: str) -> bool | None:
    try:
        return any(Path(place).iterdir())
    except OSError:  # another user's
        return None


def _unit_channel(unit: str) -> list[LaptopChannel]:
    if not is_url(unit):
        return []
    advice = "plug the unit in and name its serial port, or use an emulated one: --unit emulator:DIR"
    return [LaptopChannel("unit", printable(unit), "reached over a network", True, advice)]
