# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The characteristics of the network that a laptop is in: its router and its subnet."""

import sys
from ipaddress import IPv4Address

import pytest
from host.fake_system import ALONE, OTHER, ROUTER, FakeSystem, bare, laptop

from ndks.exceptions import UsageError

__all__ = ("bare", "laptop")


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
