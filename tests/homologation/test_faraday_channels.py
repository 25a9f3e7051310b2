# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Every kind of channel, open and closed, on simulated file systems and on this machine."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from homologation.faraday_laptops import machine, make_tree
from host.conftest import Call
from host.running import command_line, environment

from host import conftest as host_fixtures
from ndks_laboratory import faraday
from ndks_laboratory.faraday import ChannelOpen, Computer, LaptopChannel, find_channels, open_channels, refuse_open
from ndks_laboratory.faraday.computer import Interface, Mount, SerialPort, network_interfaces
from ndks_laboratory.stages.cage import find_cage

call = host_fixtures.call
no_unit_of_the_user = host_fixtures.no_unit_of_the_user

UNIT = SerialPort("/dev/ttyACM0", 0x239A, "NDKS unit", "5385F270FB3B58EB")
CONSOLE = SerialPort("/dev/ttyACM1", 0x239A, "NDKS unit", "5385F270FB3B58EB")
OTHER_UNIT = SerialPort("/dev/ttyACM2", 0x239A, "NDKS unit", "A56F7AB76EE88114")
ADAPTER = SerialPort("/dev/ttyUSB0", 0x0403, "FT232R USB UART", "A1")
BUILT_IN = SerialPort("/dev/ttyS0", None, "", "")


def only(channels: list[LaptopChannel]) -> LaptopChannel:
    (channel,) = channels
    return channel


def states(channels: list[LaptopChannel]) -> list[tuple[str, str, bool | None]]:
    return [(channel.kind, channel.name, channel.is_open) for channel in channels]


def test_a_machine_without_anything_has_no_channel(tmp_path: Path) -> None:
    assert find_channels(machine(tmp_path)) == []


@pytest.mark.parametrize(
    ("interface", "is_open"),
    [
        (Interface("eth0", carrier=True), True),
        (Interface("eth0", carrier=True, addresses=("192.0.2.2",)), True),
        (Interface("eth0", carrier=False, addresses=("192.0.2.2",)), True),
        (Interface("docker0", carrier=False, addresses=("172.17.0.1",)), True),
        (Interface("eth0", carrier=False), False),
        (Interface("eth0", carrier=None), None),
        (Interface("eth0", carrier=None, addresses=("192.0.2.2",)), True),
    ],
)
def test_interfaces(interface: Interface, is_open: bool | None, tmp_path: Path) -> None:
    channel = only(find_channels(machine(tmp_path, interfaces=lambda: [interface])))
    assert (channel.kind, channel.name, channel.is_open) == ("interface", interface.name, is_open)
    assert all(address in channel.state for address in interface.addresses)
    assert (interface.name in channel.advice) == (is_open is not False)


def test_loopback_is_no_channel(tmp_path: Path) -> None:
    loopback = Interface("lo", carrier=True, addresses=("127.0.0.1", "::1"), is_loopback=True)
    assert find_channels(machine(tmp_path, interfaces=lambda: [loopback])) == []


@pytest.mark.parametrize(
    ("name", "helps"),
    [
        ("docker0", "systemctl stop docker"),
        ("br-2f1c", "ip link delete br-2f1c"),
        ("wlan0", "rfkill block all"),
        ("wg0", "VPN"),
        ("virbr0", "virtual machines"),
        ("enp3s0", "ip link set enp3s0 down"),
    ],
)
def test_what_closes_an_interface(name: str, helps: str, tmp_path: Path) -> None:
    interface = Interface(name, carrier=True)
    assert helps in only(find_channels(machine(tmp_path, interfaces=lambda: [interface]))).advice


def rfkill(kind: str, name: str, soft: str, hard: str, number: int = 0) -> dict[str, str]:
    values = {"type": kind, "name": name, "soft": soft, "hard": hard}
    return {f"sys/class/rfkill/rfkill{number}/{key}": value for key, value in values.items()}


