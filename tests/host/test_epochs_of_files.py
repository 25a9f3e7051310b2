# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of any epoch open with a file: generation 0 with a network file, all with an administrator's file."""

import io
from dataclasses import replace

import pytest
from hosts.administered import message
from support.agents import NETWORK, administrator

from ndks.crypto import CRYPTO
from ndks.driver.offline_capsules import read_masked, unseal_offline
from ndks.exceptions import AuthenticationError, DeviceError
from ndks.network.administration import Administration
from ndks.network.epochs import network_in
from ndks.network.network_file import Network
from ndks_protocol import errors
from ndks_protocol.control.ladder import NEXT_EPOCH, parameters_of, ratchet


def capsule(state: Administration, g: int, number: int, kind: int = 0) -> bytes:
    """Return a capsule of lane 4, made by code that knows nothing of these files."""
    generation = state.generation(g)
    assert generation is not None
    secret = ratchet(CRYPTO, generation.secret, NEXT_EPOCH, number)
    first = generation.secret
    return message(
        4, 1, g << 16 | number, b"a letter", kind=kind, secret=secret, first=first, operators=generation.operators
    )


def opened(known: Network | Administration, wire: bytes) -> bytes:
    sink = io.BytesIO()
    unseal_offline(known, io.BytesIO(wire), sink, int)
    return sink.getvalue()


def state() -> Administration:
    admin = administrator()
    admin.admit("0000000000000001")
    admin.issue()
    admin.issue(operators=(2, 1, 1))
    return admin.state


@pytest.mark.parametrize(("g", "number"), [(0, 0), (0, 1), (0, 300), (4, 0), (4, 7)])
def test_an_administrators_file_opens_all_generations(g: int, number: int) -> None:
    assert opened(state(), capsule(state(), g, number)) == b"a letter"


def test_a_network_file_opens_generation_0() -> None:
    for number in (0, 5):
        assert opened(NETWORK, capsule(state(), 0, number)) == b"a letter"
    with pytest.raises(AuthenticationError) as error:
        opened(NETWORK, capsule(state(), 4, 0))
    assert error.value.number == errors.HEADER
    with pytest.raises(AuthenticationError):
        opened(state(), bytes((1,)) + bytes(100))


def test_messages_of_agents_are_not_files() -> None:
    wire = capsule(state(), 0, 1, kind=3)
    assert read_masked(state(), wire[:37]).kind == 3
    with pytest.raises(DeviceError) as error:
        opened(state(), wire)
    assert error.value.number == errors.KIND


def test_the_network_in_an_epoch() -> None:
    (first, second) = state().generations
    assert network_in(NETWORK, first, 0) is NETWORK
    later = network_in(NETWORK, second, 3)
    assert (later.epoch, later.digits, later.operators) == (4 << 16 | 3, 2, (1, 1))
    assert (later.p1, later.p2) == parameters_of(CRYPTO, later.secret)
    assert replace(later, name="x").network_id != NETWORK.network_id
