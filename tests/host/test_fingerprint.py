# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The characteristics of a laptop: stable with any device plugged in, and unique."""

import platform
import sys

import machineid
import pytest
from host.fake_system import ALONE, BRIDGE, DOCK, ETHERNET, ONBOARD, OTHER, RADIO, ROUTER, FakeSystem, bare, laptop
from hypothesis import given
from hypothesis import strategies as st

from ndks.exceptions import UsageError
from ndks.laptop.fingerprint import Characteristics, characteristics, differences, fingerprint

__all__ = ("bare", "laptop")


def test_laptop(laptop: FakeSystem) -> None:
    assert laptop.known() == ALONE
    assert fingerprint(ALONE) == (
        b"board=LENOVO 20L5\nmac=3c:52:82:00:00:01\nmac=a4:34:d9:00:00:02\n"
        b"machine=LENOVO ThinkPad T480\nprocessor=Intel(R) Core(TM) i5\n"
    )


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("lo", None),
        ("docker0", None),
        ("veth12", None),
        ("bond0", None),
        ("tun0", None),
        ("enx020000000099", "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0"),
        ("wlx020000000099", "platform/soc/3f980000.usb/usb2/2-1"),
        ("usb0", "platform/soc/20980000.usb/gadget.0"),
        ("bnep0", "pci0000:00/serial0/bluetooth/hci0/hci0:256"),
        ("thunderbolt0", f"{BRIDGE}/domain0/0-0/0-1/0-1.0"),
        ("wlan9", "virtual/mac80211_hwsim/hwsim0"),
    ],
)
def test_what_is_not_built_in_makes_no_difference(laptop: FakeSystem, name: str, device: str | None) -> None:
    laptop.interface(name, device)
    assert laptop.known() == ALONE


@pytest.mark.parametrize("marked", [f"{DOCK}/0000:05:00.0", f"{DOCK}/0000:05:00.0/0000:06:01.0"])
def test_thunderbolt_dock(laptop: FakeSystem, marked: str) -> None:
    """Linux marks devices behind an external port: the dock's bridges and its interface."""
    laptop.write(f"sys/devices/{marked}/removable", "removable\n")
    laptop.interface("enp6s0", f"{DOCK}/0000:05:00.0/0000:06:01.0")
    assert laptop.known() == ALONE


@pytest.mark.parametrize("mark", ["fixed", "unknown"])
def test_interface_of_the_mainboard_is_not_removable(laptop: FakeSystem, mark: str) -> None:
    laptop.write(f"sys/devices/{DOCK}/0000:05:00.0/removable", f"{mark}\n")
    laptop.interface("enp5s0", f"{DOCK}/0000:05:00.0")
    assert laptop.values("mac") == sorted([OTHER, ETHERNET, RADIO])


@pytest.mark.parametrize("kind", ["1", "3"])
def test_random_address_of_wifi(laptop: FakeSystem, kind: str) -> None:
    laptop.remove("wlp3s0")
    laptop.interface("wlan0", f"{BRIDGE}/w", OTHER, addr_assign_type=kind, phy80211__macaddress=RADIO)
    assert laptop.known() == ALONE


def test_several_interfaces_of_one_radio(laptop: FakeSystem) -> None:
    laptop.interface("ap0", f"{BRIDGE}/0000:03:00.0", OTHER, addr_assign_type="3", phy80211__macaddress=RADIO)
    assert laptop.known() == ALONE


def test_radio_that_does_not_tell_its_permanent_address(laptop: FakeSystem) -> None:
    laptop.interface("wlan9", "platform/w", OTHER, phy80211__macaddress="00:00:00:00:00:00")
    assert OTHER in laptop.values("mac")


def other_address(laptop: FakeSystem, kind: str = "3", **more: str) -> None:
    laptop.remove("enp0s31f6")
    laptop.interface("eth0", f"{ONBOARD}/again", OTHER, addr_assign_type=kind, ifindex="2", **more)


def test_address_that_was_set_hides_the_permanent_one_but_from_udev(laptop: FakeSystem) -> None:
    other_address(laptop)
    laptop.write("run/udev/data/n2", "I:123\nE:ID_BUS=pci\nE:ID_NET_NAME_MAC=enx3c5282000001\nE:ID_PATH=pci\n")
    laptop.write("run/udev/data/n3", "E:ID_NET_NAME_MAC=wlx020000000099\n")
    assert laptop.known() == ALONE


def test_address_of_a_bond_hides_the_permanent_one_but_from_the_bond(laptop: FakeSystem) -> None:
    other_address(laptop, bonding_slave__perm_hwaddr=ETHERNET)
    assert laptop.known() == ALONE


@pytest.mark.parametrize("kind", ["1", "3"])
def test_interface_without_a_permanent_address_is_left_out_in_a_bond_as_well(laptop: FakeSystem, kind: str) -> None:
    other_address(laptop, kind, bonding_slave__perm_hwaddr="02:11:22:33:44:55")
    laptop.write("run/udev/data/n2", "E:ID_BUS=pci\n")
    assert laptop.values("mac") == [RADIO]


