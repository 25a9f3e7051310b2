# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the pseudo-terminal line: connections, transparency, and hang-ups."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="this system has no pseudo-terminals")

import serial
from emulator.receiving import receive
from support.emulate_process import PATIENCE, wait_until

from ndks_emulator import PortLink, PtyLine, lines

ALL_BYTES = bytes(range(256))  # including those that a terminal treats as end of line, end of file or interrupt


@pytest.fixture
def line() -> Iterator[PtyLine]:
    line = PtyLine()
    yield line
    line.close()


@contextlib.contextmanager
def plain_host(line: PtyLine) -> Iterator[int]:
    """Yield the host's end, opened by a program that configures nothing."""
    descriptor = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_connected_follows_the_host(line: PtyLine) -> None:
    assert not line.connected
    for _ in range(3):
        with serial.Serial(line.path, exclusive=True):
            wait_until(lambda: line.connected, "the host is seen")
        wait_until(lambda: not line.connected, "the host's leaving is seen")


def test_all_bytes_pass_unchanged_in_both_directions(line: PtyLine) -> None:
    with serial.Serial(line.path, exclusive=True, timeout=PATIENCE) as host:
        host.write(ALL_BYTES)
        assert receive(line, len(ALL_BYTES)) == ALL_BYTES
        line.write(ALL_BYTES)
        assert host.read(len(ALL_BYTES)) == ALL_BYTES


def test_nothing_is_echoed_even_to_a_host_that_sets_nothing_up(line: PtyLine) -> None:
    with plain_host(line) as host:
        os.write(host, ALL_BYTES)
        assert receive(line, len(ALL_BYTES)) == ALL_BYTES
        with pytest.raises(BlockingIOError):
            os.read(host, 1)
        line.write(ALL_BYTES)
        assert line.read() == b""
        assert os.read(host, 4096) == ALL_BYTES


def test_closing_the_unit_looks_like_unplugging(line: PtyLine) -> None:
    other = PtyLine()
    with serial.Serial(other.path, exclusive=True, timeout=PATIENCE) as host:
        other.close()
        with pytest.raises(serial.SerialException):
            host.read(1)
        with pytest.raises((serial.SerialException, OSError)):
            host.write(b"anybody there?")


def test_host_that_does_not_read_is_given_up(line: PtyLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WRITE_TIMEOUT", 0.2)
    with serial.Serial(line.path, exclusive=True, timeout=PATIENCE) as host:
        before = time.monotonic()
        line.write(bytes(1 << 20))
        assert time.monotonic() - before >= 0.2
        host.reset_input_buffer()
        line.write(b"later")
        assert host.read(5) == b"later"


def test_slow_host_gets_everything(line: PtyLine) -> None:
    # The timeout starts at the last byte that the host has read, not at the first.
    data = os.urandom(50_000)
    with serial.Serial(line.path, exclusive=True, timeout=PATIENCE) as host:
        writer = threading.Thread(target=line.write, args=(data,))
        writer.start()
        received = b"".join(host.read(1000) for _ in range(50))
        writer.join(PATIENCE)
        assert received == data


def test_writing_ends_at_once_when_the_host_leaves(line: PtyLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WRITE_TIMEOUT", 2 * PATIENCE)  # the write does not end by itself
    with plain_host(line):
        writer = threading.Thread(target=line.write, args=(bytes(1 << 20),))
        writer.start()
        writer.join(0.1)
        assert writer.is_alive()
    writer.join(PATIENCE)
    assert not writer.is_alive()


def test_nobody_there_takes_no_time_of_the_processor(line: PtyLine) -> None:
    before, used = time.monotonic(), time.thread_time()
    for _ in range(10):
        assert line.read(0.2) == b""
    line.write(b"to nobody")
    assert time.monotonic() - before >= 2
    assert time.thread_time() - used < 1  # most of it, if any, is Python's collection of garbage


def test_dropped_line_is_replaced_by_another(line: PtyLine) -> None:
    before = line.path
    with serial.Serial(line.path, exclusive=True, timeout=PATIENCE) as host:
        line.drop()
        assert not line.connected
        with pytest.raises(serial.SerialException):
            host.read(1)
    assert line.path != before
    with serial.Serial(line.address, exclusive=True, timeout=PATIENCE) as host:
        line.write(b"here again")
        assert host.read(10) == b"here again"


def test_closed_line_can_be_plugged_in_again(line: PtyLine) -> None:
    line.close()
    line.close()
    line.plug()
    with serial.Serial(line.path, exclusive=True, timeout=PATIENCE) as host:
        line.write(b"here again")
        assert host.read(10) == b"here again"


def test_link_follows_the_line(tmp_path: Path) -> None:
    link = tmp_path / "port"
    line = PtyLine(PortLink(link))
    assert line.address == str(link)
    for change in (line.drop, line.close, line.plug):
        change()
        assert os.path.lexists(link) is (change != line.close)
    assert str(link.readlink()) == line.path
    line.close()
    assert list(tmp_path.iterdir()) == []


def test_link_that_somebody_else_has_changed_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "port"
    line = PtyLine(PortLink(link))
    link.unlink()
    link.symlink_to("/dev/null")
    line.close()
    assert str(link.readlink()) == "/dev/null"
