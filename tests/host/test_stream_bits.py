# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks stream --format bits`: a stream of the characters 0 and 1, also after an interruption."""

import json
from pathlib import Path

import pytest
from host.running import assert_refused, run
from host.test_stream import next_index, stream

import ndks
from ndks.driver import streams as download
from ndks.keys.bit_text import BITS, FORMATS, RAW, bit_text
from ndks_protocol.commands import MAX_CHUNK

COUNT = 8 * 3 * MAX_CHUNK + 3  # bits: three whole blocks, and one with three bits
SIZES = (1, 7, 8, 8 * MAX_CHUNK, COUNT)


class StoppedError(Exception):
    """Raised to interrupt the stream."""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.txt"


def key_text(port: str, bits: int) -> bytes:
    with ndks.open(port) as unit:
        return bit_text(unit.key(1, bits).data, bits).encode() + b"\n"


def interrupt(port: str, target: Path, blocks: int, bits: int) -> None:
    """Interrupt a stream after this many blocks."""
    with ndks.open(port) as unit:
        plan = download.plan_download(unit, target, bits, None, force=False, form=BITS)
        received = 0

        def stop(_: int) -> None:
            nonlocal received
            received += 1
            if received == blocks:
                raise StoppedError

        with pytest.raises(StoppedError):
            download.download(unit, target, plan, stop)


@pytest.mark.parametrize("bits", SIZES)
def test_file_and_stdout_hold_ones_and_zeros(alice: str, target: Path, bits: int) -> None:
    finished = stream(alice, "--bits", bits, "--format", "bits", "--index", 1, "-o", target)
    assert (finished.status, finished.text) == (0, f"{target}: {bits} bits of key 1\n")
    assert target.read_bytes() == key_text(alice, bits)
    assert [path.name for path in target.parent.glob("out*")] == [target.name]
    assert stream(alice, "--bits", bits, "--format", "bits", "-o", "-").output == key_text(alice, bits)
    assert next_index(alice) == 2


def test_it_is_what_key_writes(alice: str) -> None:
    by_key = run("key", "--unit", alice, "--index", 1, "--bits", COUNT, "--format", "bits")
    assert stream(alice, "--bits", COUNT, "--format", "bits", "-o", "-").output == by_key.output


@pytest.mark.parametrize(("bits", "blocks"), [(COUNT, 1), (COUNT, 2), (COUNT, 3), (COUNT, 4), (7, 1), (8, 1)])
def test_interrupted_stream_goes_on_exactly(alice: str, target: Path, bits: int, blocks: int) -> None:
    """This includes a stream that is complete but does not have its final name yet."""
    interrupt(alice, target, blocks, bits)
    begun = download.part_of(target).read_bytes()
    assert begun == key_text(alice, bits)[: 8 * MAX_CHUNK * blocks]
    finished = stream(alice, "--bits", bits, "--format", "bits", "-o", target, "--verbose")
    assert finished.status == 0
    assert finished.stderr.count("> KEY_CHUNK ") == -(-bits // (8 * MAX_CHUNK)) - blocks
    assert target.read_bytes() == key_text(alice, bits)
    assert next_index(alice) == 2


@pytest.mark.parametrize("begun", FORMATS)
def test_another_format_does_not_go_on(alice: str, target: Path, begun: str) -> None:
    (other,) = {RAW, BITS} - {begun}
    with ndks.open(alice) as unit:
        download.plan_download(unit, target, COUNT, None, force=False, form=begun)
    finished = stream(alice, "--bits", COUNT, "--format", other, "-o", target)
    assert_refused(finished, "FILE", 1)
    assert f"format {begun}" in finished.stderr
    assert next_index(alice) == 1


def test_a_plan_without_a_format_is_of_raw_bytes(alice: str, target: Path) -> None:
    """ndks 0.1 leaves such a plan."""
    with ndks.open(alice) as unit:
        download.plan_download(unit, target, COUNT, None, force=False)
        path = download.plan_of(target)
        plan = json.loads(path.read_text())
        del plan["format"]
        path.write_text(json.dumps(plan))
        assert download.plan_download(unit, target, COUNT, None, force=False).format == RAW


@pytest.mark.parametrize("form", ["hex", 1, None, ["bits"]])
def test_a_plan_of_an_unknown_format_is_damaged(alice: str, target: Path, form: object) -> None:
    with ndks.open(alice) as unit:
        download.plan_download(unit, target, COUNT, None, force=False)
    path = download.plan_of(target)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": form}))
    finished = stream(alice, "--bits", COUNT, "-o", target)
    assert_refused(finished, "FILE", 1)
    assert "damaged" in finished.stderr


def test_json_names_the_format(alice: str, target: Path) -> None:
    finished = stream(alice, "--bits", 8, "--format", "bits", "-o", target, "--json")
    assert json.loads(finished.text)["format"] == "bits"


def test_only_raw_bytes_or_bits(alice: str) -> None:
    assert_refused(stream(alice, "--bits", 8, "--format", "hex", "-o", "-"), "USAGE", 2)
    assert next_index(alice) == 1
