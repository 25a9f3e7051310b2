# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Programs at the agent's socket that are silent, many, killed or wrong; the loop is a stand-in."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from carriers.inbox import PATIENCE, wait_until

from ndks.agent.running.client import AgentClient
from ndks.agent.running.inputs import Asked, Inputs, Left
from ndks.agent.running.programs import Programs, listening
from ndks.exceptions import NdksError


class Echo:
    """A loop that answers each request by its values, except those that wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs = Inputs()
        self.left = 0
        threading.Thread(target=self._run, daemon=True).start()

    def connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(self.path))
        made.settimeout(PATIENCE)
        return made

    def _run(self) -> None:
        while not self.inputs.is_ended:
            taken = self.inputs.take(1, packets=False)
            if isinstance(taken, Left):
                self.left += 1
            elif isinstance(taken, Asked) and not taken.values.get("wait"):
                taken.answered(taken.values)


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Echo]:
    with listening(tmp_path / "socket") as listener:
        echo = Echo(tmp_path / "socket")
        Programs(listener, echo.inputs).start()
        yield echo
        echo.inputs.end()


def test_nothing_accepts_programs_any_more_at_the_end(tmp_path: Path):
    """The number of the listener's descriptor is another's soon."""
    before = set(threading.enumerate())
    with listening(tmp_path / "socket") as listener:
        Programs(listener, Inputs()).start()
        (accepting,) = set(threading.enumerate()) - before
        time.sleep(0.1)  # it accepts by then
    accepting.join(PATIENCE)
    assert not accepting.is_alive()


def test_a_program_that_is_killed_while_it_waits_has_left(echo: Echo):
    program = echo.connect()
    program.sendall(b'{"do": "next", "wait": true}\n')
    time.sleep(0.2)
    program.close()
    wait_until(lambda: echo.left == 1)


def test_silent_programs_leave_room_for_others(echo: Echo):
    silent = [echo.connect() for _ in range(40)]
    with AgentClient(echo.path) as client, pytest.raises(NdksError, match="too many programs"):
        client.ask("status")
    for each in silent:
        each.close()
    wait_until(lambda: _answers(echo))


def _answers(echo: Echo) -> bool:
    try:
        with AgentClient(echo.path) as client:
            return client.ask("status")["do"] == "status"
    except NdksError:
        return False


def test_a_line_that_is_too_long_or_cut_is_no_request(echo: Echo):
    with echo.connect() as program, program.makefile("rb") as lines:
        program.sendall(b'{"do": "' + b"x" * (1 << 20) + b'"}\n')
        assert "too long" in json.loads(lines.readline())["error"]["message"]
        with contextlib.suppress(ConnectionResetError):
            assert lines.readline() == b""
    with echo.connect() as program, program.makefile("rb") as lines:
        program.sendall(b'{"do": "status"}')
        program.shutdown(socket.SHUT_WR)
        assert lines.readline() == b""


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"7", b'{"do": 1, "do": 2}', b"\xff", b'{"do": NaN}', b"[" * 100_000, b"9" * 5000]
)
def test_wrong_json_is_named(echo: Echo, line: bytes):
    with echo.connect() as program, program.makefile("rb") as lines:
        program.sendall(line + b"\n")
        assert "no JSON object" in json.loads(lines.readline())["error"]["message"]
        program.sendall(b'{"do": "status"}\n')
        assert json.loads(lines.readline()) == {"do": "status"}
