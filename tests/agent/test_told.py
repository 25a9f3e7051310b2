# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What programs are told of their messages and of the unit: what waits, and for what; no room; left out."""

import logging

import pytest
from carriers.inbox import wait_until

from agent.running import sealing_waits_for_a_request
from agent.test_unordered import Pair, pair
from ndks.agent.store import ROW

__all__ = ["pair"]  # a fixture


def waits_for(pair: Pair) -> str | None:
    with pair.agent.client() as client:
        return client.ask("send", data="")["waits_for"]


def test_what_a_message_waits_for(pair: Pair) -> None:
    assert waits_for(pair) is None
    pair.carrier.has_room = False
    assert waits_for(pair) == "carrier"
    with pair.agent.client() as client:
        for _ in range(200):
            client.ask("send", data="")
        sealing_waits_for_a_request(pair.agent)
        pair.carrier.has_room = True
        assert client.ask("send", data="")["waits_for"] == "turn"
    pair.agent.plugged.is_there = False
    wait_until(lambda: not pair.status()["unit"]["present"])
    assert waits_for(pair) == "unit"


def test_a_unit_that_is_revoked_says_so_when_it_hears_of_that(pair: Pair) -> None:
    assert pair.status()["unit"]["left_out"] is None
    pair.admin.revoke([8])
    bundle = pair.admin.issue()
    pair.bring(bundle.content)
    for _ in range(2):
        with pair.agent.client() as client:
            assert client.ask("send", data="")["left_out"] == bundle.g
        assert pair.status()["unit"]["left_out"] == bundle.g
        pair.agent.stop()  # it knows that for ever
        pair.agent.start()
        wait_until(lambda: pair.status()["unit"]["present"])


def test_where_no_program_receives_own_messages_go_on(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    pair.agent.stop()
    pair.agent.room = 3 * (ROW + 1)
    pair.agent.start()
    wait_until(lambda: pair.status()["unit"]["present"])
    capsules = pair.messages(9)
    for capsule in capsules:
        pair.bring(capsule)
    status = pair.status()
    assert (status["arrivals"], status["room"]) == (3, 0)
    assert status["senders"][0]["missing"] == [[4, 9]]
    assert waits_for(pair) is None
    wait_until(lambda: "no room for more messages" in caplog.text)
    assert pair.receive(unordered=False) == [("message", b"%d" % number) for number in (1, 2, 3)]
    wait_until(lambda: "there is room again" in caplog.text)
    pair.bring(*capsules[3:6])
    assert pair.receive(unordered=False) == [("message", b"%d" % number) for number in (4, 5, 6)]
