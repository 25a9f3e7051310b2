# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A program that does not wait for the order of messages: each still comes once, and is confirmed singly."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carriers.inbox import wait_until
from support.agents import Host, administrator, unit_of

from agent.running import Plugged, Running, running
from ndks.agent import Limits
from ndks.carriers.carrier import Receive, Received
from ndks.exceptions import NdksError
from ndks.network.administrator import Administrator


class Held:
    """A carrier that the test has in its hands: it brings what it is told to, and keeps what it is given."""

    url = "test:"
    problem: NdksError | None = None
    largest = None
    retains = False
    is_idle = True
    has_room = True

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def start(self, receive: Receive) -> None:
        self._receive = receive

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:
        self.sent.append(packet)
        return True

    def close(self) -> None:
        pass

    def bring(self, *packets: bytes) -> None:
        for packet in packets:
            self._receive(Received(packet, lambda: None, self.url))


class Pair:
    """An agent that receives, and a sender whose packets the test brings to it."""

    def __init__(self, admin: Administrator, sender: Host, agent: Running, carrier: Held) -> None:
        self.admin, self.sender, self.agent, self.carrier = admin, sender, agent, carrier

    def messages(self, count: int) -> list[bytes]:
        """Return the capsules of so many messages, "1", "2" and so on."""
        return [packet for number in range(count) for packet in self.sender.send(b"%d" % (number + 1))]

    def bring(self, *capsules: bytes) -> None:
        """Bring capsules, and wait until they are in the store."""
        self.carrier.bring(*capsules)
        wait_until(lambda: not self.agent.loop.inputs._received)
        self.status()  # requests come after the step of a packet

    def status(self) -> dict[str, Any]:
        with self.agent.client() as client:
            return client.ask("status")

    def receive(self, *, unordered: bool) -> list[tuple[str, bytes]]:
        """Receive and confirm what is there."""
        with self.agent.client() as client:
            return list(map(shown, client.events(follow=False, unordered=unordered)))


def shown(event: dict[str, Any]) -> tuple[str, bytes]:
    return event["kind"], base64.b64decode(event.get("data", ""))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    admin = administrator()
    lanes = [admin.admit(f"{0xABC000 + number:016X}") for number in range(2)]
    bundle = admin.issue()
    sender = Host(unit_of(admin, lanes[0]), admin.keys.public, Limits(keep=2))
    sender.receive(bundle.content)
    carrier, plugged = Held(), Plugged(unit_of(admin, lanes[1]))
    with running(plugged, admin.keys.public, [carrier], tmp_path) as agent:
        wait_until(lambda: agent.loop.agent)
        carrier.bring(bundle.content)
        found = Pair(admin, sender, agent, carrier)
        wait_until(lambda: found.status()["unit"]["generation"] == bundle.g)
        yield found


def test_what_is_behind_a_gap_comes_early_and_once(pair: Pair) -> None:
    one, two, three, four = pair.messages(4)
    pair.bring(one, three, four)
    assert pair.status()["senders"][0]["missing"] == [[2, 2]]
    with pair.agent.client() as client:
        assert [shown(event) for event in client.events(follow=False)] == [("message", b"1")]
    assert pair.receive(unordered=True) == [("early", b"3"), ("early", b"4")]
    assert pair.receive(unordered=True) == pair.receive(unordered=False) == []
    pair.bring(three, four)  # again
    assert pair.receive(unordered=True) == []
    (sender,) = pair.status()["senders"]
    assert (sender["delivered"], sender["missing"], sender["waits"]) == ([[1, 1], [3, 4]], [[2, 2]], 0)
    pair.bring(two)
    assert pair.receive(unordered=False) == [("late", b"2")]


def test_a_receiver_that_crashes_before_it_confirms_gets_it_again(pair: Pair) -> None:
    _, two, three, four = pair.messages(4)
    pair.bring(two, three, four)
    with pair.agent.client() as client:
        events = client.events(follow=False, unordered=True)
        assert [shown(next(events)), shown(next(events))] == [("early", b"2"), ("early", b"3")]  # it confirmed 2
    assert pair.receive(unordered=True) == [("early", b"3"), ("early", b"4")]