@pytest.mark.parametrize(
    ("files", "kind", "is_open"),
    [
        (rfkill("wlan", "phy0", "0", "0"), "Wi-Fi", True),
        (rfkill("wlan", "phy0", "1", "0"), "Wi-Fi", False),
        (rfkill("wlan", "phy0", "0", "1"), "Wi-Fi", False),
        (rfkill("wlan", "phy0", "1", "1"), "Wi-Fi", False),
        (rfkill("wlan", "phy0", "", ""), "Wi-Fi", None),
        (rfkill("bluetooth", "hci0", "0", "0"), "Bluetooth", True),
        (rfkill("bluetooth", "hci0", "1", "0"), "Bluetooth", False),
        (rfkill("wwan", "modem", "0", "0"), "cellular", True),
        (rfkill("nfc", "nfc0", "0", "0"), "nfc", True),
        ({"sys/class/ieee80211/phy0/": ""}, "Wi-Fi", None),
        ({"sys/class/net/wlan0/wireless/": ""}, "Wi-Fi", None),
        ({"sys/class/net/wlan0/phy80211/name": "phy0"}, "Wi-Fi", None),
        ({"sys/class/bluetooth/hci0/": "", "sys/class/bluetooth/hci0:256/": ""}, "Bluetooth", None),
        ({"sys/class/wwan/wwan0/": "", "sys/class/wwan/wwan0at0/": ""}, "cellular", None),
    ],
)
def test_radios(files: Mapping[str, str], kind: str, is_open: bool | None, tmp_path: Path) -> None:
    channel = only(find_channels(machine(tmp_path, files)))
    assert (channel.kind, channel.is_open) == (kind, is_open)
    assert bool(channel.advice) == (is_open is not False)


def test_a_controller_and_its_switch_are_one(tmp_path: Path) -> None:
    files = {
        **rfkill("wlan", "phy0", "1", "0"),
        **rfkill("bluetooth", "hci0", "1", "0", 1),
        "sys/class/ieee80211/phy0/": "",
        "sys/class/net/wlan0/phy80211/name": "phy0",
        "sys/class/bluetooth/hci0/": "",
    }
    assert states(find_channels(machine(tmp_path, files))) == [("Wi-Fi", "phy0", False), ("Bluetooth", "hci0", False)]


def test_a_controller_that_was_renamed_is_known_by_its_link(tmp_path: Path) -> None:
    make_tree(tmp_path, {"sys/class/ieee80211/radio/": "", **rfkill("wlan", "phy0", "1", "0")})
    (tmp_path / "sys/class/rfkill/rfkill0/device").symlink_to(tmp_path / "sys/class/ieee80211/radio")
    assert states(find_channels(machine(tmp_path))) == [("Wi-Fi", "phy0", False)]


def test_a_modem_is_closed_by_switches_of_modems(tmp_path: Path) -> None:
    files = {"sys/class/wwan/wwan0/": "", **rfkill("wwan", "acer-threeg", "1", "0")}
    assert open_channels(find_channels(machine(tmp_path, files))) == []
    files |= rfkill("wwan", "another", "0", "0", 1)
    found = open_channels(find_channels(machine(tmp_path, files)))
    assert [channel.name for channel in found] == ["another", "wwan0"]


def usb(code: str, name: str = "1-2:1.0", **more: str) -> dict[str, str]:
    """Return an interface of a USB device: class, subclass and protocol, two hexadecimal digits each."""
    folder = f"sys/bus/usb/devices/{name}"
    files = {f"{folder}/bInterface{part}": code[2 * i : 2 * i + 2] for i, part in enumerate(("Class", "SubClass"))}
    files[f"{folder}/bInterfaceProtocol"] = code[4:]
    return files | {f"{folder}/{path}": text for path, text in more.items()}


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


