# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents with real stores, sockets and carriers; their units are those of tests."""

from pathlib import Path
from typing import Any

import pytest
from carriers.inbox import wait_until

from agent.running import Running, texts, three
from ndks.carriers.folder import FolderCarrier
from ndks.exceptions import NdksError


def test_messages_arrive_in_order_at_all_others(tmp_path: Path):
    with three(tmp_path) as agents:
        with agents[0].client() as sender:
            numbers = [sender.send(b"message %d" % number) for number in range(20)]
        assert numbers == list(range(numbers[0], numbers[0] + 20))
        for agent in agents[1:]:
            with agent.client() as receiver:
                assert texts(receiver, 20) == [b"message %d" % number for number in range(20)]


def test_what_a_receiver_did_not_confirm_comes_again(tmp_path: Path):
    with three(tmp_path) as agents:
        with agents[0].client() as sender:
            sender.send(b"once")
        with agents[1].client() as receiver:
            event = next(receiver.events(follow=True))  # and it crashes before it asks for the next one
            assert event["kind"] == "message"
        with agents[1].client() as receiver:
            again = next(receiver.events(follow=True))
            assert again == event
            receiver.ask("taken", place=again["place"])
            assert list(receiver.events(follow=False)) == []


def test_one_program_receives_at_a_time(tmp_path: Path):
    with three(tmp_path) as agents, agents[1].client() as first, agents[1].client() as second:
        assert list(first.events(follow=False)) == []
        with pytest.raises(NdksError, match="another program receives"):
            list(second.events(follow=False))
        first.close()
        wait_until(lambda: _receives(second))


def _receives(client: Any) -> bool:
    try:
        return list(client.events(follow=False)) == []
    except NdksError:
        return False


def test_a_unit_that_is_away_loses_no_message(tmp_path: Path):
    with three(tmp_path) as agents:
        away = agents[1].plugged
        away.is_there = False
        with agents[1].client() as client:
            wait_until(lambda: not client.ask("status")["unit"]["present"])
            client.send(b"written while the unit was away")
        with agents[0].client() as sender:
            sender.send(b"sent to a unit that was away")
        away.is_there = True
        with agents[1].client() as receiver:
            assert texts(receiver, 1) == [b"sent to a unit that was away"]
        with agents[2].client() as receiver:
            assert sorted(texts(receiver, 2)) == [
                b"sent to a unit that was away",
                b"written while the unit was away",
            ]


def test_an_agent_that_starts_again_goes_on(tmp_path: Path):
    with three(tmp_path) as agents:
        with agents[0].client() as sender:
            sender.send(b"before")
        wait_until(lambda: arrivals(agents[2]) == 1)
        agents[2].stop()
        with agents[0].client() as sender:
            sender.send(b"meanwhile")
        shared, home = tmp_path / "shared", tmp_path / "agent2"
        agents[2].start([FolderCarrier(f"dir:{shared}", "2" * 16, home)])
        with agents[2].client() as receiver:
            assert texts(receiver, 2) == [b"before", b"meanwhile"]


def arrivals(agent: Running) -> int:
    with agent.client() as client:
        return client.ask("status")["arrivals"]


def test_requests_that_are_wrong_are_named(tmp_path: Path):
    with three(tmp_path) as agents, agents[0].client() as client:
        for values in (
            {"do": "sing"},
            {"do": "send", "data": "%"},
            {"do": "send", "data": "eA==", "content": 2},
            {"do": "send", "data": "AQ==", "content": 1},
            {"do": "taken", "place": -1},
            {"do": "role", "role": 7},
        ):
            with pytest.raises(NdksError):
                client.ask(**values)  # pyright: ignore
        client._socket.sendall(b"[1, 2]\n")
        assert b"no JSON object" in client._lines.readline()
        with pytest.raises(NdksError, match="at most 65536 bytes"):
            client.send(bytes(65537))
        assert client.send(b"still there") > 0
