# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A disk that is full, a broker that is away for long, a clock that is set back: nothing that was accepted is lost."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from carriers.inbox import wait_until
from support import broker
from support.agents import administrator, unit_of

from agent.running import Plugged, Running, generation_of, running, texts, three
from ndks.agent.running import loop
from ndks.carriers import mqtt
from ndks.carriers.mqtt import MqttCarrier
from ndks.exceptions import NdksError

_MANY = 450  # messages: more than those of which the capsules are kept
_FILLS = 40  # messages that fill what the store has of free pages


def _numbered(text: str, count: int) -> list[bytes]:
    return [f"{text} {number}".encode().ljust(900) for number in range(count)]


def receives(agent: Running, count: int) -> list[bytes]:
    with agent.client() as client:
        return texts(client, count)


def sends(agent: Running, messages: Sequence[bytes]) -> None:
    with agent.client() as client:
        for message in messages:
            client.send(message)


def sends_what_fits(agent: Running, messages: Sequence[bytes]) -> Iterator[bytes]:
    """Send until a message is refused; yield those that were accepted."""
    with agent.client() as client:
        for message in messages:
            client.send(message)
            yield message


def status(agent: Running) -> dict[str, Any]:
    with agent.client() as client:
        return client.ask("status")


def test_a_full_disk_is_named_and_nothing_accepted_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "_PAUSES", (0.05,))
    with three(tmp_path) as (sender, full, other):
        full.fill_disk()
        accepted: list[bytes] = []
        with pytest.raises(NdksError, match="cannot be used: database or disk is full"):
            accepted.extend(sends_what_fits(full, _numbered("accepted", _FILLS)))
        sends(sender, _numbered("sent", _FILLS))
        wait_until(lambda: "disk is full" in str(status(full)["unit"].get("problem")))
        full.free_disk()
        assert receives(full, _FILLS) == _numbered("sent", _FILLS)
        received = receives(other, _FILLS + len(accepted))
        assert sorted(received) == sorted([*accepted, *_numbered("sent", _FILLS)])
        sends(full, [b"the next"])
        assert receives(other, 1) == [b"the next"]


def test_a_clock_that_is_set_back_or_forward_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with three(tmp_path) as (sender, *others):
        for number, moment in enumerate((0.0, 4e9)):
            monkeypatch.setattr(time, "time", lambda moment=moment: moment)
            sends(sender, [b"%d" % number])
            assert [receives(other, 1) for other in others] == [[b"%d" % number]] * 2


@pytest.mark.skipif(not broker.PROGRAM, reason="needs mosquitto")
def test_a_broker_that_is_away_for_long_costs_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mqtt, "_PAUSES", (0.2,))
    messages = [b"message %d" % number for number in range(_MANY)]
    admin = administrator()
    lanes = [admin.admit(f"{0xABC000 + number:016X}") for number in range(2)]
    bundle = admin.issue()
    with broker.running(tmp_path / "broker") as mosquitto:

        def carrier(number: int) -> MqttCarrier:
            return MqttCarrier(f"mqtt://127.0.0.1:{mosquitto.port}/ndks/office", f"{number:x}" * 16)

        office = carrier(15)
        office.start(lambda received: received.taken())
        office.send(bundle.content, bundle.g)
        units = [Plugged(unit_of(admin, lane)) for lane in lanes]
        with (
            running(units[0], admin.keys.public, [carrier(0)], tmp_path / "sender") as sender,
            running(units[1], admin.keys.public, [carrier(1)], tmp_path / "receiver") as receiver,
        ):
            wait_until(lambda: generation_of(sender) == generation_of(receiver) == bundle.g)
            mosquitto.stop(kill=True)
            wait_until(lambda: all(status(agent)["carriers"][0]["problem"] for agent in (sender, receiver)))
            sends(sender, messages)
            assert status(sender)["outbox"] == {"last": _MANY, "waits": _MANY, "kept": 0}
            sender.stop()
            sender.start([carrier(0)])
            mosquitto.start(empty=True)
            assert receives(receiver, _MANY) == messages
        office.close()
