# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A binding holds on the laptop that it was made on: what has changed is named, and the unit not even asked."""

import pytest
from host.binding_stores import LOOKS, OTHER_LOOKS, Laptop, assert_locked, laptop, member, opens, other_laptop
from host.watched_line import watch_lines

import ndks
from ndks import BindingStore

__all__ = ("laptop", "member", "other_laptop")

CHANGES = {
    "mac is now 02:00:00:00:00:02, was 02:00:00:00:00:01": OTHER_LOOKS,
    "board X is gone": LOOKS[1:],
    "serial 17 is new": (*LOOKS, ("serial", "17")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named_and_the_unit_not_even_asked(
    laptop: Laptop, member: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.looks = CHANGES[change]
    asked = watch_lines(monkeypatch)
    for _ in range(3):
        error = assert_locked(laptop, member)
        assert change in str(error)
        assert "zeroize" in error.advice
    assert set(asked) <= {"HELLO", "CLOSE"}
    laptop.looks = LOOKS
    with laptop.open(member) as unit:
        assert unit.status().wrong_attempts == 0
    assert opens(laptop, member)


def test_bound_to_its_network(laptop: Laptop, member: str) -> None:
    laptop.network = (("subnet", "10.0.0.0/8"),)
    with laptop.open(member) as unit:
        assert unit.bind(with_network=True).characteristics == LOOKS + laptop.network
        assert unit.is_bound_here
    assert opens(laptop, member)
    laptop.network = (("subnet", "192.168.0.0/16"),)
    assert "subnet is now 192.168.0.0/16, was 10.0.0.0/8" in str(assert_locked(laptop, member))


def test_where_there_is_no_network_the_unit_is_locked(laptop: Laptop, member: str) -> None:
    laptop.network = (("subnet", "10.0.0.0/8"),)
    with laptop.open(member) as unit:
        unit.bind(with_network=True)

    def offline(*, with_network: bool) -> tuple[tuple[str, str], ...]:
        if with_network:
            raise ndks.UsageError("there is no router", "bind without --with-network")
        return LOOKS

    laptop.store = BindingStore(laptop.directory, look=offline)
    assert "no router" in str(assert_locked(laptop, member))


def test_another_laptop_does_not_ask_the_unit(
    laptop: Laptop, other_laptop: Laptop, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watch_lines(monkeypatch)
    for _ in range(3):
        assert "ndks bind" in assert_locked(other_laptop, member).advice
    assert set(asked) <= {"HELLO", "CLOSE"}
    assert not other_laptop.directory.exists()
    assert opens(laptop, member)


def test_two_laptops(laptop: Laptop, other_laptop: Laptop, member: str, network: ndks.Network) -> None:
    """Each laptop opens its own unit and not the other one, even if both have equal characteristics."""
    with other_laptop.open(f"{member}2", create=True) as unit:
        unit.bind(unit.provision(network, 2))
    assert opens(laptop, member)
    assert opens(other_laptop, f"{member}2")
    assert_locked(laptop, f"{member}2")
    assert_locked(other_laptop, member)
