# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Processes of the command `ndks`: forks of a process that has imported its modules (`fork_server.py`).

Most commands end sooner than a new Python has imported what they need. A fork is a process of its own, with its own
streams, directory and environment, which ends as Python does. `make test-full` starts a new Python each time.
"""

import atexit
import contextlib
import fcntl
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Self

from . import fork_server
from .power_cuts import FULL

_READ_AT_START = ("PYTHON", "LANG", "LC_", "TZ")  # variables that Python has read when it has started


def ndks_process(*arguments: object, env: Mapping[str, str] | None = None, **options: Any) -> "subprocess.Popen[Any]":
    """Start `ndks`, with `own_environment` unless another one is given; the options are some of those of Popen."""
    words, env = list(map(str, arguments)), own_environment() if env is None else env
    if FULL or not hasattr(os, "fork") or any(name.startswith(_READ_AT_START) for name in _differing(env)):
        return subprocess.Popen([sys.executable, "-m", "ndks", *words], env=env, **options)
    return _Fork(words, env, **options)  # type: ignore[return-value]


def run_ndks(*arguments: object, timeout: float, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run `ndks` to its end, and return what it has written."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with ndks_process(*arguments, text=True, **pipes, **options) as process:
        output, errors = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def own_environment() -> dict[str, str]:
    """Return this process's environment without settings of Python, which would need a Python of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


class _Fork:
    """What tests use of a Popen."""

    def __init__(
        self,
        arguments: list[str],
        env: Mapping[str, str],
        *,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
        cwd: Path | None = None,
        text: bool = False,
        pipesize: int = 0,
    ) -> None:
        self.args = ["ndks", *arguments]
        self.returncode: int | None = None
        mode = "" if text else "b"
        self.stdin, their_stdin = _stream(stdin, f"w{mode}", pipesize)
        self.stdout, their_stdout = _stream(stdout, f"r{mode}", pipesize)
        self.stderr, their_stderr = _stream(stderr, f"r{mode}", pipesize)
        theirs = [their_stdin, their_stdout, their_stderr]
        self._reply, reply = socket.socketpair()
        mask = os.umask(0)
        os.umask(mask)
        request = {"arguments": arguments, "directory": str(cwd or Path.cwd()), "environment": dict(env), "umask": mask}
        with reply:
            socket.send_fds(_server(), [json.dumps(request).encode()], [reply.fileno(), *theirs])
        for stream in theirs:
            os.close(stream)
        self.pid = self._number()

    def poll(self) -> int | None:
        if self.returncode is None:
            self._reply.setblocking(False)
            try:
                self.returncode = self._number()
            except BlockingIOError:
                return None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._reply.settimeout(timeout)
            try:
                self.returncode = self._number()
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and its parent is about to say so
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:  # noqa: A002 (as Popen)
        with ThreadPoolExecutor() as pool:
            read = [pool.submit(pipe.read) if pipe else None for pipe in (self.stdout, self.stderr)]
            if self.stdin:
                pool.submit(_write, self.stdin, input)
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            output, errors = [future and future.result() for future in read]
        return output, errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self.stdout, self.stderr, self.stdin):
            if pipe:
                pipe.close()
        self.wait()

    def __del__(self) -> None:
        self._reply.close()

    def _number(self) -> int:
        data = self._reply.recv(fork_server.NUMBER.size)
        assert data, "the server of forks has ended"
        return fork_server.NUMBER.unpack(data)[0]


def _stream(wanted: int | IO[Any], mode: str, pipesize: int) -> tuple[IO[Any] | None, int]:
    """Return our end of a stream, if it is a pipe, and a descriptor of theirs, which must be closed."""
    if wanted == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if wanted != subprocess.PIPE:
        return None, os.dup(wanted if isinstance(wanted, int) else wanted.fileno())
    read, write = os.pipe()
    if pipesize:
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, pipesize)
    ours, theirs = (read, write) if mode.startswith("r") else (write, read)
    return os.fdopen(ours, mode), theirs


def _write(pipe: IO[Any], data: Any) -> None:
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        pass  # the command does not read all


@functools.cache
def _server() -> socket.socket:
    """Start the server of this process; it ends with it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, fork_server.__file__, str(there.fileno())]
    nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    with there:
        process = subprocess.Popen(command, env=own_environment(), pass_fds=[there.fileno()], **nothing)

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


def _differing(environment: Mapping[str, str]) -> set[str]:
    return {name for name, _ in environment.items() ^ own_environment().items()}
