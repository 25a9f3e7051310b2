# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A laptop with a unit of its own: what its user types, and the programs that run on it."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ndks.agent.running.client import AgentClient
from ndks.exceptions import CheckFailed
from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS
from ndks_laboratory import times

_PAUSE = 0.02  # seconds between two checks


class Laptop:
    """All its files are in a directory; its unit is emulated, behind a pseudo-terminal."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.serial_number = ""
        self.lane = 0
        self.sent: list[str] = []
        self._socket = Path()
        self._processes: dict[str, subprocess.Popen[str]] = {}
        (directory / "run").mkdir(parents=True, mode=0o700)
        homes = {HOME: str(directory / "home"), SOCKETS: str(directory / "run")}
        self.environment = {name: value for name, value in os.environ.items() if name != "NDKS_UNIT"} | homes

    @property
    def port(self) -> Path:
        return self.directory / "port"

    def type(self, *words: object) -> dict[str, Any]:
        """Run a command of ndks to its end, and return its answer. CheckFailed."""
        answer = self._answer(*words)
        if error := answer.get("error"):
            raise CheckFailed(f"{self.name}: ndks {words[0]}: {error['code']}: {error['message']}", error["advice"])
        return answer

    def refusal(self, *words: object) -> str:
        """Run a command that is to be refused, and return the code of its error; empty: it was not refused."""
        return self._answer(*words).get("error", {}).get("code", "")

    def plug_in(self) -> None:
        """Start the emulated unit, which is made if there is none."""
        control = "--control", self.directory / "control"
        self._start("unit", "emulate", self.directory / "unit", "--link", self.port, *control)

    def open_case(self) -> None:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.directory / "control"))
            control.sendall(b"case open\n")
            control.recv(100)

    def serve(self) -> None:
        self._start("service", "service", "--json", "--unit", self.port)

    def run_agent(self, url: str, tick: float, office: Path | None = None) -> None:
        """Run the agent, and a program that receives."""
        network = ("--network", office) if office else ()
        words = "agent", "--json", "--unit", self.serial_number, "--tick", tick, "--carrier", url, *network
        self._socket = Path(json.loads(self._start("agent", *words))["socket"])
        with (self.directory / "received").open("a") as received:
            command = "receive", "--follow", "--json", "--unit", self.serial_number
            self._processes["receiver"] = self._popen(command, received)

    def kill(self, *names: str) -> None:
        """End processes with SIGKILL; without names, all of them."""
        for name in names or reversed(list(self._processes)):
            if process := self._processes.pop(name, None):
                process.send_signal(signal.SIGKILL)
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def send(self, text: str) -> None:
        self.type("send", "--unit", self.serial_number, "--text", text)
        self.sent.append(text)

    def info(self, unit: object) -> dict[str, Any]:
        """Return the state of a unit: a port, or a serial number."""
        return self.type("info", "--unit", unit)["status"]

    def status(self) -> dict[str, Any]:
        """Return what `ndks network status` reports. NoUnit: no agent runs."""
        with AgentClient(self._socket) as agent:
            return agent.ask("status")

    @property
    def place(self) -> tuple[int | None, int | None, int | None]:
        """Generation, number of the epoch, and the lane that leads, as its unit sees them."""
        unit = self.status()["unit"]
        return unit.get("generation"), unit.get("number"), unit.get("master")

    def received(self, lane: int) -> list[str]:
        """Return the messages from a lane, in the order in which they came."""
        lines = (self.directory / "received").read_text().split("\n")[:-1]
        events = [event for event in map(json.loads, lines) if event.get("lane") == lane and "data" in event]
        return [base64.b64decode(event["data"]).decode() for event in events]

    def _answer(self, *words: object) -> dict[str, Any]:
        command = [sys.executable, "-m", "ndks", *map(str, words), "--json"]
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environment,
            cwd=self.directory,
            timeout=times.NETWORK,
            check=False,
        )
        try:
            return json.loads(finished.stdout)
        except ValueError:
            text = finished.stderr.decode(errors="replace").strip()
            raise CheckFailed(f"{self.name}: ndks {words[0]} gave no answer: {text}") from None

    def _start(self, name: str, *words: object) -> str:
        """Start a program of ndks that keeps running, and return the line with which it says that it is ready."""
        process = self._processes[name] = self._popen(words, subprocess.PIPE)
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise CheckFailed(f"{self.name}: ndks {words[0]} does not start", f"read {self.directory / 'log.txt'}")
        return line

    def _popen(self, words: tuple[object, ...], output: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "ndks", *map(str, words)]
        with (self.directory / "log.txt").open("a") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env=self.environment,
                cwd=self.directory,
                text=True,
            )


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that other processes do. CheckFailed."""
    if not comes_about(holds, times.NETWORK):
        raise CheckFailed(f"waited in vain until {what}")


def comes_about(holds: Callable[[], object], seconds: float) -> bool:
    """Wait for at most this long, and return whether it holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True
