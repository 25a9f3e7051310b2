# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of help, version, completions, and usage errors."""

import argparse
import re
from collections.abc import Iterator

import pytest
from host.conftest import Call
from host.running import assert_refused, run

import ndks
from ndks.cli import build_parser


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parser of each command, including groups."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield subparser
                yield from parsers(subparser)


COMMANDS = [parser.prog.split()[1:] for parser in parsers(build_parser())]
GROUPS = (["network"], ["join"], ["faraday"], ["confine"])
LEAVES = [command for command in COMMANDS if command not in GROUPS]


def test_all_commands_are_there() -> None:
    names = {" ".join(command) for command in COMMANDS}
    assert {
        "list",
        "info",
        "deploy",
        "network new",
        "provision",
        "join request",
        "bind",
        "trust",
        "zeroize",
        "key",
        "stream",
        "encrypt",
        "decrypt",
        "inspect",
        "eject",
        "generate",
        "emulate",
        "demo",
        "faraday salt",
        "faraday channels",
        "faraday run",
        "faraday compare",
        "homologate",
    } <= names


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_examples_of_this_command(command: list[str], call: Call) -> None:
    finished = call(*command, "--help")
    assert (finished.status, finished.stderr) == (0, "")
    examples = finished.text.partition("\nexamples:\n")[2]
    assert re.search(rf"^  ndks {' '.join(command)}\b", examples, re.MULTILINE)


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_examples_are_commands_that_exist(command: list[str], call: Call) -> None:
    examples = call(*command, "--help").text.partition("\nexamples:\n")[2]
    options = set(re.findall(r"(?<!\w)--[a-z0-9-]+", call(*command, "--help").text.partition("\nexamples:\n")[0]))
    for line in re.findall(rf"^  ndks {' '.join(command)}\b(.*)$", examples, re.MULTILINE):
        example = re.split("  +", line)[0]  # cut off the remark after the example
        assert set(re.findall(r"(?<!\w)--[a-z0-9-]+", example)) <= options, line


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_every_command_has_json_and_verbose(command: list[str], call: Call) -> None:
    text = call(*command, "--help").text
    assert "--json" in text
    assert "--verbose" in text


def test_help_of_all() -> None:
    finished = run("--help")
    assert (finished.status, finished.stderr) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^    {command[0]}\b", finished.text, re.MULTILINE)
    assert "NDKS_UNIT" in finished.text
    assert "NDKS_HOME" in finished.text
    assert "130  interrupted" in finished.text


def test_version() -> None:
    finished = run("--version")
    assert (finished.status, finished.text) == (0, f"ndks {ndks.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["network"],
        ["no-such-command"],
        ["key", "--no-such-option"],
        ["key", "--bits", "0"],
        ["key", "--bits", "-8"],
        ["key", "--bits", "many"],
        ["key", "--bits", str((1 << 40) + 1)],
        ["key", "--index", "0"],
        ["key", "--index", str(1 << 48)],
        ["key", "--format", "morse"],
        ["key", "--timeout", "0"],
        ["key", "--timeout", "nan"],
        ["key", "--timeout", "inf"],
        ["key", "--unit"],
        ["stream"],
        ["provision"],
        ["bind", "--show", "--backup", "x"],
        ["bind", "--code", "x", "--restore", "y"],
        ["trust", "1"],
        ["trust", "0", 32 * "1"],
        ["trust", str(1 << 16), 32 * "1"],
        ["trust", "1", 31 * "1"],
        ["trust", "1", 33 * "1"],
        ["trust", "1", 32 * "g"],
        ["zeroize", "--no"],
        ["generate", "--p1", "0.52"],
        ["network", "new", "office", "--suite", "enigma"],
        ["deploy"],
        ["completion", "cmd"],
    ],
)
def test_commands_that_make_no_sense(arguments: list[str], call: Call) -> None:
    finished = call(*arguments)
    assert (finished.status, finished.output) == (2, b"")
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("arguments", [["key", "--bits", "many"], ["stream"]])
def test_usage_errors_have_the_form_of_all_errors(arguments: list[str]) -> None:
    assert_refused(run(*arguments), "USAGE", 2)
