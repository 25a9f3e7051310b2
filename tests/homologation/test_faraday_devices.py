# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Channels at USB, serial devices and drives."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from homologation.faraday_channels import only, rfkill, states, usb
from homologation.faraday_laptops import machine, make_tree

from host import conftest as host_fixtures
from ndks_laboratory.faraday import find_channels, open_channels
from ndks_laboratory.faraday.computer import Mount, SerialPort

no_unit_of_the_user = host_fixtures.no_unit_of_the_user


UNIT = SerialPort("/dev/ttyACM0", 0x239A, "NDKS unit", "5385F270FB3B58EB")
CONSOLE = SerialPort("/dev/ttyACM1", 0x239A, "NDKS unit", "5385F270FB3B58EB")
OTHER_UNIT = SerialPort("/dev/ttyACM2", 0x239A, "NDKS unit", "A56F7AB76EE88114")
ADAPTER = SerialPort("/dev/ttyUSB0", 0x0403, "FT232R USB UART", "A1")
BUILT_IN = SerialPort("/dev/ttyS0", None, "", "")


@pytest.mark.parametrize(
    ("files", "kind", "is_open"),
    [
        (usb("020600"), "USB network", True),  # ECM
        (usb("020d00"), "USB network", True),  # NCM
        (usb("e00103"), "USB network", True),  # RNDIS: telephones
        (usb("ef0401"), "USB network", True),  # RNDIS
        (usb("ffff00", **{"net/eth1/": ""}), "USB network", True),  # vendor-specific class
        (usb("020e00"), "cellular", None),  # MBIM
        (usb("020e00") | rfkill("wwan", "modem", "1", "0"), "cellular", False),
        (usb("e00101"), "Bluetooth", None),
        (usb("e00102"), "USB radio", True),
    ],
)
def test_usb_devices(files: Mapping[str, str], kind: str, is_open: bool | None, tmp_path: Path) -> None:
    product = {"sys/bus/usb/devices/1-2/product": "Thing"}
    found = [each for each in find_channels(machine(tmp_path, {**files, **product})) if each.name == "1-2, Thing"]
    assert states(found) == [(kind, "1-2, Thing", is_open)]


@pytest.mark.parametrize(
    "files",
    [
        usb("080650"),  # a disk
        usb("030101"),  # a keyboard
        usb("020201"),  # a serial device, as pyserial uses
        usb("ffff00", **{"net/eth1/": "", "../1-2/removable": "fixed"}),  # built in, as the interface says
    ],
)
def test_usb_devices_that_are_no_channel(files: Mapping[str, str], tmp_path: Path) -> None:
    make_tree(tmp_path, {"sys/bus/usb/devices/1-2/product": "Thing"})
    assert find_channels(machine(tmp_path, files)) == []


def test_usb_radios_are_listed_once(tmp_path: Path) -> None:
    files = {
        **usb("ffffff", "1-1:1.0", **{"net/wlan0/phy80211/": "", "ieee80211/phy0/": ""}),
        **usb("e00101", "1-2:1.0", **{"bluetooth/hci0/": ""}),
        **usb("e00101", "1-2:1.1"),  # the second interface, for audio
        **rfkill("wlan", "phy0", "1", "0"),
        **rfkill("bluetooth", "hci0", "1", "0", 1),
    }
    assert states(find_channels(machine(tmp_path, files))) == [("Wi-Fi", "phy0", False), ("Bluetooth", "hci0", False)]


def test_a_device_of_two_kinds_is_seen(tmp_path: Path) -> None:
    """A telephone has Wi-Fi and network interfaces."""
    files = {**usb("ffffff", "1-1:1.0", **{"ieee80211/phy0/": ""}), **usb("e00103", "1-1:1.2")}
    files |= rfkill("wlan", "phy0", "1", "0")
    assert [channel.kind for channel in open_channels(find_channels(machine(tmp_path, files)))] == ["USB network"]


@pytest.mark.parametrize(
    ("ports", "unit", "found"),
    [
        ([UNIT], "", [False]),
        ([UNIT], "/dev/ttyACM0", [False]),
        ([UNIT], "5385f270fb3b58eb", [False]),
        ([UNIT, CONSOLE], "", [False, False]),
        ([UNIT, CONSOLE], "/dev/ttyACM1", [False, False]),
        ([UNIT, OTHER_UNIT], "/dev/ttyACM0", [False, True]),
        ([UNIT, OTHER_UNIT], "A56F7AB76EE88114", [True, False]),
        ([UNIT, OTHER_UNIT], "", [True, True]),
        ([UNIT, ADAPTER], "", [False, True]),
        ([UNIT], "emulator:alice", [True]),
        ([ADAPTER], "", [True]),
        ([ADAPTER], "/dev/ttyUSB0", [False]),
        ([BUILT_IN], "", []),
    ],
)
def test_serial_devices(ports: list[SerialPort], unit: str, found: list[bool], tmp_path: Path) -> None:
    channels = find_channels(machine(tmp_path, ports=lambda: ports), unit)
    assert [channel.is_open for channel in channels] == found


def test_a_unit_that_is_named_by_a_link_is_the_unit(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/ttyACM2")
    channels = find_channels(machine(tmp_path, ports=lambda: [UNIT, OTHER_UNIT]), str(link))
    assert [channel.is_open for channel in channels] == [True, False]


@pytest.mark.parametrize("unit", ["socket://127.0.0.1:7000", "rfc2217://lab:2217"])
def test_a_unit_behind_a_network_is_a_channel_itself(unit: str, tmp_path: Path) -> None:
    channel = only(find_channels(machine(tmp_path), unit))
    assert (channel.kind, channel.name, channel.is_open) == ("unit", unit, True)
    assert "emulator:DIR" in channel.advice


def test_a_directory_with_the_name_of_a_url_is_not_a_network(tmp_path: Path) -> None:
    assert find_channels(machine(tmp_path), "emulator:socket://127.0.0.1:7000") == find_channels(machine(tmp_path))


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        *((kind, [True]) for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs", "ceph")),
        *((kind, [None]) for kind in ("fuse", "fuse.something-new")),
        *((kind, []) for kind in ("ext4", "btrfs", "tmpfs", "fuseblk", "fuse.portal", "proc", "cgroup2")),
    ],
)
def test_file_systems(kind: str, found: list[bool | None], tmp_path: Path) -> None:
    mount = Mount("there:/share", "/mnt/share", kind)
    channels = find_channels(machine(tmp_path, mounts=lambda: [mount]))
    assert [channel.is_open for channel in channels] == found
    assert all(channel.advice == "umount /mnt/share" for channel in channels)
