# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Peers of `make bench-serve`: programs stand in for them, as the tests have no copies of theirs."""

import contextlib
import sys
import time
from pathlib import Path

import pytest
from support.ports import free_port

from . import __main__ as bench
from . import peers, servers
from .peers.programs import NotRun, family, program

_LISTENS = "import socket, sys, time; listener = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
_HAS_A_CHILD = f"""
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, "-c", {_LISTENS!r}, sys.argv[1]])
"""
_PATIENCE = 60.0  # seconds


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.key_servers.peers.programs._GRACE", 0.1)


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    port = free_port()
    with program([sys.executable, "-c", _HAS_A_CHILD, port], port, tmp_path) as process:
        both = family(process)
        assert len(both) == 2
        with pytest.raises(NotRun, match=f"port {port} is taken"), program([sys.executable], port, tmp_path):
            pass
    assert all(_is_gone(each) for each in both)


def test_a_program_that_ends_is_named_with_what_it_said(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "print('first'); print('no such option')"]
    with pytest.raises(NotRun, match=r"it does not start: no such option$"), program(words, free_port(), tmp_path):
        pass


def test_peers_that_do_not_run_are_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = tmp_path / "copies"
    (copies / "easy-kme").mkdir(parents=True)
    binary = copies / "qkd-stub" / "target" / "release" / "qkd-stub"
    binary.parent.mkdir(parents=True)
    binary.write_text('#!/bin/sh\necho "$1 $3 $5"\n')
    binary.chmod(0o700)
    (copies / "qkd-stub" / "Cargo.toml").write_text('[dependencies]\ntoml = "1"\n')
    monkeypatch.setenv("KME_DIR", str(copies))
    excuses = peers.Excuses()
    with contextlib.ExitStack() as stack:
        assert bench._started_peers(stack, tmp_path, tmp_path, excuses) == {}
    assert excuses == {
        "easy-kme": "it has no .venv/bin/python",
        "etsi-qkd-rest": "it is not in KME_DIR",
        "qkd-stub": "it does not start: --listen --tls-cert --tls-key",
    }
    assert "Not measured: easy-kme: it has no .venv/bin/python.\n" in bench.excuses_line(excuses)


def test_a_peer_is_measured_with_all_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = servers.make_certificates(tmp_path / "certificates")
    monkeypatch.setitem(peers.PEERS, "easy-kme", lambda _, certificates, place: servers.stub(certificates, place / "s"))
    (tmp_path / "copies" / "easy-kme").mkdir(parents=True)
    with peers.running(tmp_path / "copies" / "easy-kme", certificates, tmp_path / "run") as served:
        assert all(Path(f"/proc/{each}").exists() for each in served.processes)
        figures = bench._round(served, 0.1)
    assert figures["pairs/s, 8 clients"] > 0
    lines = bench.table({"ndks serve": figures | {"keys/s, 128 a request": 1.0}, "easy-kme": figures}).splitlines()
    assert lines[-1].endswith("|  |")  # its keys in requests of 128 are not measured


def test_without_a_directory_no_peer_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KME_DIR", raising=False)
    excuses = peers.Excuses()
    with contextlib.ExitStack() as stack:
        assert bench._started_peers(stack, tmp_path, tmp_path, excuses) == {}
    assert not excuses


def _is_gone(process: int) -> bool:
    """Tell whether a process ends; one that was killed may be there as long as nobody has waited for it."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
