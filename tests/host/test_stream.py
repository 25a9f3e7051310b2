# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks stream`: outputs, refusals, and continuing an interrupted stream."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from host.asking import first_key, next_index
from host.conftest import Call
from host.running import Finished, assert_refused, command_line, environment, run
from support.emulate_process import PATIENCE

import ndks
from ndks.driver import streams as download
from ndks.driver.partial_file import PartialFile
from ndks_protocol.commands import MAX_CHUNK

BITS = 8 * 5000 + 3  # neither the last chunk nor the last byte is full


def stream(port: str, *options: object) -> Finished:
    return run("stream", "--unit", port, *options)


def interrupt(port: str, target: Path, received: bytes, bits: int = BITS) -> None:
    """Leave the files of an interrupted stream of key 1."""
    with ndks.open(port) as unit:
        download.plan_download(unit, target, bits, 1, force=False)
    download.part_of(target).write_bytes(received)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.key"


def test_file_holds_the_key_and_nothing_else_is_left(alice: str, target: Path) -> None:
    finished = stream(alice, "--bits", BITS, "-o", target)
    assert (finished.status, finished.text) == (0, f"{target}: {BITS} bits of key 1\n")
    assert target.read_bytes() == first_key(alice, BITS)
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.glob("out*")] == ["out.key"]
    assert next_index(alice) == 2


def test_stdout_carries_the_stream_only(alice: str) -> None:
    assert stream(alice, "--bits", BITS, "-o", "-").output == first_key(alice, BITS)
    assert next_index(alice) == 2


def test_json_is_one_object(alice: str, target: Path) -> None:
    values = json.loads(stream(alice, "--bits", BITS, "-o", target, "--json", "--index", 3).text)
    assert values == {
        "schema": 1,
        "index": 3,
        "epoch": 0,
        "bits": BITS,
        "suite": "hybrid",
        "format": "raw",
        "file": str(target),
    }
    assert next_index(alice) == 1


def test_named_key_with_advance(alice: str, target: Path) -> None:
    stream(alice, "--bits", 8, "-o", target, "--index", 3, "--advance")
    assert next_index(alice) == 4


@pytest.mark.parametrize("options", [[], ["-o", "-", "--json"], ["-o", "-", "--advance"]])
def test_options_that_make_no_sense(alice: str, options: list[str], call: Call) -> None:
    assert_refused(call("stream", "--unit", alice, "--bits", 8, *options), "USAGE", 2)
    assert next_index(alice) == 1


def test_existing_file_is_kept(alice: str, target: Path) -> None:
    target.write_text("mine")
    assert_refused(stream(alice, "--bits", 8, "-o", target), "FILE", 1)
    assert target.read_text() == "mine"
    assert not download.plan_of(target).exists()
    assert stream(alice, "--bits", 8, "-o", target, "--force").status == 0
    assert target.read_bytes() == first_key(alice, 8)


def test_directory_that_is_missing(alice: str, target: Path) -> None:
    assert_refused(stream(alice, "--bits", 8, "-o", target / "none"), "FILE", 1)


@pytest.mark.parametrize("size", [0, 1, MAX_CHUNK - 1, MAX_CHUNK, 3000, 4 * MAX_CHUNK, 4999, 5001])
def test_interrupted_stream_goes_on_wherever_it_stopped(alice: str, target: Path, size: int) -> None:
    """A partial block is discarded."""
    whole = first_key(alice, BITS)
    interrupt(alice, target, b"")
    kept = min(size // MAX_CHUNK * MAX_CHUNK, 4 * MAX_CHUNK)
    with PartialFile(download.part_of(target), download.tally_of(target)) as part:
        for start in range(0, kept, MAX_CHUNK):
            part.append(whole[start : start + MAX_CHUNK])
    with download.part_of(target).open("ab") as file:
        file.write((whole + b"surplus")[kept:size])
    with ndks.open(alice) as unit:
        plan = download.plan_download(unit, target, BITS, 1, force=False)
        told: list[int] = []
        download.download(unit, target, plan, told.append)
    assert target.read_bytes() == whole
    assert sum(told) == len(whole) - kept


@pytest.mark.parametrize("whole", [False, True], ids=["begun", "all but renamed"])
@pytest.mark.parametrize(
    "alter",
    [
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:-1] + bytes([content[-1] ^ 0x80]),
        lambda content: content[:-1],
        lambda content: bytes(len(content)),
    ],
    ids=["first byte", "last byte", "cut off", "zeros"],
)
def test_a_part_that_was_altered_is_not_gone_on_with(
    alice: str, target: Path, alter: Callable[[bytes], bytes], whole: bool
) -> None:
    expected = first_key(alice, BITS)
    interrupt(alice, target, b"")
    with PartialFile(download.part_of(target), download.tally_of(target)) as part:
        for start in range(0, len(expected) if whole else 2048, MAX_CHUNK):
            part.append(expected[start : start + MAX_CHUNK])
    if whole:
        plan = download.plan_of(target)
        plan.write_text(plan.read_text().replace('"complete": false', '"complete": true'))
    download.part_of(target).write_bytes(alter(download.part_of(target).read_bytes()))
    finished = stream(alice, "--bits", BITS, "-o", target)
    assert finished.status == 0
    assert "altered" in finished.stderr
    assert target.read_bytes() == expected
    assert [path.name for path in target.parent.glob("out*")] == [target.name]


def test_a_part_that_nothing_is_known_of_is_fetched_again(alice: str, target: Path) -> None:
    """As after an interruption of ndks 0.1."""
    interrupt(alice, target, bytes(3000))
    assert stream(alice, "--bits", BITS, "-o", target).status == 0
    assert target.read_bytes() == first_key(alice, BITS)


