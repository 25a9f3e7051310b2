# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Streams interrupted by unplugging or Ctrl-C: the same command continues, and requests no chunk twice."""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from host.asking import next_index
from host.running import Finished, assert_refused, finish, run, start_and_reach
from support.emulate_process import EmulateProcess, allow_interrupts, emulated

import ndks
from ndks.driver import streams as download
from ndks_protocol.commands import MAX_CHUNK

pytest.importorskip("termios", reason="this system has no pseudo-terminals")

BYTES = 300_000  # more than it requests before the --verbose output fills a pipe
MIDDLE = 60  # number of requests
ENOUGH = 40_000


@dataclass
class Stream:
    """A command line that is run repeatedly; its port is a stable name while the unit's port changes."""

    port: Path
    target: Path

    @property
    def part(self) -> Path:
        return download.part_of(self.target)

    @property
    def arguments(self) -> list[object]:
        return ["stream", "--unit", self.port, "--bits", 8 * BYTES, "-o", self.target]

    def plug_in(self, unit: EmulateProcess) -> None:
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(unit.port)


@pytest.fixture
def directory(alice: str) -> Path:
    return Path(alice.removeprefix("emulator:"))


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    return Stream(tmp_path / "usb", tmp_path / "out.key")


@pytest.fixture(scope="module")
def whole(network: ndks.Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """Return the bytes of an uninterrupted stream, from another unit."""
    with ndks.open(f"emulator:{tmp_path_factory.mktemp('whole')}", create=True) as unit:
        unit.bind(unit.provision(network, 2))
        yield unit.key(1, 8 * BYTES).data


def chunks_asked_for(finished: Finished) -> int:
    return len(re.findall("> KEY_CHUNK ", finished.stderr))


def assert_interrupted(stream: Stream, whole: bytes) -> int:
    """Check the remaining files, and return the number of missing chunks."""
    received = stream.part.read_bytes()
    assert ENOUGH <= len(received) < BYTES
    assert whole.startswith(received)
    assert not stream.target.exists()
    plan = json.loads(download.plan_of(stream.target).read_text())
    assert set(plan) == {"k", "epoch", "serial", "bits", "network", "format", "complete", "generation"}
    assert (plan["k"], plan["epoch"], plan["bits"]) == (1, 0, 8 * BYTES)
    assert {path.stat().st_mode & 0o777 for path in (stream.part, download.plan_of(stream.target))} == {0o600}
    return -(-BYTES // MAX_CHUNK) - download.received(stream.target) // MAX_CHUNK


def assert_goes_on(stream: Stream, whole: bytes, missing: int) -> None:
    finished = run(*stream.arguments, "--verbose")
    assert finished.status == 0, finished.stderr
    assert stream.target.read_bytes() == whole
    assert chunks_asked_for(finished) == missing
    assert not stream.part.exists()
    assert not download.plan_of(stream.target).exists()


def test_unplugging(directory: Path, stream: Stream, whole: bytes) -> None:
    with emulated(directory) as unit:
        stream.plug_in(unit)
        process = start_and_reach("KEY_CHUNK", *stream.arguments, requests=MIDDLE)
        unit.end(signal.SIGKILL)
        finished = finish(process)
    assert_refused(finished, "REMOVED", 6)
    assert "the same command resumes it" in finished.advice
    missing = assert_interrupted(stream, whole)
    with emulated(directory) as unit:
        assert next_index(unit.port) == 1
        stream.plug_in(unit)
        assert_goes_on(stream, whole, missing)
        assert next_index(unit.port) == 2


def test_control_c(directory: Path, stream: Stream, whole: bytes) -> None:
    allow_interrupts()
    with emulated(directory) as unit:
        stream.plug_in(unit)
        process = start_and_reach("KEY_CHUNK", *stream.arguments, requests=MIDDLE)
        process.send_signal(signal.SIGINT)
        finished = finish(process)
        assert_refused(finished, "INTERRUPTED", 130)
        assert "the same command resumes it" in finished.advice
        assert "Traceback" not in finished.stderr
        missing = assert_interrupted(stream, whole)
        assert next_index(unit.port) == 1
        assert_goes_on(stream, whole, missing)
        assert next_index(unit.port) == 2


def test_unit_that_hangs(directory: Path, stream: Stream, whole: bytes) -> None:
    with emulated(directory) as unit:
        stream.plug_in(unit)
        process = start_and_reach("KEY_CHUNK", *stream.arguments, "--timeout", 10, requests=MIDDLE)
        unit.process.send_signal(signal.SIGSTOP)
        finished = finish(process)
        unit.process.send_signal(signal.SIGCONT)
        assert_refused(finished, "TIMEOUT", 6)
        assert_goes_on(stream, whole, assert_interrupted(stream, whole))
