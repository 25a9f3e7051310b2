# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""decrypt chooses the faster mode by default; encrypt estimates the time of a long file and names a faster way."""

import io
import signal
import subprocess
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import command_line, environment, run
from support.emulate_process import PATIENCE

import ndks
from ndks.cli.forecast import Forecast
from ndks.cli.progress import Bar
from ndks_protocol.capsule import CHECK_SIZE, SYNC_SIZE

IN_MODE = {"a": "OPEN_KEYS", "b": "OPEN_CHUNK"}
FEW = 4 * 1024 - SYNC_SIZE - CHECK_SIZE  # what four chunks hold


@pytest.mark.parametrize(
    ("cipher", "size", "mode"),
    [("aes", 0, "b"), ("aes", FEW, "b"), ("aes", FEW + 1, "a"), ("aes", 50_000, "a"), ("vernam", 50_000, "b")],
)
def test_the_faster_mode_is_taken(cipher: str, size: int, mode: str, alice: str, bob: str, desk: Path) -> None:
    with ndks.open(alice) as unit:
        (desk / "capsule").write_bytes(unit.seal(bytes(size), cipher=cipher))
    opened = run("decrypt", desk / "capsule", "-o", "-", "--verbose", "--unit", bob)
    assert (opened.status, opened.output) == (0, bytes(size))
    assert [each for each, request in IN_MODE.items() if f"> {request} " in opened.stderr] == [mode]
    with ndks.open(bob) as unit:
        assert unit.inspect((desk / "capsule").read_bytes()).state == "DUPLICATE"


@pytest.mark.parametrize("mode", IN_MODE)
@pytest.mark.parametrize("cipher", ["aes", "vernam"])
def test_a_mode_that_is_named_is_taken(mode: str, cipher: str, alice: str, bob: str, desk: Path) -> None:
    for size in (0, 20_000):
        with ndks.open(alice) as unit:
            (desk / "capsule").write_bytes(unit.seal(bytes(size), cipher=cipher))
        opened = run("decrypt", desk / "capsule", "-o", "-", "--verbose", "--unit", bob, "--mode", mode)
        assert opened.output == bytes(size)
        assert [each for each, request in IN_MODE.items() if f"> {request} " in opened.stderr] == [mode]


def test_help_says_the_rule(call: Call) -> None:
    assert "a for cipher aes and more than 4 KB, else b" in " ".join(call("decrypt", "--help").text.split())


# --- how long it will take


@pytest.mark.parametrize(
    ("options", "faster"),
    [
        (["--cipher", "vernam"], ["--cipher aes", "--mode a"]),
        (["--cipher", "vernam", "--mode", "a"], ["--cipher aes"]),
        (["--cipher", "aes"], ["--mode a"]),
    ],
    ids=" ".join,
)
def test_a_large_file_is_told_how_long_it_takes(options: list[str], faster: list[str], alice: str, desk: Path) -> None:
    with (desk / "film").open("wb") as film:
        film.truncate(10**10)
    command = command_line("encrypt", desk / "film", *options, "--unit", alice)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment()) as process:
        assert process.stderr
        told = process.stderr.readline().decode()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read().decode()
        assert process.wait(PATIENCE) == 130
    assert "by its first second, this will take about " in told
    assert f"with cipher {options[1]}, mode {'a' if 'a' in options else 'b'}" in told
    assert [each for each in ("--cipher aes", "--mode a") if each in told] == faster
    assert "this will take" not in rest
    assert [path.name for path in desk.iterdir()] == ["film"]


def test_a_file_that_is_redirected_is_told_too(alice: str, desk: Path) -> None:
    with (desk / "film").open("wb+") as film:
        film.truncate(10**10)
        pipes = {"stdin": film, "stderr": subprocess.PIPE, "env": environment()}
        command = command_line("encrypt", "-o", desk / "capsule", "--unit", alice)
        with subprocess.Popen(command, **pipes) as process:
            assert process.stderr
            assert b"this will take about " in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130


def test_a_file_that_takes_no_while_is_not_talked_about(alice: str, desk: Path) -> None:
    (desk / "letter").write_bytes(bytes(100_000))
    assert run("encrypt", desk / "letter", "--unit", alice).stderr == ""


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ndks.cli.forecast.time", clock)
    return clock


def told(clock: Clock, forecast: Forecast, pause: float, size: int = 1000) -> list[str]:
    """Return the messages if this many bytes arrive at a time, with these pauses, for five seconds."""
    texts: list[str] = []
    forecast.update(size)
    for _ in range(round(5 / pause)):
        clock.now += pause
        texts += filter(None, [forecast.update(size)])
    return texts


@pytest.mark.parametrize(
    ("total", "pause", "text"),
    [
        (90_000, 0.1, []),  # 9 seconds
        (150_000, 0.1, ["about 15 seconds at 10.0 KB/s"]),
        (3_000_000, 0.1, ["about 5 minutes at 10.0 KB/s"]),
        (400_000_000, 0.1, ["about 11 hours at 10.0 KB/s"]),
        (10**10, 0.1, ["about 12 days at 10.0 KB/s"]),
        (10**10, 0.0005, ["about 83 minutes at 2.0 MB/s"]),
        (30_000, 2.5, ["about 75 seconds at 0.4 KB/s"]),  # a slow unit: one chunk takes more than a second
        (None, 0.1, []),
        (0, 0.1, []),
    ],
)
def test_forecasts(clock: Clock, total: int | None, pause: float, text: list[str]) -> None:
    assert told(clock, Forecast(total), pause) == text


def test_a_pause_before_the_first_piece_is_no_slowness(clock: Clock) -> None:
    forecast = Forecast(200_000)
    clock.now += 60
    assert told(clock, forecast, 0.01) == []


@pytest.mark.parametrize("total", [10_000_000, None])
def test_the_bar_speaks_of_time_when_it_has_measured_some(total: int | None) -> None:
    early, late = (bar_after(seconds, total) for seconds in (2.5, 3.5))
    assert early.startswith("film: ")
    assert "100k" in early
    assert not any(sign in early for sign in ("/s", "[", "<", "?"))
    assert "kB/s" in late
    assert ("<" in late) == (total is not None)


def bar_after(seconds: float, total: int | None) -> str:
    """Return the text of a progress bar of 100 KB at this time after its start."""
    with Bar(total=total, desc="film", unit="B", unit_scale=True, ncols=80, file=io.StringIO()) as bar:
        bar.start_t -= seconds
        bar.update(100_000)
        return str(bar)
