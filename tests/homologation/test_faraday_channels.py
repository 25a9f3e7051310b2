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
from homologation.faraday_channels import only, rfkill, states
from homologation.faraday_laptops import machine, make_tree
from host.conftest import Call
from host.running import command_line, environment

from host import conftest as host_fixtures
from ndks_laboratory import faraday
from ndks_laboratory.faraday import ChannelOpen, Computer, LaptopChannel, find_channels, open_channels, refuse_open
from ndks_laboratory.faraday.computer import Interface, Mount, network_interfaces
from ndks_laboratory.stages.cage import find_cage

call = host_fixtures.call
no_unit_of_the_user = host_fixtures.no_unit_of_the_user


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
