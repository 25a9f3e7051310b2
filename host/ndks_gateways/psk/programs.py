# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Runs programs of others: keys go through their stdin, and nothing that they say of them gets out."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from ndks.exceptions import reason
from ndks.printable import printable

from .consumer import ConsumerFailed

_SECONDS = 60  # that a program may take
_PATHS = "/usr/sbin:/sbin"  # in which programs of administrators are, and which users may not have on their path
_MOST = 200  # characters of what a program complains


def run(words: Sequence[str], secret: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    """Run a program to its end, with `secret` as its stdin; return what it has written. ConsumerFailed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _PATHS))
    program = shutil.which(words[0], path=path)
    if not program:
        raise ConsumerFailed(f"there is no program {words[0]}", "install it, or name it with its path")
    try:
        finished = subprocess.run(
            [program, *words[1:]],
            input=secret,
            capture_output=True,
            env=_environment() | dict(environment or {}),
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConsumerFailed(f"{words[0]} did not end in {_SECONDS} s, and was killed") from None
    except OSError as error:
        raise ConsumerFailed(f"{words[0]} cannot be run: {reason(error)}") from None
    if finished.returncode:
        raise ConsumerFailed(f"{words[0]} has failed: {_complaint(finished, secret)}")
    return finished.stdout


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}


def _complaint(finished: "subprocess.CompletedProcess[bytes]", secret: bytes) -> str:
    lines = [line for line in finished.stderr.splitlines() if line.strip()]
    if not lines or (secret and secret.strip() in finished.stderr):
        return f"exit status {finished.returncode}"
    return printable(lines[-1].decode(errors="replace")[:_MOST])
