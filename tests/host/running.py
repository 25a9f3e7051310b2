# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks` as users run it: a process, its output, its exit status."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.emulate_process import PATIENCE, allow_interrupts
from support.forks import ndks_process

from ndks.laptop.homes import HOME
from ndks.times import OPENING_TIMEOUT

PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
_PIPE_SIZE = 4096  # the smallest that Linux allows
# A command that gets a signal just after its n-th request of a name is on the line.
_SIGNALLED = """
import os, sys
import ndks.cli
from ndks.line.link import Link
name, left, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
del sys.argv[1:4]
post = Link.post
def signalled(link, command, payload):
    global left
    posted = post(link, command, payload)
    left -= command.name == name
    if not left:
        left = -1
        os.kill(os.getpid(), number)
    return posted
Link.post = signalled
sys.exit(ndks.cli.main())
"""
_SENTENCE = r"(.+)(?:(?<![.?!])\.|(?<=[?!]))"  # ends with one full stop, or with its own ? or !
_ERROR = re.compile(rf"ndks: ([A-Z][A-Z0-9_]*): {_SENTENCE} Do: {_SENTENCE}")


@dataclass(frozen=True)
class Finished:
    """The result of a command."""

    status: int
    output: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.output.decode()

    @property
    def error_code(self) -> str:
        return self._error_part(1)

    @property
    def advice(self) -> str:
        return self._error_part(3)

    def _error_part(self, number: int) -> str:
        found = _ERROR.fullmatch(self.stderr.splitlines()[-1]) if self.stderr else None
        assert found, f"no error of the form that PROTOCOL.md section 9 gives: {self.stderr!r}"
        return found[number]


def command_line(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "ndks", *map(str, arguments)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without the user's settings, and wide enough for usage messages on one line.

    NDKS_HOME stays that of this test run.
    """
    users = ("NDKS_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if name == HOME or not name.startswith(users)}
    return kept | {"COLUMNS": "500"} | dict(extra or {})


def start(*arguments: object, **options: int) -> subprocess.Popen[bytes]:
    return ndks_process(*arguments, env=environment(), **PIPES, **options)


def start_and_reach(request_name: str, *arguments: object, requests: int = 30) -> subprocess.Popen[bytes]:
    """Start a command, and return when it has sent this many requests of this name.

    The command cannot end before it is interrupted: its --verbose output blocks when it has filled the pipe.
    """
    process = start(*arguments, "--verbose", pipesize=_PIPE_SIZE)
    assert process.stderr
    while requests:
        line = process.stderr.readline()
        assert line, "the command ended before its middle"
        requests -= f"> {request_name} ".encode() in line
    return process


def run_signalled(
    number: signal.Signals, request_name: str, *arguments: object, requests: int = 1, **extra: str
) -> Finished:
    """Run a command that gets a signal just after it has sent this many requests of this name: it cannot be late."""
    allow_interrupts()
    words = [sys.executable, "-c", _SIGNALLED, request_name, str(requests), str(int(number)), *map(str, arguments)]
    return finish(subprocess.Popen(words, env=environment(extra), **PIPES))


def finish(process: subprocess.Popen[bytes]) -> Finished:
    """Wait for a started command, and return its result."""
    with process:
        output, stderr = process.communicate(timeout=OPENING_TIMEOUT + PATIENCE)  # a lost answer is waited for
    return Finished(process.returncode, output, stderr.decode())


def run(*arguments: object, cwd: Path | None = None, **extra: str) -> Finished:
    """Run `ndks` to its end; `extra` is added to its environment."""
    return finish(ndks_process(*arguments, cwd=cwd, env=environment(extra), **PIPES))


def run_with_input(typed: bytes, *arguments: object, **extra: str) -> Finished:
    """Run `ndks` to its end with these bytes on its stdin, a pipe."""
    with ndks_process(*arguments, env=environment(extra), **PIPES | {"stdin": subprocess.PIPE}) as process:
        output, stderr = process.communicate(typed, PATIENCE)
    return Finished(process.returncode, output, stderr.decode())


def run_at_terminal(typed: bytes, *arguments: object, **extra: str) -> Finished:
    """Run `ndks` to its end at a terminal; these bytes are typed when the command asks."""
    import pty  # not on Windows

    master, slave = pty.openpty()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command_line(*arguments), stdin=slave, env=environment(extra), **pipes) as process:
        try:
            os.close(slave)
            assert process.stderr
            asked = process.stderr.readline()
            os.write(master, typed)
            output, stderr = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            os.close(master)
    return Finished(process.returncode, output, (asked + stderr).decode())


def run_redirected(redirections: str, *arguments: object, **extra: str) -> Finished:
    """Run `ndks` to its end by a shell with redirections such as 2>&-; the other streams are pipes."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirections}', "sh", *command_line(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(extra),
        timeout=PATIENCE,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr.decode())


def assert_refused(finished: Finished, code: str, status: int) -> None:
    """Check the contract of every error: form on stderr, exit status, and stdout empty or with the same in JSON."""
    assert (finished.error_code, finished.status) == (code, status), finished.stderr
    if finished.output:
        error = json.loads(finished.output)["error"]
        assert (error["code"], error["exit_status"]) == (code, status)
        assert error["message"].rstrip(".?!") in finished.stderr