def test_the_desktops_mount_is_open_when_it_holds_something(tmp_path: Path) -> None:
    place = tmp_path / "gvfs"
    here = machine(tmp_path / "system", mounts=lambda: [Mount("gvfsd-fuse", str(place), "fuse.gvfsd-fuse")])
    assert only(find_channels(here)).is_open is None  # a channel of another user is not visible either
    place.mkdir()
    assert only(find_channels(here)).is_open is False
    (place / "smb-share:server=lab").mkdir()
    assert only(find_channels(here)).is_open is True


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_what_a_system_cannot_tell_counts_as_open(system: str, tmp_path: Path) -> None:
    here = machine(tmp_path, interfaces=lambda: [Interface("en0", carrier=False)], system=system)
    assert [channel.kind for channel in open_channels(find_channels(here))] == ["radio", "USB network"]


def test_a_linux_without_sysfs_counts_as_open(tmp_path: Path) -> None:
    known = {"interfaces": list, "mounts": list, "ports": list}
    assert {channel.is_open for channel in find_channels(Computer(tmp_path, **known, system="Linux"))} == {None}


def test_names_do_not_upset_a_terminal(tmp_path: Path) -> None:
    evil = Mount("x", "/mnt/\x1b[2J\udcff", "nfs")
    channel = only(find_channels(machine(tmp_path, mounts=lambda: [evil])))
    assert channel.name.isprintable()
    json.dumps(channel.name).encode()


def test_refusing_names_each_and_what_helps() -> None:
    ethernet = LaptopChannel("interface", "eth0", "carrier", True, "pull the cable")
    closed = LaptopChannel("Wi-Fi", "phy0", "blocked (soft)", False)
    unknown = LaptopChannel("Bluetooth", "hci0", "no switch", None, "switch it off")
    refuse_open([closed], accept_risk=False)
    refuse_open([ethernet], accept_risk=True)
    with pytest.raises(ChannelOpen, match=r"2 channels are open: interface eth0.*Bluetooth hci0") as caught:
        refuse_open([ethernet, closed, unknown], accept_risk=False)
    assert (caught.value.code, caught.value.exit_status) == ("CHANNEL", 1)
    assert caught.value.advice.startswith("pull the cable; switch it off; ")


def test_the_interfaces_of_this_machine() -> None:
    before = socket.if_nameindex()
    found = {interface.name: interface for interface in network_interfaces()}
    lasting = set(before) & set(socket.if_nameindex())  # other tests make interfaces and remove them
    assert set(found) >= {name for _, name in lasting}
    assert all(interface.is_loopback for name, interface in found.items() if name == "lo")


def test_the_command_on_this_machine(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_channels()
    monkeypatch.setattr(faraday, "find_channels", lambda **_: found)  # other tests make interfaces and remove them
    finished = call("faraday", "channels", "--json")
    values = json.loads(finished.text)
    is_open = any(channel["is_open"] is not False for channel in values["channels"])
    assert (finished.status, values["open"]) == (int(is_open), is_open)
    words = call("faraday", "channels").text.splitlines()
    assert words[-1] == ("a channel is open" if is_open else "no channel is open")
    assert len([line for line in words[:-1] if line.strip() and not line.startswith(" ")]) == len(values["channels"])


@pytest.mark.kernel
def test_in_a_cage_no_interface_is_open() -> None:
    """sysfs may still show the interfaces outside."""
    command = [*find_cage(), *command_line("faraday", "channels", "--json")]
    finished = subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)
    found = json.loads(finished.stdout)["channels"]
    assert [each for each in found if each["kind"] == "interface" and each["is_open"] is not False] == []
    assert finished.returncode == int(any(each["is_open"] is not False for each in found))


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes interfaces")
def test_in_a_cage_with_an_interface_it_is_open() -> None:
    make = "ip link add hole type veth peer name other && ip link set hole up && ip link set other up"
    here = " ".join([sys.executable, "-m", "ndks", "faraday", "channels", "--json"])
    command = [*find_cage(), "sh", "-c", f"({make}) >&2 && exec {here}"]
    finished = subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)
    if not finished.stdout:
        pytest.skip(f"no interface can be made here: {finished.stderr.decode()}")
    found = json.loads(finished.stdout)["channels"]
    assert {each["name"] for each in found if each["is_open"]} >= {"hole", "other"}
    assert finished.returncode == 1
