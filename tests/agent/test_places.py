# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which agent a program speaks to."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from ndks.agent.running.places import new_socket, socket_of
from ndks.exceptions import NoUnit, SeveralUnits

ALICE, BOB = "00000000000000A1", "00000000000000B2"


@contextlib.contextmanager
def agents(*serial_numbers: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for serial_number in serial_numbers:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(new_socket(serial_number)))
            listener.listen()
        yield


@pytest.mark.usefixtures("runtime")
def test_the_only_agent_and_the_one_that_is_named() -> None:
    with agents(ALICE):
        assert socket_of(None).parent.name == ALICE
    with agents(BOB):  # and the other one has left its socket, as one that was killed
        assert socket_of(None).parent.name == BOB


@pytest.mark.usefixtures("runtime")
def test_one_of_several_agents() -> None:
    with agents(ALICE, BOB):
        assert socket_of(ALICE.lower()).parent.name == ALICE
        with pytest.raises(SeveralUnits) as several:
            socket_of(None)
    assert f"{ALICE}, {BOB}" in several.value.advice


@pytest.mark.usefixtures("runtime")
def test_a_port_in_place_of_a_serial_number_leads_to_the_agents_that_run() -> None:
    with pytest.raises(NoUnit) as none:
        socket_of(None)
    assert none.value.advice == "start one: ndks agent --carrier URL"
    with agents(ALICE, BOB), pytest.raises(NoUnit) as other:
        socket_of("emulator:alice")
    assert other.value.advice.endswith(f"or name one with --unit: {ALICE}, {BOB}")
