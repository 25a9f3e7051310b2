# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The commands symbols seal and symbols open: files, pipes, lines in time, and errors by name."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import assert_refused, command_line, environment, run_with_input
from support.emulate_process import PATIENCE
from support.power_cuts import FULL
from unit.other_member import header_of

import ndks
from ndks.symbols.symbols import MARK

TEXT = "0110....1.{4611686018427387904}01"
TICK = 0.2  # seconds
# Run by a small process: a child counts what the one that starts it has, and that of pytest has many others.
_MEASURED = """
import resource, subprocess, sys
done = subprocess.run(["sh", "-c", sys.argv[1]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""


@pytest.fixture
def signal(desk: Path) -> Path:
    path = desk / "signal.txt"
    path.write_text(f"{TEXT[:3]}\r\n{TEXT[3:]}\n")
    return path


def counter(port: str) -> int:
    with ndks.open(port) as unit:
        return unit.status().message_counter


class Live:
    """`ndks symbols seal --live`, whose stdin stays open."""

    def __init__(self, process: "subprocess.Popen[bytes]", unit: ndks.Unit) -> None:
        self._process, self._unit = process, unit

    def say(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def heard(self) -> str:
        """Wait for the next capsule, and return its symbols."""
        assert self._process.stdout
        capsule = base64.b64decode(self._process.stdout.readline())
        return self._unit.open_symbols(capsule).text()

    def end(self) -> tuple[bytes, bytes]:
        return self._process.communicate(timeout=PATIENCE)


@pytest.fixture
def live(alice: str, bob: str) -> Iterator[Live]:
    words = command_line("symbols", "seal", "--live", "--tick", f"{TICK}s", "--unit", alice)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with ndks.open(bob) as unit, subprocess.Popen(words, env=environment(), **pipes) as process:  # pyright: ignore
        yield Live(process, unit)
        process.kill()


def test_there_and_back_by_default_names(alice: str, bob: str, signal: Path, call: Call) -> None:
    sealed = call("symbols", "seal", signal, "--unit", alice)
    counts = "7 bits, 4611686018427387908 nothings"
    assert (sealed.status, sealed.stderr) == (0, "")
    assert sealed.text == f"{signal}.ndks: {counts}, cipher vernam, suite hybrid\n"
    signal.unlink()
    opened = call("symbols", "open", f"{signal}.ndks", "--unit", bob)
    assert (opened.status, opened.stderr) == (0, "")
    assert opened.text == f"{signal}: {counts}, message 1 of lane 1, cipher vernam\n"
    assert signal.read_text() == f"{TEXT}\n"
    assert signal.stat().st_mode & 0o777 == 0o600
    assert_refused(call("symbols", "open", f"{signal}.ndks", "--unit", bob, "--force"), "DUPLICATE", 4)
    again = call("symbols", "open", f"{signal}.ndks", "--unit", bob, "--again", "-o", "-")
    assert again.text == f"{TEXT}\n"


@pytest.mark.parametrize("text", ["", ".", "0.1\n", "01" * 40_000, "1." * 30_000])
def test_through_pipes(alice: str, bob: str, text: str, call: Call, desk: Path) -> None:
    (desk / "text").write_text(text)
    capsule = run_with_input(text.encode(), "symbols", "seal", "--cipher", "aes", "--unit", alice)
    assert capsule.status == 0, capsule.stderr
    opened = run_with_input(capsule.output, "symbols", "open", "--unit", bob)
    assert opened.text == text.strip() + "\n", opened.stderr


def test_expanded(alice: str, bob: str, desk: Path, call: Call) -> None:
    dots = "1" + 100_000 * "." + "1"
    (desk / "dots").write_text(dots)
    call("symbols", "seal", desk / "dots", "--unit", alice)
    capsule = ("symbols", "open", desk / "dots.ndks", "--unit", bob, "-o", "-", "--again")
    assert call(*capsule).text == "1.{100000}1\n"
    assert call(*capsule, "--expand").text == f"{dots}\n"


def test_many_nothings_in_constant_memory(alice: str, desk: Path) -> None:
    many = 10**9 if FULL else 10**8
    dots = f"head -c {many} /dev/zero | tr '\\0' . | {' '.join(command_line('symbols', 'seal'))}"
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, f"{dots} --unit {alice} -o {desk / 'capsule'}"],
        capture_output=True,
        env=environment(),
        timeout=4 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"0 bits, {many} nothings".encode() in done.stdout
    assert (desk / "capsule").stat().st_size < 100
    assert int(done.stderr) < 120_000  # KB


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("01\n0x1\n", "ODD_SYMBOL", "line 2, column 2: 'x' is no symbol"),
        ("01.{9999999999999999999}", "SYMBOLS_TOO_LONG", "line 1, column 3"),
        ("1.{12", "ODD_SYMBOL", "line 1, column 2"),
    ],
)
def test_odd_texts(alice: str, desk: Path, call: Call, text: str, code: str, place: str) -> None:
    (desk / "text").write_text(text)
    before = counter(alice)
    refused = call("symbols", "seal", desk / "text", "--unit", alice)
    assert_refused(refused, code, 1)
    assert place in refused.stderr
    assert [path.name for path in desk.iterdir()] == ["text"]
    assert counter(alice) == before


def test_an_odd_character_far_behind_leaves_no_capsule(alice: str, desk: Path, call: Call) -> None:
    (desk / "text").write_text("10" * 600_000 + "x")
    refused = call("symbols", "seal", desk / "text", "--unit", alice)
    assert_refused(refused, "ODD_SYMBOL", 1)
    assert "column 1200001" in refused.stderr
    assert [path.name for path in desk.iterdir()] == ["text"]


def test_what_is_refused_can_be_opened_as_bytes(alice: str, bob: str, desk: Path, call: Call) -> None:
    cases = ((b"hello", "OTHER_CONTENT"), (MARK + b"\0\0", "BAD_SYMBOLS"), (MARK + b"\5", "SYMBOLS_CUT"))
    for data, code in cases:
        with ndks.open(alice) as unit:
            (desk / "a.ndks").write_bytes(unit.seal(data))
        assert_refused(call("symbols", "open", desk / "a.ndks", "--unit", bob), code, 1)
        assert [path.name for path in desk.iterdir()] == ["a.ndks"]
        assert call("decrypt", desk / "a.ndks", "--unit", bob).status == 0
        assert (desk / "a").read_bytes() == data
        (desk / "a").unlink()


def test_a_capsule_that_was_cut_is_not_authentic(alice: str, bob: str, signal: Path, call: Call) -> None:
    call("symbols", "seal", signal, "--unit", alice)
    capsule = signal.with_name("signal.txt.ndks")
    capsule.write_bytes(capsule.read_bytes()[:-1])
    assert_refused(call("symbols", "open", capsule, "-o", "-", "--unit", bob), "AUTH", 5)


def test_usage(alice: str, signal: Path, call: Call, desk: Path) -> None:
    for words in (
        ("seal", "--live", signal),
        ("seal", "--live", "-o", desk / "capsules"),
        ("seal", signal, "--tick", "1s"),
        ("seal", "--live", "--tick", "0ms"),
        ("seal", "--live", "--tick", "2h"),
        ("open", "--live", signal),
        ("open", signal, "--again", "--allow-jump"),
        ("open", signal),  # its name does not end with .ndks
        ("seal", signal, "-o", "-", "--json"),
    ):
        assert_refused(call("symbols", *words, "--unit", alice), "USAGE", 2)


def test_a_pause_is_nothing(live: Live) -> None:
    live.say("1\n")
    assert live.heard() == "1"  # from now on both ends are ready
    begun = time.monotonic()
    live.say("01\n")
    assert live.heard().endswith("01")
    time.sleep(5.5 * TICK)
    live.say("1")
    text = live.heard()  # without a line's end: when a tick has passed
    passed = (time.monotonic() - begun) / TICK
    assert text.endswith("1")
    assert set(text[:-1]) == {"."}
    assert 4 <= len(text) - 1 <= passed


def test_an_idle_line_sends_nothing(live: Live, alice: str, network: ndks.Network) -> None:
    live.say("01\n")
    assert live.heard() == "01"
    for _ in range(4):
        time.sleep(1.5 * TICK)
        live.say("\n..\n.{4611686018427387904}\n")
    time.sleep(2 * TICK)
    assert live.end() == (b"", b"")
    with ndks.open(alice) as unit:
        assert header_of(network, unit.seal(b"")).number == 2


def test_what_is_said_is_sent_at_once_and_the_end_sends_the_rest(live: Live) -> None:
    for text in ("0110", "1.......0", "00"):
        live.say(f"{text}\n")
        assert live.heard().lstrip(".") == text  # this computer may have paused
    live.say("1")
    output, errors = live.end()
    assert (len(output.splitlines()), errors) == (1, b"")


def test_an_odd_character_ends_a_line_by_name(live: Live) -> None:
    live.say("01\n1x\n")
    assert live.heard() == "01"
    output, errors = live.end()
    assert output == b""
    assert b"ODD_SYMBOL: line 2, column 2: 'x' is no symbol" in errors


def lines_of(alice: str, *messages: "bytes | ndks.Symbols") -> list[bytes]:
    with ndks.open(alice) as unit:
        capsules = [unit.seal(each) if isinstance(each, bytes) else unit.seal_symbols(each) for each in messages]
    return [base64.b64encode(capsule) for capsule in capsules]


def test_lines_are_opened_one_by_one_and_what_is_refused_is_named(alice: str, bob: str) -> None:
    good, bytes_, last = lines_of(alice, ndks.Symbols.parse("01"), b"hello", ndks.Symbols.parse("..1"))
    lines = b"\n".join((good, good, b"%", bytes_, last[:-8], last))
    opened = run_with_input(lines, "symbols", "open", "--live", "--unit", bob)
    assert (opened.status, opened.text) == (4, "01\n..1\n")
    codes = ["DUPLICATE: line 2", "VERSION: line 3", "OTHER_CONTENT: line 4", "AUTH: line 5"]
    assert [": ".join(line.split(": ")[1:3]) for line in opened.stderr.splitlines()] == codes


def test_lines_with_json(alice: str, bob: str) -> None:
    line, second = lines_of(alice, ndks.Symbols.parse("01..1"), ndks.Symbols.parse(".{4611686018427387904}1"))
    opened = run_with_input(b"\n".join((line, line, second)), "symbols", "open", "--live", "--json", "--unit", bob)
    first, refused, last = map(json.loads, opened.text.splitlines())
    described = {"lane": 1, "number": 1, "symbols": "01..1", "bits": 3, "nothings": 2}
    assert first == {"schema": 1, **described}
    assert (refused["line"], refused["error"]["code"]) == (2, "DUPLICATE")
    assert (last["symbols"], last["nothings"]) == (".{4611686018427387904}1", 1 << 62)


def test_what_stops_the_unit_stops_the_line(alice: str, tmp_path: Path) -> None:
    (line,) = lines_of(alice, ndks.Symbols.parse("01"))
    blank = f"emulator:{tmp_path / 'blank'}"
    with ndks.open(blank, create=True):
        pass
    stopped = run_with_input(line, "symbols", "open", "--live", "--unit", blank)
    assert (stopped.status, stopped.error_code) == (4, "BLANK")


def test_a_closed_stdin_is_named(alice: str) -> None:
    words = " ".join(command_line("symbols", "seal", "--live", "--unit", alice))
    done = subprocess.run(
        ["sh", "-c", f"{words} <&-"], capture_output=True, env=environment(), timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert b"FILE: stdin is closed" in done.stderr