def test_what_an_unordered_receiver_did_not_confirm_comes_in_order_to_another(pair: Pair) -> None:
    one, two, three = pair.messages(3)
    pair.bring(three)
    with pair.agent.client() as client:
        assert shown(next(client.events(follow=False, unordered=True))) == ("early", b"3")
    pair.bring(two, one)
    assert pair.receive(unordered=False) == [("message", b"1"), ("message", b"2"), ("message", b"3")]


def test_a_gap_that_is_filled_while_a_receiver_has_what_is_behind_it(pair: Pair) -> None:
    one, two = pair.messages(2)
    pair.bring(two)
    with pair.agent.client() as client:
        (early,) = client.ask("next", unordered=True)["events"]
        pair.bring(one)
        (event,) = client.ask("next", unordered=True)["events"]
        assert shown(event) == ("message", b"1")  # and not 2 again
        client.ask("taken", lane=early["lane"], s=early["s"])
        client.ask("taken", place=event["place"], alone=True)
        assert client.ask("next", unordered=True)["events"] == []
    assert pair.receive(unordered=False) == []


def test_it_waits_for_what_comes_early(pair: Pair) -> None:
    _, two = pair.messages(2)
    with pair.agent.client() as client:
        events = client.events(follow=True, unordered=True)
        pair.carrier.bring(two)
        assert shown(next(events)) == ("early", b"2")


def test_confirmed_while_the_unit_is_away(pair: Pair) -> None:
    one, two = pair.messages(2)
    pair.bring(two)
    pair.agent.plugged.is_there = False
    wait_until(lambda: not pair.status()["unit"]["present"])
    assert pair.receive(unordered=True) == [("early", b"2")]
    pair.agent.plugged.is_there = True
    pair.bring(one, two)
    assert pair.receive(unordered=False) == [("late", b"1")]


def test_what_a_program_did_not_get_it_cannot_confirm(pair: Pair) -> None:
    _, two = pair.messages(2)
    pair.bring(two)
    with pair.agent.client() as client, contextlib.ExitStack() as stack:
        assert client.ask("next")["events"] == []
        stack.enter_context(pytest.raises(NdksError, match="did not get that message early"))
        client.ask("taken", lane=pair.sender.unit.lane, s=2)
    assert pair.receive(unordered=True) == [("early", b"2")]


def test_members_that_were_heard(pair: Pair) -> None:
    assert pair.status()["members_seen"] == []
    one, two = pair.messages(2)
    pair.bring(two)
    (member,) = pair.status()["members_seen"]
    assert (member["lane"], member["generation"], member["number"]) == (pair.sender.unit.lane, 0, 0)
    assert (member["carrier"], member["heard"][-6:]) == ("test:", "+00:00")
    pair.agent.loop.members._seen.clear()  # pyright: ignore
    pair.bring(two)
    heard = dict(pair.agent.loop.members)
    pair.bring(one)  # older: somebody repeats it
    assert dict(pair.agent.loop.members) == heard


def test_what_is_lost_is_told_by_reason(pair: Pair) -> None:
    one, _, three, _ = pair.messages(4)
    pair.bring(one, three)
    pair.bring(*pair.sender.ticks(4))  # its report: it has 3 and 4
    (sender,) = pair.status()["senders"]
    assert (sender["missing"], sender["waits"]) == ([[4, 4]], 0)
    assert sender["lost"] == [{"first": 2, "last": 2, "why": "not_kept"}]
    assert pair.receive(unordered=True) == [("message", b"1"), ("lost", b""), ("message", b"3")]
    assert pair.status()["arrivals"] == 0


def test_a_message_that_newcomers_cannot_read_is_told_of(pair: Pair) -> None:
    with pair.agent.client() as client:
        answer = client.ask("send", data="")
        assert (answer["generation"], answer["newest"]) == (0, 0)
        pair.admin.issue()
        pair.bring(pair.admin.issue().content)  # it waits for the one before
        answer = client.ask("send", data="")
        assert (answer["generation"], answer["newest"]) == (0, 8)
