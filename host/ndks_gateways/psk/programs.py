# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Runs other people's programs: keys go in by stdin, and nothing that the programs say of the keys gets out."""

import contextlib
import os
import selectors
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

from ndks.exceptions import reason
from ndks.printable import printable

from .consumer import ConsumerFailed

_SECONDS = 60  # that a program may take
_GRACE = 5  # what is left of them once this process is to end
_PIPE = 1 << 16  # bytes that a pipe holds
_KEPT = 1 << 22  # bytes of what a program writes
_LOOK_AGAIN = 0.2  # seconds between looks at whether a program has ended whose output others keep open
_PATHS = "/usr/sbin:/sbin"  # where administrators' programs are, which users may not have on their path
_MOST = 200  # characters of a program's complaint

ending = threading.Event()  # set when this process is to end: its threads wait for programs


def run(words: Sequence[str], secret: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    """Run a program to its end, with `secret` as its stdin; return what it has written. ConsumerFailed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _PATHS))
    program = shutil.which(words[0], path=path)
    if not program:
        raise ConsumerFailed(f"there is no program {words[0]}", "install it, or name it with its path")
    try:
        with subprocess.Popen(
            [program, *words[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment() | dict(environment or {}),
        ) as process:
            said, complaints = _talk(process, secret)
    except subprocess.TimeoutExpired:
        raise ConsumerFailed(f"{words[0]} did not end in time, and was killed") from None
    except OSError as error:
        raise ConsumerFailed(f"{words[0]} cannot be run: {reason(error)}") from None
    if process.returncode:
        raise ConsumerFailed(f"{words[0]} has failed: {_complaint(process.returncode, complaints, secret)}")
    return said


def _talk(process: "subprocess.Popen[bytes]", secret: bytes) -> tuple[bytes, bytes]:
    """Return what a program has written by its end, though one that it has left running may write more.

    TimeoutExpired: it did not end, and was killed.
    """
    assert process.stdin
    assert process.stdout
    assert process.stderr
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # it may read nothing
        pipe.write(secret)
    said: dict[int, bytearray] = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    end = time.monotonic() + _SECONDS
    with selectors.DefaultSelector() as pipes:
        for each in said:
            pipes.register(each, selectors.EVENT_READ)
        has_ended = False
        while not has_ended:
            has_ended = process.poll() is not None  # then all that it has written is in the pipes
            for key, _ in pipes.select(0 if has_ended else _LOOK_AGAIN):
                if piece := os.read(key.fd, _PIPE):
                    said[key.fd] += piece
                    del said[key.fd][:-_KEPT]
                else:
                    pipes.unregister(key.fd)
            if ending.is_set():
                end = min(end, time.monotonic() + _GRACE)
            if not has_ended and time.monotonic() >= end:
                process.kill()
                raise subprocess.TimeoutExpired(process.args, _SECONDS)
    out, errors = said.values()
    return bytes(out), bytes(errors)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}


def _complaint(status: int, complaints: bytes, secret: bytes) -> str:
    lines = [line for line in complaints.splitlines() if line.strip()]
    is_cut = len(complaints) >= _KEPT  # perhaps in the midst of the secret
    if not lines or (secret and (is_cut or secret.strip() in complaints)):
        return f"exit status {status}"
    return printable(lines[-1].decode(errors="replace")[:_MOST])
