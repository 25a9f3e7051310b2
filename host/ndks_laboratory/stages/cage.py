# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Cages for processes, made of network namespaces, and a process's view of its own cage."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ndks.laptop.homes import HOME
from ndks_laboratory import times

_CAGES = (["unshare", "--net"], ["unshare", "-r", "--net"])  # the first works for root, the second for most users
_NAMESPACE = Path("/proc/self/ns/net")
_DESCRIPTORS = Path("/proc/self/fd")


def find_cage() -> list[str]:
    """Return the command prefix that runs a program in its own network namespace; empty if the system permits none."""
    for cage in _CAGES:
        if shutil.which(cage[0]) and _works([*cage, sys.executable, "-c", ""]):
            return cage
    return []


def environment(directory: Path, laptop: Path) -> dict[str, str]:
    """Return the environment of a process that keeps its files in `directory`, and its bindings in `laptop`."""
    temporary = directory / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "TMPDIR": str(temporary),
        HOME: str(laptop),
    }


def end(processes: "Iterable[subprocess.Popen[bytes]]") -> None:
    """Kill running processes together with all processes of the sessions that they lead."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def namespace() -> str:
    """Return the network namespace of this process, or "" on a system without namespaces."""
    return str(_NAMESPACE.readlink()) if _NAMESPACE.exists() else ""


def open_descriptors() -> dict[str, str]:
    """Return the targets of the open descriptors of this process by number."""
    found: dict[str, str] = {}
    for link in _DESCRIPTORS.iterdir() if _DESCRIPTORS.exists() else ():
        with contextlib.suppress(OSError):  # the descriptor of the listing itself
            found[link.name] = str(link.readlink())
    return {number: target for number, target in found.items() if _is_open(int(number))}


def interfaces() -> list[str]:
    """Return the network interfaces of this process; /sys/class/net may show those of another namespace."""
    return [name for _, name in socket.if_nameindex()]


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=times.CAGE_TRIED, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
