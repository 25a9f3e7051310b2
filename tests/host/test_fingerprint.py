# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The characteristics of a laptop: stable for every user and with any device plugged in, and unique."""

import ast
import os
import platform
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import machineid
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.emulate_process import PATIENCE

from ndks.exceptions import UsageError
from ndks.laptop.fingerprint import Characteristics, characteristics, differences, fingerprint

BRIDGE, ONBOARD, DOCK = "pci0000:00/0000:00:1c.0", "pci0000:00/0000:00:1f.6", "pci0000:00/0000:00:1d.0"
ETHERNET, RADIO, OTHER = "3c:52:82:00:00:01", "a4:34:d9:00:00:02", "02:00:00:00:00:99"
ROUTER = "c0:ff:ee:00:00:01"
NOBODY = 65534


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


def word(address: str) -> str:
    return f"{int.from_bytes(IPv4Address(address).packed, sys.byteorder):08X}"


def route(interface: str, destination: str, mask: str, gateway: str = "0.0.0.0", metric: int = 0) -> str:
    flags = "0001" if gateway == "0.0.0.0" else "0003"
    return f"{interface}\t{word(destination)}\t{word(gateway)}\t{flags}\t0\t0\t{metric}\t{word(mask)}\t0\t0\t0"


def default(interface: str, gateway: str, metric: int = 0) -> str:
    return route(interface, "0.0.0.0", "0.0.0.0", gateway, metric)


def neighbour(address: str, mac: str, interface: str, flags: str = "0x2") -> str:
    return f"{address:17}0x1         {flags}         {mac}     *        {interface}"


HOME = [default("wlp3s0", "192.168.7.1", 600), route("wlp3s0", "192.168.4.0", "255.255.252.0", metric=600)]
ZEROCONF = route("wlp3s0", "169.254.0.0", "255.255.0.0", metric=1000)
HOME_ROUTER = neighbour("192.168.7.1", ROUTER.upper(), "wlp3s0")
AT_HOME = tuple(sorted((*ALONE, ("gateway_mac", ROUTER), ("subnet", "192.168.4.0/22"))))


def test_network(laptop: FakeSystem) -> None:
    other = neighbour("192.168.7.1", OTHER, "enp0s31f6")  # the same address in another network
    laptop.network([*HOME, ZEROCONF], [other, HOME_ROUTER])
    assert laptop.known(with_network=True) == AT_HOME
    assert laptop.known() == ALONE


def test_default_route_of_the_lowest_metric_counts(laptop: FakeSystem) -> None:
    office = [default("enp0s31f6", "10.1.0.1", 100), route("enp0s31f6", "10.1.0.0", "255.255.0.0", metric=100)]
    laptop.network([*HOME, *office], [HOME_ROUTER, neighbour("10.1.0.1", OTHER, "enp0s31f6")])
    assert {("gateway_mac", OTHER), ("subnet", "10.1.0.0/16")} < set(laptop.known(with_network=True))


def test_vpn_makes_no_difference(laptop: FakeSystem) -> None:
    laptop.interface("tun0", None, "", type="65534", tun_flags="0x1001")
    laptop.interface("tap0", None, OTHER, tun_flags="0x1002")
    laptop.interface("wg0", None, "", type="65534")
    laptop.interface("gre1", None, "", type="778")
    through = [default("tun0", "10.8.0.1", 50), default("tap0", "10.9.0.1", 50), default("gre1", "10.7.0.1")]
    vpn = [*through, route("wg0", "0.0.0.0", "0.0.0.0")]
    to_its_server = [
        route("wlp3s0", "203.0.113.5", "255.255.255.255", "192.168.7.1"),
        route("wlp3s0", "192.168.7.1", "255.255.255.255"),
    ]
    laptop.network([*vpn, *to_its_server, *HOME], [neighbour("10.9.0.1", OTHER, "tap0"), HOME_ROUTER])
    assert laptop.known(with_network=True) == AT_HOME


@pytest.mark.parametrize("routes", [[], HOME[1:], ["garbage", "eth0\tx\ty"]])
def test_network_without_a_default_route_is_refused(laptop: FakeSystem, routes: list[str]) -> None:
    laptop.network(routes, [HOME_ROUTER])
    with pytest.raises(UsageError, match="no default route") as raised:
        laptop.known(with_network=True)
    assert raised.value.advice == "use the network once, or bind without --with-network"


@pytest.mark.parametrize(
    "neighbours",
    [
        [],
        ["garbage"],
        [neighbour("192.168.7.1", ROUTER, "enp0s31f6")],
        [neighbour("192.168.7.1", "00:00:00:00:00:00", "wlp3s0", "0x0")],
        [neighbour("192.168.7.1", ROUTER, "wlp3s0", "0x0")],  # it no longer answers
    ],
)
def test_router_whose_mac_is_not_known_is_refused(laptop: FakeSystem, neighbours: list[str]) -> None:
    laptop.network(HOME, neighbours)
    with pytest.raises(UsageError, match=r"the router 192\.168\.7\.1 is not known") as raised:
        laptop.known(with_network=True)
    assert raised.value.advice == "use the network once, or bind without --with-network"


def test_network_of_a_system_without_the_files_is_refused(laptop: FakeSystem) -> None:
    with pytest.raises(UsageError):
        laptop.known(with_network=True)


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


def known_to(*prefix: str, before: str = "") -> Characteristics:
    """Return the characteristics as another process sees them, after some line of Python in it."""
    script = f"import os\nfrom ndks.laptop.fingerprint import characteristics\n{before}\nprint(characteristics())"
    command = [*prefix, sys.executable, "-c", script]
    return ast.literal_eval(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout.decode())


def require(*command: str) -> None:
    try:
        subprocess.run([*command, "true"], capture_output=True, check=True, timeout=PATIENCE)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{' '.join(command)} is not permitted here")


def test_this_laptop_in_a_process_of_its_own() -> None:
    assert known_to() == characteristics()
    assert characteristics()


def test_this_laptop_in_an_empty_network_namespace() -> None:
    require("unshare", "-rn")
    assert known_to("unshare", "-rn") == characteristics()


def test_this_laptop_as_another_user_sees_it() -> None:
    if os.name != "posix" or os.geteuid():
        pytest.skip("only root can become another user")
    # Drop privileges after the imports: the clone may be readable for root only.
    drop = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
    assert known_to(before=drop) == characteristics()


def test_sysfs_mounted_again_in_an_empty_network_namespace_shows_no_interface() -> None:
    """A limitation, as with `ip netns exec`. The other characteristics remain."""
    cage = ("unshare", "-nm", "sh", "-c", 'mount -t sysfs ndks-test /sys && "$@"', "sh")
    require(*cage)
    assert known_to(*cage) == tuple(pair for pair in characteristics() if pair[0] != "mac")
