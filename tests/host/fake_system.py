# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The files in which Linux shows a machine: a tree that tests fill, and that of a laptop."""

import platform
from pathlib import Path

import pytest

from ndks.laptop.fingerprint import Characteristics, characteristics

BRIDGE, ONBOARD, DOCK = "pci0000:00/0000:00:1c.0", "pci0000:00/0000:00:1f.6", "pci0000:00/0000:00:1d.0"
ETHERNET, RADIO, OTHER = "3c:52:82:00:00:01", "a4:34:d9:00:00:02", "02:00:00:00:00:99"
ROUTER = "c0:ff:ee:00:00:01"


class FakeSystem:
    """A tree of files and links in the layout of Linux."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: str | bytes, mode: int = 0o444) -> None:
        file = self.folder(path) / Path(path).name
        file.unlink(missing_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        file.chmod(mode)

    def folder(self, path: str) -> Path:
        """Make the parent folder of a file, accessible to everyone, for any umask."""
        for parent in list(Path(path).parents)[-2::-1]:
            (self.root / parent).mkdir(0o755, exist_ok=True)
            (self.root / parent).chmod(0o755)
        return (self.root / path).parent

    def interface(self, name: str, device: str | None, address: str = OTHER, **more: str) -> None:
        """Add an interface of a device, or a virtual one. Double underscores stand for slashes."""
        home = f"sys/devices/{device or 'virtual'}/net/{name}"
        for file, content in {"address": address, "addr_assign_type": "0", "type": "1", **more}.items():
            self.write(f"{home}/{file.replace('__', '/')}", content + "\n")
        (self.folder(f"sys/class/net/{name}") / name).symlink_to(f"../../../{home}")
        if device:
            (self.root / home / "device").symlink_to("../..")

    def remove(self, name: str) -> None:
        (self.root / "sys/class/net" / name).unlink()

    def network(self, routes: list[str], neighbours: list[str]) -> None:
        head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        self.write("proc/net/route", head + "".join(line + "\n" for line in routes))
        head = "IP address       HW type     Flags       HW address            Mask     Device\n"
        self.write("proc/net/arp", head + "".join(line + "\n" for line in neighbours))

    def known(self, *, with_network: bool = False) -> Characteristics:
        return characteristics(with_network=with_network, root=self.root)

    def values(self, name: str) -> list[str]:
        return [value for other, value in self.known() if other == name]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    return FakeSystem(tmp_path)


@pytest.fixture
def laptop(bare: FakeSystem) -> FakeSystem:
    names = {"board_vendor": "LENOVO", "board_name": "20L5", "sys_vendor": "LENOVO", "product_name": "ThinkPad T480"}
    for name, value in names.items():
        bare.write(f"sys/class/dmi/id/{name}", value + "\n")
    bare.write(
        "proc/cpuinfo", "processor\t: 0\nmodel name\t: Intel(R) Core(TM) i5\n\nprocessor\t: 1\nmodel name\t: B\n"
    )
    bare.interface("enp0s31f6", ONBOARD, ETHERNET.upper(), ifindex="2")
    bare.interface("wlp3s0", f"{BRIDGE}/0000:03:00.0", RADIO, phy80211__macaddress=RADIO, ifindex="3")
    bare.write(f"sys/devices/{ONBOARD}/removable", "fixed\n")
    return bare


ALONE = (
    ("board", "LENOVO 20L5"),
    ("mac", ETHERNET),
    ("mac", RADIO),
    ("machine", "LENOVO ThinkPad T480"),
    ("processor", "Intel(R) Core(TM) i5"),
)
