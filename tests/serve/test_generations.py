# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Renewals, joins and revocations between enc_keys and dec_keys, at servers with units of a real network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateways.members import Founded, founded
from support.emulate_process import PATIENCE, wait_until

from ndks_gateways.keys import refusals

from .agents import administered
from .key_processes import KeyProcess, closing_all, place_certificates
from .key_servers import Said

Sites = tuple[KeyProcess, KeyProcess]

# Seconds. An agent that did not hear of a bundle asks for it after some dozen ticks, and again; a tick of
# 0.1 s takes longer where agents do not get the processor: 6 s were seen on a busy machine.
_AGENTS = 90.0


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Founded]:
    with founded(tmp_path) as network:
        yield network


@pytest.fixture
def sites(network: Founded, tmp_path: Path, certificates: Path) -> Iterator[Sites]:
    with closing_all(started(network, tmp_path, certificates)) as (a, b):
        yield a, b


def started(network: Founded, directory: Path, certificates: Path) -> list[KeyProcess]:
    place_certificates(certificates, directory)
    servers = [KeyProcess(directory, name, member.gate) for name, member in zip("AB", network.members, strict=True)]
    for server in servers:
        server.write(server.site, f'file = "{server.name}.sqlite"')
        server.begin()
        server.start()
        server.wait_until_ready()
    return servers


def wait_for(server: KeyProcess, generation: int, number: int = 0, patience: float = PATIENCE) -> None:
    """Wait until a server has heard that its unit is in an epoch, for so many seconds at most."""

    def is_there() -> bool:
        seen = server.metric("ndks_serve_generation"), server.metric("ndks_serve_epoch_number")
        return seen == (generation, number)

    wait_until(is_there, f"{server.name} in epoch {number} of generation {generation}", patience)


def answer(server: KeyProcess, keys: list[dict[str, str]]) -> Said:
    """Return what it says of these keys, once it has read the ids of all epochs that its unit keeps."""
    answers: list[Said] = []

    def is_sure() -> bool:
        answers.append(server.deliver(keys))
        return answers[-1].values != {"message": refusals.NOT_HEARD}

    wait_until(is_sure, "it knows all ids")
    return answers[-1]


def delivers(server: KeyProcess, keys: list[dict[str, str]]) -> bool:
    return answer(server, keys).values == {"keys": keys}


def refusal(server: KeyProcess, keys: list[dict[str, str]]) -> tuple[int, str]:
    said = answer(server, keys)
    return said.status, said.reason


@pytest.mark.parametrize("first", [0, 1])
def test_renewals(network: Founded, sites: Sites, first: int) -> None:
    a, b = sites
    before = a.issue(4)
    for member in (first, 1 - first):
        epoch = network.members[member].renew()
        wait_for(sites[member], epoch >> 16, epoch & 0xFFFF)
        between = a.issue(2)
        assert delivers(b, between)  # whether or not site B has heard of the epoch
        assert delivers(b, before[2 * (member == first) :][:2])
    b.end()
    b.start()
    b.wait_until_ready()
    assert refusal(b, before[:1]) == (400, refusals.TAKEN)


@pytest.mark.parametrize("first", [0, 1])
def test_keys_of_before_two_joins_are_still_served(network: Founded, sites: Sites, first: int) -> None:
    a, b = sites
    before = a.issue(6)
    for uid in ("0000000000ABCDEF", "0000000000ABCDF0"):
        network.administrator.admit(uid)
        bundle = network.administrator.issue()
        for member in (first, 1 - first):
            network.members[member].enter(bundle)
            wait_for(sites[member], bundle.g)
            between = a.issue(2)
            assert delivers(b, between)
    assert delivers(b, before[:2])
    b.close()
    b.start()
    b.wait_until_ready()
    assert delivers(b, before[2:4])  # a new process finds the generations before
    assert refusal(b, before[:1]) == (400, refusals.TAKEN)


def test_keys_of_before_a_revocation_are_refused_and_counted(network: Founded, sites: Sites) -> None:
    a, b = sites
    admitted = network.administrator.admit("0000000000ABCDEF")
    bundle = network.administrator.issue()
    for member, server in zip(network.members, sites, strict=True):
        member.enter(bundle)
        wait_for(server, bundle.g)
    before = a.issue(2)
    network.administrator.revoke([admitted])
    bundle = network.administrator.issue()
    network.members[1].enter(bundle)
    wait_for(b, bundle.g)
    assert refusal(b, before) == (400, refusals.REVOKED)
    count = b.refused(refusals.REVOKED)
    assert refusal(b, before[:1]) == (400, refusals.REVOKED)
    assert b.refused(refusals.REVOKED) == count + 1
    network.members[0].enter(bundle)
    wait_for(a, bundle.g)
    after = a.issue(2)  # in the new generation at once: who is revoked knows the keys of the one before
    assert delivers(b, after)


def test_generations_that_agents_bring(tmp_path: Path, certificates: Path) -> None:
    with (
        administered(tmp_path) as agents,
        closing_all(started(agents.network, tmp_path, certificates)) as (a, b),
    ):
        administrator = agents.network.administrator
        before = a.issue(2)
        admitted = administrator.admit("0000000000ABCDEF")
        generation = agents.issue()
        for server in (a, b):
            wait_for(server, generation, patience=_AGENTS)
        assert delivers(b, before)
        before = a.issue(128)
        administrator.revoke([admitted])
        generation = agents.issue()
        for server in (a, b):
            wait_for(server, generation, patience=_AGENTS)
        wait_until(lambda: refusal(b, [before.pop()]) == (400, refusals.REVOKED), "all ids are read again")
        assert refusal(b, before) == (400, refusals.REVOKED)
        assert b.refused(refusals.REVOKED)
        after = a.issue(2)
        assert delivers(b, after)
