# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A real Mosquitto on 127.0.0.1."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .ports import free_port

PATIENCE = 60.0  # seconds
PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Broker:
    """A broker in a directory, which can be killed, started again, and started with nothing retained."""

    def __init__(self, directory: Path, *settings: str, port: int = 0, logs: bool = True) -> None:
        self.directory = directory
        self._logs = ["-v"] if logs else []
        self.port = port or free_port()
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, empty: bool = False) -> None:
        data = self.directory / "data"
        if empty:
            shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True, exist_ok=True)
        lines = (
            f"listener {self.port} 127.0.0.1",
            *self._settings,
            "persistence true",
            f"persistence_location {data}/",
        )
        if not any(line.startswith("allow_anonymous") for line in self._settings):
            lines += ("allow_anonymous true",)
        configuration = self.directory / "mosquitto.conf"
        if not any(line.startswith("autosave_interval") for line in self._settings):
            lines += ("autosave_interval 1",)
        configuration.write_text("\n".join((*lines, "user root", "")))
        assert PROGRAM
        with (self.directory / "broker.log").open("a") as log:
            self._process = subprocess.Popen([PROGRAM, *self._logs, "-c", configuration], stdout=log, stderr=log)
        _wait_for(self.port, self._process)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def stop(self, *, kill: bool = False) -> None:
        if self._process:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(PATIENCE)
        self._process = None


@contextlib.contextmanager
def running(directory: Path, *settings: str) -> Iterator[Broker]:
    """Run a broker with these lines of configuration for its listener."""
    directory.mkdir(parents=True, exist_ok=True)
    broker = Broker(directory, *settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop(kill=True)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "the broker has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("the broker does not listen")
