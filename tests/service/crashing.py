# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A service whose process, clients and cable are cut at random moments, while clients take keys and numbers.

Each client writes down what it got before it goes on, as a program does that must not lose anything.
"""

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from support.emulate_process import PATIENCE, wait_until
from support.public_network import public_network
from support.reference import exported_key
from support.serve_process import ServeProcess, served
from unit.other_member import header_of

import ndks

KINDS = ("keys", "messages", "numbers")
_TESTS = Path(__file__).parents[1]
_CLIENT = f"""
import sys
sys.path[:0] = [{str(_TESTS)!r}, {str(_TESTS / "checks")!r}]
from service.crashing import work
work(*sys.argv[1:])
"""


def work(kind: str, port: str, record: str) -> None:
    """Take keys, messages or numbers through a service for ever, and write each down; connect again when it is away."""
    with Path(record).open("a") as written:
        while True:
            try:
                with ndks.open(port) as unit:
                    while True:
                        print(_taken(kind, unit), file=written, flush=True)
            except ndks.NdksError:
                time.sleep(0.1)


def _taken(kind: str, unit: ndks.Unit) -> str:
    if kind == "keys":
        key = unit.next_key(256)
        return f"{key.index} {key.data.hex()}"
    if kind == "messages":
        return str(header_of(public_network(), unit.seal(b"x", cipher="aes")).number)
    return str(unit.take_number().number)


class Crashing:
    """A service and a client of each kind. `control` sends a command to the control socket of the emulated unit."""

    def __init__(self, port: str, control: Callable[[str], str], directory: Path, seed: int = 1) -> None:
        self._port = port
        self._control = control
        self._random = random.Random(seed)
        self._records = {kind: directory / kind for kind in KINDS}
        self._clients: dict[str, subprocess.Popen[bytes]] = {}
        self._services = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._service = self._serve()
        for kind in KINDS:
            self._records[kind].touch()
            self._start(kind)
        self._all_go_on()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.kill()
            client.wait(PATIENCE)
        self._services.close()

    def crash(self, what: str) -> None:
        """Kill the service or a client, or pull the cable, at a random moment; wait until all go on."""
        time.sleep(self._random.uniform(0, 0.3))
        if what == "service":
            self._services.close()  # kills it
            self._service = self._serve()
        elif what == "client":
            kind = self._random.choice(KINDS)
            self._clients[kind].kill()
            self._clients[kind].wait(PATIENCE)
            self._start(kind)
        else:
            self._control("cable out")
            time.sleep(self._random.uniform(0, 0.3))
            self._control("cable in")
        self._all_go_on()

    def check(self) -> dict[str, int]:
        """Check that nothing came twice, and nothing is given again; return how much of each kind there was."""
        keys = [line.split() for line in self._lines("keys")]
        assert all(key == exported_key(public_network(), int(index), 0, 32).hex() for index, key in keys[-200:])
        indices = [int(index) for index, _ in keys]
        numbers = [int(line) for kind in ("messages", "numbers") for line in self._lines(kind)]
        assert indices == sorted(set(indices))
        assert len(set(numbers)) == len(numbers)
        with ndks.open(self._port) as unit:
            assert unit.next_index()[1] > indices[-1]
            assert unit.take_number().number > max(numbers)
        return {kind: len(self._lines(kind)) for kind in KINDS}

    def _serve(self) -> ServeProcess:
        return self._services.enter_context(served(self._port))

    def _start(self, kind: str) -> None:
        port = self._service.port({"keys": "keys", "messages": "keys", "numbers": "gate"}[kind])
        command = [sys.executable, "-c", _CLIENT, kind, port, str(self._records[kind])]
        self._clients[kind] = subprocess.Popen(command)

    def _lines(self, kind: str) -> list[str]:
        lines = self._records[kind].read_text().split("\n")
        return lines[:-1]  # without one that was cut off

    def _all_go_on(self) -> None:
        counts = {kind: len(self._lines(kind)) for kind in KINDS}
        for kind, count in counts.items():
            wait_until(lambda kind=kind, count=count: len(self._lines(kind)) > count + 2, f"{kind} go on")
