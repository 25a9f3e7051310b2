# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The cause of a port error, from the messages of pyserial on POSIX and on Windows."""

import errno

import pytest
import serial

import ndks
from ndks.line.transport import _refusal

WINDOWS = "could not open port 'COM3': "


def refusal(*arguments: object) -> type[ndks.NdksError]:
    error = _refusal("COM3", serial.SerialException(*arguments))
    assert "COM3" in str(error)
    assert error.advice
    return type(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PermissionError(13, 'Access is denied.', None, 5)", ndks.UnitBusy),
        ("PermissionError(13, 'Zugriff verweigert', None, 5)", ndks.UnitBusy),  # Windows localizes its messages
        ("PermissionError(13, 'Accès refusé.', None, 5)", ndks.UnitBusy),
        ("FileNotFoundError(2, 'The system cannot find the file specified.', None, 2)", ndks.NoUnit),
        ("FileNotFoundError(2, 'Das System kann die angegebene Datei nicht finden.', None, 2)", ndks.NoUnit),
        ("OSError(22, 'A device attached to the system is not functioning.', None, 31)", ndks.NoUnit),
    ],
)
def test_windows_has_a_text_only(text: str, expected: type[ndks.NdksError]) -> None:
    assert refusal(WINDOWS + text) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, ndks.PortPermission),
        (errno.EPERM, ndks.PortPermission),
        (errno.EBUSY, ndks.UnitBusy),
        (errno.EAGAIN, ndks.UnitBusy),
        (errno.ENOENT, ndks.NoUnit),
        (errno.ENODEV, ndks.NoUnit),
        (errno.EIO, ndks.NoUnit),
        (errno.EISDIR, ndks.NoUnit),
    ],
)
def test_posix_has_a_number(number: int, expected: type[ndks.NdksError]) -> None:
    assert refusal(number, f"could not open port COM3: [Errno {number}]") is expected


def test_lock_of_another_program() -> None:
    text = "Could not exclusively lock port COM3: [Errno 11] Resource temporarily unavailable"
    assert refusal(errno.EAGAIN, text) is ndks.UnitBusy


def test_nobody_listens_on_a_tcp_port() -> None:
    # pyserial's socket:// has this form: a capital letter and no number.
    text = "Could not open port socket://127.0.0.1:7000: [Errno 111] Connection refused"
    assert refusal(text) is ndks.NoUnit


def test_something_that_is_no_terminal() -> None:
    assert refusal("Could not configure port: (25, 'Inappropriate ioctl for device')") is ndks.UsageError
