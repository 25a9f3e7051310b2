# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks network status` for people: what is missing, and what is lost."""

import json
import socket
import threading
from typing import Any

import pytest
from host.conftest import Call

from ndks.agent.running.places import new_socket

SERIAL = "00000000000000AB"


def shown(call: Call, sender: dict[str, Any], revoked: int = 0) -> list[str]:
    """Return the lines that are shown of what an agent tells."""
    unit = {"present": True, "lane": 4, "role": "slave", "generation": 8, "number": 2, "master": 8, "revoked": revoked}
    told = {"unit": unit, "outbox": {"kept": 1, "waits": 0}, "arrivals": 0, "carriers": []}
    told |= {"senders": [{"lane": 8, "has_from": 1, "waits": 0, "lost": [], "delivered": []} | sender]}
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
            finished = call("network", "status", "--unit", SERIAL)
        finally:
            thread.join()
    path.unlink()
    assert finished.status == 0, finished.stderr
    return finished.text.splitlines()


@pytest.mark.parametrize(
    ("sender", "line"),
    [
        ({"told_of": 0, "seen": 0}, "nothing delivered"),
        ({"told_of": 9, "seen": 9, "delivered": [[1, 9]]}, "up to 9 delivered"),
        ({"told_of": 9, "seen": 9, "delivered": [[1, 7]]}, "up to 7 delivered; missing 8 to 9, 0 wait for it"),
        ({"told_of": 9, "seen": 9, "lost": [[1, 9]]}, "nothing delivered; lost 1 to 9"),
        (
            {"told_of": 9, "seen": 9, "delivered": [[1, 3]], "lost": [[4, 5]]},
            "up to 3 delivered; missing 6 to 9, 0 wait for it; lost 4 to 5",
        ),
    ],
)
def test_what_is_lost_is_not_missing(call: Call, sender: dict[str, Any], line: str) -> None:
    assert f"lane 8        {line}" in shown(call, sender)


@pytest.mark.parametrize(("revoked", "words"), [(0, "0 lanes"), (1, "1 lane"), (2, "2 lanes")])
def test_revoked_lanes(call: Call, revoked: int, words: str) -> None:
    assert shown(call, {"told_of": 0, "seen": 0}, revoked)[0].endswith(f"; lane 8 leads; {words} revoked")
