# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Emulated units as processes of their own, and the network that test units belong to."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ndks.network import Network

from .reference import load_vectors

NETWORK_NAME = "ndks-test"
START_TIMEOUT = 20.0


def public_network() -> Network:
    """The network of the published vectors: known to everybody, so for tests only."""
    values = load_vectors("suite")["network"]
    secret = bytes.fromhex(values["secret"])
    return Network(NETWORK_NAME, "hybrid", "vernam", values["p1"], values["p2"], values["d"], 0, secret)


@contextlib.contextmanager
def emulator_process(directory: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `ndks emulate`; yield its port and the process, which is killed at the end: the cable pulled."""
    command = [sys.executable, "-m", "ndks", "emulate", str(directory), *options]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()
