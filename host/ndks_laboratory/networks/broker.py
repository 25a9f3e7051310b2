# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A Mosquitto of its own on 127.0.0.1, which keeps what it retains in a directory."""

import contextlib
import getpass
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

from ndks.exceptions import CheckFailed, NdksError
from ndks_laboratory import times

_PORTS = range(10_000, 32_768)
_TRIES = 100
_PAUSE = 0.05  # seconds between two checks of whether it listens


class NoBroker(NdksError):
    code = "NO_BROKER"
    usual_advice = "sudo apt-get install mosquitto, or do without: --carrier dir"


def find_program() -> str | None:
    """Return the path of Mosquitto, which may be where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Broker:
    """A broker that can be stopped and started again. NoBroker."""

    def __init__(self, directory: Path) -> None:
        program = find_program()
        if not program:
            raise NoBroker("there is no Mosquitto on this computer")
        data = directory / "data"
        data.mkdir(parents=True)
        self.port = _free_port()
        self._log = directory / "log.txt"
        self._command = [program, "-c", str(directory / "mosquitto.conf")]
        self._process: subprocess.Popen[bytes] | None = None
        lines = f"listener {self.port} 127.0.0.1", "allow_anonymous true", f"user {getpass.getuser()}"
        kept = "persistence true", f"persistence_location {data}/", "autosave_interval 1", ""
        (directory / "mosquitto.conf").write_text("\n".join((*lines, *kept)))

    def start(self) -> None:
        """Start, and wait until it listens. CheckFailed."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + times.NETWORK
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(_PAUSE)
        raise CheckFailed("Mosquitto does not listen", f"read {self._log}")

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def _free_port() -> int:
    """Return a free port that no system gives to programs that ask for any: Mosquitto leaves it, and comes back."""
    for port in secrets.SystemRandom().sample(_PORTS, _TRIES):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise CheckFailed(f"of {_TRIES} ports of 127.0.0.1, none is free for Mosquitto")
