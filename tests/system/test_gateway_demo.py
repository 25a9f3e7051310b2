# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two gateways and a tapped cable, as `make gateway-demo` shows them."""

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ndks.exceptions import CheckFailed
from ndks_laboratory.gateways import __main__ as demo
from ndks_laboratory.gateways import namespaces
from ndks_laboratory.gateways.namespaces import Cable
from ndks_laboratory.gateways.recordings import search
from ndks_laboratory.gateways.story import Story

PAGE = Path(__file__).parents[2] / "docs" / "tunnel.md"
TEXT = b"a text that crosses"


@pytest.mark.kernel
@pytest.mark.consumers("curl", "ip", "nsenter")
def test_the_story_holds() -> None:
    command = [sys.executable, "-m", "ndks_laboratory.gateways"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=590, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "verdict: HELD" in finished.stdout
    assert names(finished.stdout) == names(PAGE.read_text())


def names(text: str) -> list[str]:
    """Return what held, without figures."""
    return re.findall(r"^held {6}(.*?)(?: \(.*\))?$", text, re.MULTILINE)


def test_programs_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name in {"ip", "curl"} else name)
    assert demo.main([]) == 1
    told = capsys.readouterr().err
    assert "NO_PROGRAM: not on this computer: ip, curl" in told
    assert "apt-get install curl iproute2" in told


def test_a_system_without_namespaces_is_a_named_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(namespaces, "find_cage", list[str])
    assert demo.main([]) == 1
    assert "NO_NAMESPACES" in capsys.readouterr().err


def test_after_a_step_that_failed_the_rest_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise CheckFailed("waited in vain")

    told: list[str] = []
    monkeypatch.setattr(Story, "_start", fail)
    monkeypatch.setattr(Cable, "__init__", lambda self: setattr(self, "there", []))
    checks = Story(tmp_path, Cable(), told.append).run()  # type: ignore[call-arg]
    assert [check.outcome.word for check in checks] == ["failed"] + ["not shown"] * (len(checks) - 1)
    assert checks[0].outcome.reason == "waited in vain"
    assert len(told) == len(checks)


@pytest.mark.parametrize("cut", [0, 5, len(TEXT)])
def test_a_text_is_found_across_packets_of_one_direction(cut: int, tmp_path: Path) -> None:
    packets = packet(1, TEXT[:cut]), packet(2, b"another direction"), packet(1, TEXT[cut:])
    found = search(recorded(tmp_path, *packets), [TEXT, b"another text"])
    assert found == ({TEXT}, sum(map(len, packets)), 0)


def test_a_text_is_not_found_across_directions(tmp_path: Path) -> None:
    assert not search(recorded(tmp_path, packet(1, TEXT[:5]), packet(2, TEXT[5:])), [TEXT]).texts


def test_a_packet_that_is_not_whole_is_counted(tmp_path: Path) -> None:
    assert search(recorded(tmp_path, packet(1, TEXT), more=7), [TEXT]).truncated == 1


def recorded(directory: Path, *packets: bytes, more: int = 0) -> Path:
    """Write a pcap file, whose packets had so many bytes more."""
    records = [struct.pack("=IIII", 0, 0, len(each), len(each) + more) + each for each in packets]
    file = directory / "a.pcap"
    file.write_bytes(bytes(24) + b"".join(records))
    return file


def packet(source: int, data: bytes) -> bytes:
    """Return a TCP packet from a port, in Ethernet and IPv4."""
    ip = b"\x45" + bytes(8) + b"\x06" + bytes(10)
    tcp = source.to_bytes(2, "big") + bytes(10) + b"\x50" + bytes(7)
    return bytes(12) + b"\x08\x00" + ip + tcp + data
