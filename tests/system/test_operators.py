# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Networks with operators beyond equation 7: their units share keys and messages too."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from host.running import run
from support.reference import exported_key
from unit.other_member import open_offline

import ndks
from ndks_protocol.generator import F1, F2

CHAINS = list(itertools.product(F1, F2))


@pytest.fixture(params=CHAINS, ids="-".join)
def network(request: pytest.FixtureRequest) -> ndks.Network:
    f1, f2 = request.param
    return ndks.Network.new("pair", f1=f1, f2=f2)


@pytest.fixture
def units(network: ndks.Network, tmp_path: Path) -> Iterator[list[ndks.Unit]]:
    with ExitStack() as stack:
        units = [stack.enter_context(ndks.open(f"emulator:{tmp_path / name}", create=True)) for name in ("a", "b")]
        for lane, unit in enumerate(units, 1):
            unit.bind(unit.provision(network, lane))
        yield units


def test_units_give_the_same_keys(network: ndks.Network, units: list[ndks.Unit]) -> None:
    for index in (1, 2):
        alice, bob = (unit.next_key(700) for unit in units)
        assert alice.index == bob.index == index
        assert alice.data == bob.data
        assert alice.data[:87] == exported_key(network, index, 0, 87)


@pytest.mark.parametrize("cipher", ["vernam", "aes"])
@pytest.mark.parametrize("mode", ["a", "b"])
def test_units_open_each_others_capsules(network: ndks.Network, units: list[ndks.Unit], cipher: str, mode: str) -> None:
    text = b"Meet me at noon. " * 100
    for sender, receiver in (units, units[::-1]):
        capsule = sender.seal(text, cipher=cipher, mode=mode)
        assert open_offline(network, capsule) == text
        assert receiver.unseal(capsule, mode="a" if mode == "b" else "b") == text


def test_status_names_the_operators(network: ndks.Network, units: list[ndks.Unit]) -> None:
    for unit in units:
        unit.unlock()
        status = unit.status()
        assert (status.f1, status.f2) == (network.f1, network.f2)
        assert status.network_id == network.network_id


@pytest.mark.parametrize(("f1", "f2"), [CHAINS[0], CHAINS[-1]])
def test_info_shows_operators_other_than_those_of_equation_7(f1: str, f2: str, tmp_path: Path) -> None:
    file, port = tmp_path / "o.ndksnet", f"emulator:{tmp_path / 'alice'}"
    ndks.Network.new("office", f1=f1, f2=f2).save(file)
    assert run("provision", file, "--bind", "--unit", port).status == 0
    shown = run("info", "--unit", port)
    assert (f"operators   f1 {f1}, f2 {f2}\n" in shown.text) == ((f1, f2) != CHAINS[0])
    letter, capsule = tmp_path / "letter", tmp_path / "letter.ndks"
    letter.write_text("Meet me at noon.")
    assert run("encrypt", letter, "--unit", port).status == 0
    assert run("decrypt", capsule, "--network", file, "-o", "-").text == "Meet me at noon."


def test_another_chain_is_another_network(network: ndks.Network, units: list[ndks.Unit], tmp_path: Path) -> None:
    """With equal secret and parameters, the network ids and keys still differ."""
    secret, p1, p2 = network.secret, network.p1, network.p2
    for f1, f2 in CHAINS:
        if (f1, f2) != (network.f1, network.f2):
            other = ndks.Network("pair", "hybrid", "vernam", p1, p2, 3, 0, secret, f1=f1, f2=f2)
            assert other.network_id != network.network_id
            assert exported_key(other, 1, 0, 32) != units[0].key(1, 256).data
