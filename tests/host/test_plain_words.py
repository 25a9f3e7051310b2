# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Error messages: the cause in plain words, and a remedy."""

import argparse
import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from host.conftest import Call
from host.running import Finished, assert_refused, run, run_with_input
from support.emulate_process import emulated

from ndks.cli import build_parser
from ndks.exceptions import reason
from ndks.laptop.words import to_words

HUGE = "9" * 5000  # digits, more than int() accepts
NO_VALUES = ["", "x", "½", "0x10", HUGE, f"-{HUGE}", "\udcff", "x" * 5000, "a\0b"]


def typed_options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Yield each argument of each command whose type is not text."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from typed_options(subparser)
        elif action.type:
            yield parser.prog, action


TYPED = list(typed_options(build_parser()))


@pytest.mark.parametrize(("command", "action"), TYPED, ids=[f"{prog} {action.dest}" for prog, action in TYPED])
def test_arguments_are_refused_in_plain_words(command: str, action: argparse.Action) -> None:
    assert callable(action.type)
    refusals: list[str] = []
    for text in NO_VALUES:
        try:
            action.type(text)
        except argparse.ArgumentTypeError as error:  # others become "invalid _lane value"
            refusals.append(str(error))
    assert len(refusals) >= 2
    assert [words for words in refusals if len(words) > 120 or not words.isprintable()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trust", "x", "0"], "'x' is not a whole number"),
        (["trust", HUGE, "0"], "a number of 5000 digits is too large"),
        (["key", "--bits", "many"], "'many' is not a whole number"),
        (["key", "--timeout", "soon"], "'soon' is not a number of seconds"),
        (["key", "--timeout", "nan"], "must be above 0 and at most 3600"),
        (["key", "--timeout", "inf"], "must be above 0 and at most 3600"),
        (["generate", "--p1", "1", "--p2", "1", "--first", "one"], "'one' is not a whole number"),
        (["generate", "--p1", "1", "--p2", "1", "-d", "half"], "'half' is not a whole number"),
        (["emulate", "alice", "--tcp", "http"], "'http' is not a whole number"),
        (["emulate", ""], "'' is not a path"),
        (["homologate", "-o", "x", "--keys", "all"], "'all' is not a whole number"),
        (["faraday", "run", "--salt", "5f", "-o", "x"], "a salt has 32 hexadecimal digits"),
    ],
)
def test_argument_of_a_wrong_kind(arguments: list[str], words: str, call: Call) -> None:
    finished = call(*arguments)
    assert_refused(finished, "USAGE", 2)
    assert words in finished.stderr
    assert "invalid" not in finished.stderr


@pytest.mark.parametrize("command", ["key", "stream", "encrypt", "decrypt", "faraday run"])
@pytest.mark.parametrize("output", [".", "/", ".."])
def test_directory_given_as_a_file(command: str, output: str, alice: str, call: Call, desk: Path) -> None:
    (desk / "letter").write_bytes(b"dear Bob")
    options = {
        "stream": ["--bits", 8],
        "encrypt": [desk / "letter"],
        "decrypt": [desk / "letter"],
        "faraday run": ["--salt", "5f" * 16, "--accept-risk"],
    }
    finished = call(*command.split(), *options.get(command, []), "-o", output, "--unit", alice)
    assert_refused(finished, "FILE", 1)
    assert f"{output} is a directory" in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["trust", 1, 0, "--network", "/"],
        ["faraday", "run", "--salt", "5f" * 16, "-o", "record", "--message", "/", "--accept-risk"],
        ["network", "show", "."],
        ["inspect", "."],
        ["bind", "--code", "."],
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_directory_given_as_an_input(
    arguments: list[object], alice: str, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NDKS_UNIT", alice)
    monkeypatch.chdir(desk)
    finished = call(*arguments)
    assert_refused(finished, "FILE", 1)
    assert "directory" in finished.stderr


@pytest.mark.parametrize("output", ["/dev/stdout", "/dev/null"])
def test_output_that_is_no_regular_file(output: str, alice: str) -> None:
    """For a pipe, /dev/stdout is a link to a name that does not exist."""
    finished = run("key", "-o", output, "--unit", alice)
    assert_refused(finished, "FILE", 1)
    assert f"{output} is not a regular file" in finished.stderr
    assert "-" in finished.advice.split()


def test_name_that_is_too_long(alice: str, call: Call, desk: Path) -> None:
    longest = desk / ("x" * 253)  # too long with the suffix .ndks
    longest.write_bytes(b"dear Bob")
    for finished in (
        call("encrypt", longest, "--unit", alice),
        call("key", "-o", desk / ("x" * 256), "--unit", alice),
        call("encrypt", desk / ("x" * 256), "--unit", alice),
    ):
        assert_refused(finished, "FILE", 1)
        assert "too long" in finished.stderr
        assert "shorter" in finished.advice
    for unit in ("x" * 300, f"emulator:{desk / ('x' * 256)}"):
        assert_refused(call("info", "--unit", unit), "NO_UNIT", 3)


def test_output_is_a_link_that_leads_back_to_itself(alice: str, call: Call, desk: Path) -> None:
    (desk / "loop").symlink_to("loop")
    finished = call("key", "-o", desk / "loop", "--force", "--unit", alice)
    assert_refused(finished, "FILE", 1)
    assert "leads back to itself" in finished.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT)), os.strerror(errno.ENOENT)),
        (OSError(errno.ENOENT, None), os.strerror(errno.ENOENT)),
        (OSError("AF_UNIX path too long"), "AF_UNIX path too long"),
        (OSError(), "OSError"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=repr,
)
def test_reason_of_whatever_the_system_refuses(error: OSError, words: str) -> None:
    assert reason(error) == words