@pytest.mark.parametrize("address", ["", "00:00:00:00:00:00", "00:00:00:00", "3c:52:82:00:00:01:02:03", "?"])
def test_what_is_no_mac_address_is_left_out(laptop: FakeSystem, address: str) -> None:
    laptop.interface("wwan0", f"{BRIDGE}/mhi0/wwan0", address)
    assert laptop.known() == ALONE


def test_nothing_at_all(bare: FakeSystem) -> None:
    assert bare.known() == ()
    assert fingerprint(()) == b""


def test_one_of_two_names(bare: FakeSystem) -> None:
    bare.write("sys/class/dmi/id/board_name", "20L5\n")
    bare.write("sys/class/dmi/id/sys_vendor", " \n")
    assert bare.known() == (("board", "20L5"),)


def test_arm_with_a_device_tree(bare: FakeSystem) -> None:
    bare.write("sys/firmware/devicetree/base/model", b"Raspberry Pi 4 Model B Rev 1.4\0")
    bare.write("sys/firmware/devicetree/base/serial-number", b"10000000abcdef01\0")
    first = "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
    bare.write("proc/cpuinfo", f"{first}\nprocessor\t: 1\nCPU implementer\t: 0x42\n\nSerial\t: 1\n")
    bare.interface("end0", "platform/scb/fd580000.ethernet", ETHERNET)
    expected = (
        ("mac", ETHERNET),
        ("machine", "Raspberry Pi 4 Model B Rev 1.4"),
        ("processor", "ARM 0x41 0xd08"),
        ("serial", "10000000abcdef01"),
    )
    assert bare.known() == expected
    # The view of a program under `linux32`.
    bare.write("proc/cpuinfo", first.replace("BogoMIPS", "model name\t: ARMv8 Processor rev 3 (v8l)\nBogoMIPS"))
    assert bare.known() == expected


def test_what_only_root_may_read_is_left_out_for_root_as_well(laptop: FakeSystem) -> None:
    laptop.write("sys/firmware/devicetree/base/serial-number", "1234", mode=0o400)
    assert laptop.known() == ALONE
    (laptop.root / "sys").chmod(0o700)  # as on some hardened systems
    assert laptop.known() == (ALONE[-1],)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"  Precision \t 5520\r\n", "Precision 5520"),
        (b"A\xffB\n", "A\\xffB"),
        (b"A\0\x01\x1b[31mB\x7f \x00 C", "A[31mB C"),
        ("Gerät=\u2028\x85 Ω".encode(), "Gerät= Ω"),
        (b"\0 \0\n", ""),
    ],
)
def test_odd_bytes(bare: FakeSystem, written: bytes, read: str) -> None:
    bare.write("sys/class/dmi/id/board_name", written)
    assert bare.values("board") == ([read] if read else [])


@given(st.binary())
def test_any_bytes_give_one_line(tmp_path_factory: pytest.TempPathFactory, written: bytes) -> None:
    if sys.platform != "linux":
        pytest.skip("reads files on Linux only")
    system = FakeSystem(tmp_path_factory.mktemp("system"))
    system.write("sys/class/dmi/id/board_name", written)
    assert len(fingerprint(system.known()).decode().splitlines()) <= 1


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise machineid.MachineIdNotFound("failed")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(machineid, "id", lambda: "17A28A73-BEA9\n")
    assert characteristics() == (("machine", "17A28A73-BEA9"),)
    with pytest.raises(UsageError, match="Linux only"):
        characteristics(with_network=True)
    monkeypatch.setattr(machineid, "id", unknown)
    assert characteristics() == ()


NAME = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1)
VALUE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
ANY = st.lists(st.tuples(NAME, VALUE) | st.tuples(st.sampled_from(["mac", "board"]), st.sampled_from(["a", "b", "=c"])))
SORTED = ANY.map(sorted).map(tuple)


@given(SORTED, SORTED)
def test_different_laptops_have_different_fingerprints(one: Characteristics, other: Characteristics) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
    assert fingerprint(one) == fingerprint(one[::-1])


@given(SORTED, SORTED)
def test_there_are_differences_between_different_laptops_only(one: Characteristics, other: Characteristics) -> None:
    assert (differences(one, other) == []) == (one == other)
    assert differences(one, one) == []


def test_differences_in_words() -> None:
    recorded = (("board", "A"), ("mac", ETHERNET), ("mac", RADIO), ("machine", "M"), ("gateway_mac", ROUTER))
    present = (("board", "B"), ("mac", OTHER), ("mac", RADIO), ("processor", "P"), ("gateway_mac", OTHER))
    assert differences(recorded, present) == [
        "board is now B, was A",
        f"gateway mac is now {OTHER}, was {ROUTER}",
        f"mac {ETHERNET} is gone",
        f"mac {OTHER} is new",
        "machine M is gone",
        "processor P is new",
    ]
