# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Unexpected exceptions from anywhere: one line that tells how to report them, and no secret."""

import subprocess
import sys
from typing import NoReturn

import pytest
from host.conftest import Call
from host.running import Finished, assert_refused, environment
from support.emulate_process import PATIENCE

from ndks_protocol import errors

SECRET = "correct horse battery staple"
PLANT = f"""
import sys
import ndks.cli.keys

def fail(*_):
    raise RuntimeError("{SECRET}".upper())

ndks.cli.keys.output_path = fail
sys.exit(ndks.cli.main(sys.argv[1:]))
"""
EXCEPTIONS = [
    RuntimeError(SECRET),
    TypeError(SECRET),
    KeyError(SECRET),
    UnicodeEncodeError("ascii", SECRET, 0, 1, SECRET),
    NotImplementedError(),
    AssertionError(SECRET),
    RecursionError(SECRET),
    MemoryError(),
    ExceptionGroup(SECRET, [ValueError(SECRET)]),
]


def run_planted(*arguments: str) -> Finished:
    command = [sys.executable, "-c", PLANT, *arguments]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
    return Finished(done.returncode, done.stdout, done.stderr.decode())


def plant(monkeypatch: pytest.MonkeyPatch, place: str, exception: BaseException) -> None:
    def fail(*_: object) -> NoReturn:
        try:
            raise LookupError(SECRET)
        except LookupError:
            raise exception  # noqa: B904 (that both are in the traceback is the test)

    monkeypatch.setattr(place, fail)


def test_one_line_says_what_to_do() -> None:
    finished = run_planted("key")
    assert_refused(finished, "UNEXPECTED", 1)
    assert finished.stderr.count("\n") == 1
    assert "RuntimeError at <string>:6, called from cli/keys.py:" in finished.stderr
    assert "issue" in finished.advice
    assert "--verbose" in finished.advice
    assert SECRET not in finished.stderr.lower()


def test_verbose_shows_the_traceback() -> None:
    finished = run_planted("key", "--verbose")
    assert_refused(finished, "UNEXPECTED", 1)
    assert 'cli/keys.py", line ' in finished.stderr
    assert SECRET not in finished.stderr.lower()


@pytest.mark.parametrize("options", [[], ["--verbose"]])
@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda exception: type(exception).__name__)
def test_whatever_it_is(exception: Exception, options: list[str], call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "ndks.cli.keys.output_path", exception)
    finished = call("key", *options)
    assert_refused(finished, "UNEXPECTED", 1)
    assert f" {type(exception).__name__} at " in finished.stderr
    assert SECRET not in finished.stderr
    assert ("LookupError" in finished.stderr) == bool(options)  # the original cause


@pytest.mark.parametrize("place", ["ndks.cli.build_parser", "ndks.cli.parser.Parser.parse_known_args"])
def test_before_a_command_is_known(place: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        plant(broken, place, RuntimeError(SECRET))
        assert_refused(call("key"), "UNEXPECTED", 1)
    with monkeypatch.context() as stopped:
        plant(stopped, place, KeyboardInterrupt())
        assert_refused(call("key"), "INTERRUPTED", 130)


def test_its_code_is_none_of_the_units() -> None:
    assert "UNEXPECTED" not in [errors.name_of(number) for number in range(1 << 16)]
