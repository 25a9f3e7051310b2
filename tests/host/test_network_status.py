# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks network status` for people: what is missing, and what is lost."""

import json
import socket
import threading
from datetime import datetime
from typing import Any

import pytest
from host.conftest import Call

from ndks.agent.events import Why
from ndks.agent.running.places import new_socket
from ndks.cli.network_status import lost

SERIAL = "00000000000000AB"
HEARD = "2026-11-28T21:32:30+00:00"
NOT_KEPT = {"why": "not_kept"}


def shown(call: Call, sender: dict[str, Any], revoked: int = 0, checks: dict[str, Any] | None = None) -> list[str]:
    """Return the lines that are shown of what an agent tells."""
    unit = {"present": True, "lane": 4, "role": "slave", "generation": 8, "number": 2, "master": 8, "revoked": revoked}
    told = {"unit": unit, "outbox": {"kept": 1, "waits": 0}, "arrivals": 0, "carriers": []}
    told |= {"senders": [{"lane": 8, "waits": 0, "lost": [], "delivered": [], "missing": []} | sender]}
    told |= {"checks": {"every": 2, "due": [], "failures": []} | (checks or {})}
    told |= {"members_seen": [{"lane": 8, "heard": HEARD, "generation": 8, "number": 2, "carrier": "dir:shared"}]}
    return answered(call, told, "network", "status")


def answered(call: Call, told: dict[str, Any], *words: str) -> list[str]:
    """Return the lines that a command shows when its agent answers this."""
    with socket.socket(socket.AF_UNIX) as agent:
        path = new_socket(SERIAL)
        path.unlink(missing_ok=True)
        agent.bind(str(path))
        agent.listen()

        def answer() -> None:
            program, _ = agent.accept()
            with program:
                program.recv(1000)
                program.sendall(json.dumps(told).encode() + b"\n")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            finished = call(*words, "--unit", SERIAL)
        finally:
            thread.join()
    path.unlink()
    assert finished.status == 0, finished.stderr
    return finished.text.splitlines()


@pytest.mark.parametrize(
    ("sender", "line"),
    [
        ({}, "nothing delivered"),
        ({"delivered": [[1, 9]]}, "up to 9 delivered"),
        ({"delivered": [[1, 7]], "missing": [[8, 9]]}, "up to 7 delivered; missing 8 to 9, 0 wait for it"),
        ({"lost": [NOT_KEPT | {"first": 1, "last": 9}]}, "nothing delivered; 1 to 9 lost: its sender has it no longer"),
        (
            {
                "delivered": [[1, 3], [7, 7]],
                "missing": [[6, 6], [8, 9]],
                "lost": [NOT_KEPT | {"first": 4, "last": 4}, {"first": 5, "last": 5, "why": "generation"}],
                "waits": 2,
            },
            "up to 7 delivered; missing 6, 8 to 9, 2 wait for it; 4 lost: its sender has it no longer; "
            "5 lost: it belongs to a generation that this unit does not hold",
        ),
    ],
)
def test_what_is_missing_and_what_is_lost(call: Call, sender: dict[str, Any], line: str) -> None:
    assert f"lane 8        {line}" in shown(call, sender)


@pytest.mark.parametrize(("revoked", "words"), [(0, "0 lanes"), (1, "1 lane"), (2, "2 lanes")])
def test_revoked_lanes(call: Call, revoked: int, words: str) -> None:
    assert shown(call, {}, revoked)[0].endswith(f"; lane 8 leads; {words} revoked")


def test_members_that_were_heard(call: Call) -> None:
    at = datetime.fromisoformat(HEARD).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert shown(call, {})[4] == f"heard         lane 8 at {at}, in generation 8, epoch 2, by dir:shared"


def test_checks_that_are_due_or_failed(call: Call) -> None:
    due = {"lane": 8, "s": 7, "messages": 4, "overdue": True}
    failure = {"message": "8:6", "who": "Bob", "when": HEARD, "channel": "telephone"}
    lines = shown(call, {}, checks={"due": [due, {**due, "s": None, "overdue": False}], "failures": [failure]})[5:]
    assert lines == [
        "check         a check with lane 8 by another channel is overdue: 4 messages since the last one; call its "
        "user, and run ndks check --message 8:7 --confirm NAME",
        "check         a check with lane 8 by another channel is due: 4 messages since the last one; call its "
        "user, and run ndks check --message 8:S --confirm NAME",
        f"check FAILED  message 8:6: the words differ, as Bob said by telephone, {HEARD}; find out why, ndks confine "
        'record, and then run ndks check --message 8:6 --resolve "WHAT IT WAS"',
    ]


def test_each_reason_has_words() -> None:
    assert all(lost({"first": 1, "last": 2, "why": why.name.lower()}).startswith("1 to 2 lost: ") for why in Why)


@pytest.mark.parametrize(
    ("generation", "newest", "line"),
    [
        (None, None, "message 7 is on its way when the unit is there"),
        (4, 4, "message 7 is on its way"),
        (
            *(0, 4),
            "message 7 is on its way, sealed in generation 0: units that joined later have lost it. "
            "Generation 4 is made, and this unit enters it soon; then send the message again if they need it",
        ),
    ],
)
def test_what_is_sent_before_the_unit_is_in_the_newest_generation(
    generation: int | None, newest: int | None, line: str, call: Call
) -> None:
    told = {"s": 7, "waits": generation is None, "generation": generation, "newest": newest}
    assert answered(call, told, "send", "--text", "noon") == [line]
