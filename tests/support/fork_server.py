# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A process that has imported what `ndks` needs, and whose forks become the command; `forks.py` starts it.

A message on the socket of descriptor argv[1] is JSON: arguments, directory, environment, umask. Its descriptors are a
reply, and stdin, stdout and stderr of the command. The reply gets the pid of the command, then its exit status.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import ndks.cli

LARGEST = 1 << 17  # bytes of a message
NUMBER = struct.Struct("=i")
_ALSO = ("ndks.api", "ndks.service", "ndks_emulator", "ndks.keys.generator")
_NO_THREADS = {"OPENBLAS_NUM_THREADS": "1"}  # of NumPy: a process with threads must not fork


def preload() -> None:
    os.environ.update(_NO_THREADS)
    for module in pkgutil.iter_modules(ndks.cli.__path__):
        importlib.import_module(f"ndks.cli.{module.name}")
    for name in _ALSO:
        importlib.import_module(name)
    gc.freeze()


def wait_for_request(requests: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return in a fork, with the message that is its own; end this process when nobody can send any more."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, LARGEST, 4)
        _bury()
        if not message:
            sys.exit()
        if not os.fork():
            requests.close()
            return json.loads(message), descriptors
        for descriptor in descriptors:
            os.close(descriptor)


def _bury() -> None:
    """Collect the forks that have ended, so that the time of this process includes theirs."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def become_command(reply: int, streams: list[int]) -> None:
    """Return in a fork of this fork, which waits for it: its parent must tell how it ended."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # before anyone can know the fork to send it
    pid = os.fork()
    if pid:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.write(reply, NUMBER.pack(pid))
        for number in (*range(3), *streams):
            os.close(number)
        _, status = os.waitpid(pid, 0)
        os.write(reply, NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, max(reply, *streams) + 1)
    sys.stdin, sys.stdout, sys.stderr = (
        opened(number, old) for number, old in enumerate((sys.stdin, sys.stdout, sys.stderr))
    )


def opened(number: int, old: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a standard stream as Python opens it at its start."""
    raw = io.FileIO(number, "wb" if number else "rb", closefd=False)
    buffered = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    is_by_line = number == 2 or raw.isatty()
    return io.TextIOWrapper(buffered, old.encoding, old.errors, line_buffering=is_by_line)


def end_quickly(code: object) -> None:
    """End as Python does, but leave the memory to the kernel: freeing it means copying what forks share.

    Return if Python has something to say at its end.
    """
    if not isinstance(code, int | None):
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (OSError, ValueError):
        return
    os._exit((code or 0) & 0xFF)


def main() -> None:
    preload()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest
    request, (reply, *streams) = wait_for_request(socket.socket(fileno=int(sys.argv[1])))
    become_command(reply, streams)
    os.umask(request["umask"])
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["ndks", *request["arguments"]]
    sys.path[0] = str(Path.cwd())  # as of python -m
    try:
        runpy.run_module("ndks", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        end_quickly(end.code)
        raise


if __name__ == "__main__":
    main()
