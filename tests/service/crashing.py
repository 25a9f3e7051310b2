# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A service whose process, clients and cable are cut at random moments, while clients take keys and numbers.

Each client writes down what it got before it goes on, as a program does that must not lose anything.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from support.emulate_process import PATIENCE, wait_until
from support.public_network import public_network
from support.serve_process import ServeProcess, served
from unit.other_member import header_of

import ndks

KINDS = ("keys", "messages", "numbers")
_CLIENT = """
import itertools, sys, time
from pathlib import Path
import ndks
from service.crashing import work

work(*sys.argv[1:])
"""


def work(kind: str, port: str, record: str) -> None:
    """Take keys, messages or numbers through a service for ever, and write each down; reconnect when it goes away."""
    with Path(record).open("a") as written:
        while True:
            try:
                with ndks.open(port) as unit:
                    while True:
                        print(_taken(kind, unit), file=written, flush=True)
            except (ndks.NdksError, OSError):
                time.sleep(0.1)


def _taken(kind: str, unit: ndks.Unit) -> str:
    if kind == "keys":
        key = unit.next_key(256)
        return f"{key.index} {key.data.hex()}"
    if kind == "messages":
        return str(header_of(public_network(), unit.seal(b"x", cipher="aes", mode="a")).number)
    return str(unit.take_number()[2])