@pytest.mark.parametrize("options", [["--bits", BITS + 8], ["--bits", BITS, "--index", 2]])
def test_part_of_another_stream_is_kept(alice: str, target: Path, options: list[object]) -> None:
    interrupt(alice, target, b"hours of work")
    finished = stream(alice, *options, "-o", target)
    assert_refused(finished, "FILE", 1)
    assert "is of key 1" in finished.stderr
    assert "--force" in finished.advice
    assert download.part_of(target).read_bytes() == b"hours of work"
    assert next_index(alice) == 1


def test_part_of_another_unit_is_kept(alice: str, target: Path, tmp_path: Path, network: ndks.Network) -> None:
    interrupt(alice, target, b"hours of work")
    with ndks.open(f"emulator:{tmp_path / 'bob'}", create=True) as bob:
        bob.bind(bob.provision(network, 2))
    assert_refused(stream(f"emulator:{tmp_path / 'bob'}", "--bits", BITS, "-o", target), "FILE", 1)
    assert download.part_of(target).read_bytes() == b"hours of work"


def test_key_that_was_given_out_in_between_is_not_streamed_as_the_next_one(alice: str, target: Path) -> None:
    # "The next key" must not be one that another command has used as its next key.
    interrupt(alice, target, first_key(alice, BITS)[:3000])
    with ndks.open(alice) as unit:
        assert unit.next_key(256).index == 1
    finished = stream(alice, "--bits", BITS, "-o", target)
    assert_refused(finished, "FILE", 1)
    assert download.part_of(target).exists()
    assert stream(alice, "--bits", BITS, "-o", target, "--index", 1).status == 0  # an explicit index may be used again


def test_force_starts_again(alice: str, target: Path) -> None:
    interrupt(alice, target, bytes(5000), BITS + 8)
    assert stream(alice, "--bits", BITS, "-o", target, "--force").status == 0
    assert target.read_bytes() == first_key(alice, BITS)
    assert not download.plan_of(target).exists()


@pytest.mark.parametrize(
    "plan", ["", "{", "[]", '{"k": 1}', '{"k": 1, "epoch": 0, "serial": "", "bits": 8, "more": 1}']
)
def test_damaged_plan_is_refused_and_can_be_forced(alice: str, target: Path, plan: str, call: Call) -> None:
    interrupt(alice, target, b"hours of work")
    download.plan_of(target).write_text(plan)
    finished = call("stream", "--unit", alice, "--bits", BITS, "-o", target)
    assert finished.status in (1, 2)
    assert "--force" in finished.advice
    assert download.part_of(target).read_bytes() == b"hours of work"
    assert call("stream", "--unit", alice, "--bits", BITS, "-o", target, "--force").status == 0
    assert target.read_bytes() == first_key(alice, BITS)


@pytest.mark.parametrize("left", ["user", "hard link"])
def test_plan_of_another_user_counts_for_nothing(alice: str, target: Path, left: str) -> None:
    """In a directory such as /tmp anybody can leave a key that others know, and a plan that says it came from here."""
    if not hasattr(os, "geteuid") or (left == "user" and os.geteuid() != 0):
        pytest.skip("only root may give files away")
    interrupt(alice, target, b"")
    plan = download.plan_of(target)
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"complete": True}))
    download.part_of(target).rename(target)
    target.write_bytes(b"a key that others know")
    if left == "user":
        os.chown(plan, 65534, 65534)
    else:
        os.link(plan, plan.with_name("theirs"))
    finished = stream(alice, "--bits", BITS, "-o", target)
    assert_refused(finished, "FILE", 1)
    assert "not of this user" in finished.stderr
    assert next_index(alice) == 1
    assert stream(alice, "--bits", BITS, "-o", target, "--force").status == 0
    assert target.read_bytes() == first_key(alice, BITS)


def test_part_without_a_plan_is_somebody_elses(alice: str, target: Path) -> None:
    part = download.part_of(target)
    part.write_bytes(b"mine")
    assert_refused(stream(alice, "--bits", BITS, "-o", target), "FILE", 1)
    assert part.read_bytes() == b"mine"
    assert stream(alice, "--bits", BITS, "-o", target, "--force").status == 0
    assert target.read_bytes() == first_key(alice, BITS)


@pytest.mark.parametrize("unbuffered", ["", "1"])  # as containers set it: a write may then be partial
@pytest.mark.parametrize("options", [["key", "--format", "raw"], ["key", "--json"], ["stream", "-o", "-"]])
def test_reader_that_leaves_uses_no_key_up(alice: str, options: list[str], unbuffered: str) -> None:
    command = command_line(*options, "--unit", alice, "--bits", 8 * 150_000)
    finished = head(command, PYTHONUNBUFFERED=unbuffered)
    assert_refused(finished, "FILE", 1)
    assert next_index(alice) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_of_generate_leaves(unbuffered: str) -> None:
    options = ("generate", "--p1", "0.52", "--p2", "25", "--bits", 1_000_000)
    assert_refused(head(command_line(*options), PYTHONUNBUFFERED=unbuffered), "FILE", 1)


def head(command: list[str], **extra: str) -> Finished:
    """Run a command with a reader that reads 100 bytes and exits."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(extra), **pipes) as process:
        assert process.stdout
        assert process.stderr
        assert len(process.stdout.read(100)) == 100
        process.stdout.close()
        stderr = process.stderr.read().decode()
        return Finished(process.wait(PATIENCE), b"", stderr)