@pytest.mark.parametrize(
    "error",
    [
        OSError(),
        OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
        OSError("something"),
        TimeoutError(errno.ETIMEDOUT, None),
    ],
    ids=repr,
)
def test_error_of_the_system_without_a_path(error: OSError, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("ndks.cli.keys.output_path", fail)
    finished = call("key")
    assert_refused(finished, "FILE", 1)
    assert "None" not in finished.stderr
    assert "path" not in finished.stderr  # there is no path to check


def test_link_to_an_emulated_unit_that_has_ended(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with emulated(tmp_path / "alice", "--link", "alice.port") as unit, serial.serial_for_url(unit.port):
        unit.end(signal.SIGKILL)
        assert os.path.lexists("alice.port")
        for name in ("alice.port", tmp_path / "alice.port"):  # while a host holds the path, nobody else's line gets it
            finished = call("info", "--unit", name)
            assert_refused(finished, "NO_UNIT", 3)
            assert f"{name} is a broken link: its emulator has ended" in finished.stderr
            assert "ndks emulate" in finished.advice


@pytest.mark.parametrize("name", ["127.0.0.1:7000", "localhost:7000", "[::1]:7000", "tcp://127.0.0.1:7000"])
def test_address_without_its_kind(name: str, call: Call) -> None:
    finished = call("info", "--unit", name)
    assert finished.status in (2, 3)
    assert finished.advice == f"did you mean socket://{name.removeprefix('tcp://')}?"


@pytest.mark.parametrize("name", ["hwgrep://[", "hwgrep://nothing", "alt://x", "socket://a..b:1", "a\0b", "/dev/a\0b"])
def test_port_that_pyserial_makes_nothing_of(name: str, call: Call) -> None:
    finished = call("info", "--unit", name)
    assert (finished.error_code, finished.status) in (("NO_UNIT", 3), ("USAGE", 2))


def test_sentences_end_once(alice: str, call: Call, desk: Path) -> None:
    words = ["abandun", *to_words(bytes(32)).split()[1:]]
    wrong = run_with_input(" ".join(words).encode(), "bind", "--code", "-", "--unit", alice)
    assert_refused(wrong, "USAGE", 2)
    assert wrong.stderr.endswith("is it abandon?\n")
    for name, end in (("what?", "what?"), ("oh!", "oh!"), ("a.b", "a.b.")):
        finished = call("encrypt", desk / name)
        assert_refused(finished, "FILE", 1)
        assert f"there is no {desk}/{end} Do: check the name.\n" in finished.stderr


def test_the_form_of_errors_is_one() -> None:
    """This tests the parser of error messages in the tests themselves."""
    for said in ("ndks: A: b?. Do: c.", "ndks: A: b. Do: c", "ndks: A: b. Do: c..", "ndks: A: b Do: c."):
        with pytest.raises(AssertionError):
            assert Finished(1, b"", f"{said}\n").error_code
    assert Finished(1, b"", "ndks: A: b! Do: c?\n").advice == "c?"
