# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Invalid, closed, busy and silent ports, and ports of other devices: the error and exit status of each."""

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from host.answering_pty import Answering, HelloAnswer, answering_pty, echo, garbage, silence
from host.running import Finished, assert_refused, run
from serial.urlhandler import protocol_socket
from support.emulate_process import PATIENCE, emulated

import ndks
from ndks.driver.unit import open_port
from ndks.line import transport
from ndks.line.transport import open_transport

HELLO_4 = b"\x04\x00" + bytes(61)  # major version 4, with the size of the current answer
NOBODY = 65534
HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+b", buffering=0) as port:
    fcntl.flock(port, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""
OPEN_WITHOUT_RIGHTS = f"""
import os, sys
import ndks.cli
ndks.cli.main(["info", "--unit", "/dev/there is none"])  # loads what it needs
sys.stderr.flush()
if os.geteuid() == 0:
    os.seteuid({NOBODY})  # root may open anything; what is needed is imported by now
sys.exit(ndks.cli.main(["info", "--unit", sys.argv[1]]))
"""


@pytest.fixture
def silent_port() -> Iterator[str]:
    with answering_pty(silence) as path:
        yield path


def ask(answer: Answering, timeout: float) -> Finished:
    with answering_pty(answer) as path:
        return run("info", "--unit", path, "--timeout", timeout)


def hold(port: str) -> subprocess.Popen[str]:
    """Start another program that holds the port; it closes the port when its stdin is closed."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", HOLD, port], **pipes)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("name", ["/dev/ttyNoSuchPort", "COM77", "nonsense", "E66038B713596E2A"])
def test_wrong_port(name: str, tmp_path: Path) -> None:
    finished = run("info", "--unit", name, cwd=tmp_path)
    assert_refused(finished, "NO_UNIT", 3)
    assert name in finished.stderr


def test_wrong_tcp_port() -> None:
    assert_refused(run("info", "--unit", "socket://127.0.0.1:1"), "NO_UNIT", 3)


def test_directory_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear Bob")
    assert_refused(run("info", "--unit", f"emulator:{tmp_path}"), "NO_UNIT", 3)


def test_kind_of_port_that_does_not_exist() -> None:
    assert_refused(run("info", "--unit", "carrier-pigeon://roof"), "USAGE", 2)


@pytest.mark.parametrize("name", ["socket://127.0.0.1", "socket://127.0.0.1:x", "/dev/null"])
def test_name_that_leads_nowhere(name: str) -> None:
    finished = run("info", "--unit", name)
    assert finished.error_code in ("USAGE", "NO_UNIT")
    assert finished.status in (2, 3)
    assert finished.output == b""


def test_no_permission(silent_port: str) -> None:
    Path(silent_port).chmod(0)
    command = [sys.executable, "-c", OPEN_WITHOUT_RIGHTS, silent_port]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    finished = Finished(done.returncode, done.stdout, done.stderr.decode().splitlines()[-1])
    assert_refused(finished, "PERMISSION", 4)
    assert "70-ndks.rules" in finished.advice
    assert "dialout" in finished.advice


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_no_permission_as_pyserial_says_it(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(port: serial.Serial) -> None:
        raise serial.SerialException(number, f"could not open port {port.port}: [Errno {number}] {os.strerror(number)}")

    monkeypatch.setattr(serial.Serial, "open", refuse)
    with pytest.raises(ndks.PortPermission):
        ndks.open("/dev/ttyACM0")


def test_busy_port(silent_port: str) -> None:
    with hold(silent_port) as other:
        assert_refused(run("info", "--unit", silent_port, "--timeout", 0.2), "BUSY", 4)
        other.kill()


def test_port_that_is_busy_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A modem manager probes a new port.
    monkeypatch.setitem(open_port.__kwdefaults__, "patience", PATIENCE)  # the other program may end late
    with emulated(tmp_path / "alice") as unit, hold(unit.port) as other:
        assert other.stdin
        letting_go = threading.Timer(0.5, other.stdin.close)
        letting_go.start()
        with ndks.open(unit.port, PATIENCE) as opened:
            assert opened.hello.state == "blank"
        letting_go.join()


def test_a_port_as_pyserial_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS and Windows."""
    monkeypatch.setattr(transport, "_READS_FILES", False)
    with emulated(tmp_path / "alice") as unit, ndks.open(unit.port) as opened:
        assert opened.status().state == "blank"
        unit.end(signal.SIGTERM)
        with pytest.raises(ndks.UnitRemoved):
            opened.status()


def test_unit_that_another_process_runs(tmp_path: Path) -> None:
    with emulated(tmp_path / "alice") as unit:
        finished = run("info", "--unit", f"emulator:{tmp_path / 'alice'}")
        assert_refused(finished, "BUSY", 4)
        assert str(unit.process.pid) in finished.stderr


def test_silent_device(silent_port: str) -> None:
    assert_refused(run("info", "--unit", silent_port, "--timeout", 1), "TIMEOUT", 6)


@pytest.mark.parametrize("answer", [garbage, echo])
def test_device_that_is_no_unit(answer: Answering) -> None:
    assert_refused(ask(answer, timeout=5), "NO_UNIT", 3)


@pytest.mark.parametrize("payload", [HELLO_4, HELLO_4[:2], HELLO_4 + b"news"])
def test_unit_of_the_next_major_version(payload: bytes) -> None:
    finished = ask(HelloAnswer(payload), timeout=PATIENCE)
    assert_refused(finished, "PROTOCOL_VERSION", 4)
    assert "this host" in finished.advice


def test_unit_of_an_older_major_version() -> None:
    finished = ask(HelloAnswer(b"\x01" + HELLO_4[1:]), timeout=PATIENCE)
    assert_refused(finished, "PROTOCOL_VERSION", 4)
    assert "the unit: ndks deploy" in finished.advice


def test_malformed_greeting() -> None:
    assert_refused(ask(HelloAnswer(b"\x03\x00"), timeout=PATIENCE), "PROTOCOL", 4)


def test_port_that_vanishes_while_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    termios = pytest.importorskip("termios")

    def flush(_: serial.Serial) -> None:
        raise termios.error(errno.EIO, os.strerror(errno.EIO))  # termios.error is not an OSError

    monkeypatch.setattr(serial.Serial, "reset_input_buffer", flush)
    with answering_pty(silence) as path, pytest.raises(ndks.NdksError):
        open_transport(path, 1).close()


def test_connection_that_is_reset_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ndks.UnitBusy, match="closed the connection at once"):
        transport.SerialTransport("socket://127.0.0.1:7000", 1, 0)


def test_connection_that_is_reset_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept_and_reset(_: protocol_socket.Serial) -> None:
            connection, _address = server.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        monkeypatch.setattr(protocol_socket.Serial, "_reconfigure_port", accept_and_reset)  # when it has connected
        with pytest.raises(ndks.UnitBusy, match="closed the connection at once"):
            transport.SerialTransport(f"socket://127.0.0.1:{server.getsockname()[1]}", 1, 0)


def test_unit_is_removed_while_it_is_waited_for(tmp_path: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    with subprocess.Popen([sys.executable, "-m", "ndks", "info", "--unit", path], stderr=subprocess.PIPE) as process:
        os.read(master, 1)  # the request has arrived, so the port is open
        os.close(slave)
        os.close(master)
        _, stderr = process.communicate(timeout=PATIENCE)
        assert_refused(Finished(process.returncode, b"", stderr.decode()), "REMOVED", 6)
