# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Servers of keys by others, each from a checkout and the environment in its `.venv`, which its user has made."""

import contextlib
import http.client
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.key_servers.clients import Served, pairs

from . import easy_kme, etsi_qkd_rest, qkd_stub
from .programs import NotRun, family

Start = Callable[[Path, Path, Path], contextlib.AbstractContextManager[Served]]
PEERS: dict[str, Start] = {
    "easy-kme": easy_kme.start,
    "etsi-qkd-rest": etsi_qkd_rest.start,
    "qkd-stub": qkd_stub.start,
}
_FAILURES = NotRun, OSError, AssertionError, ValueError, http.client.HTTPException
_TRIAL = 0.2  # seconds


@contextlib.contextmanager
def running(checkout: Path, certificates: Path, directory: Path) -> Iterator[Served]:
    """Run the peer that the checkout is named after, in a directory that is made. NotRun, or what its client met."""
    if not checkout.is_dir():
        raise NotRun("it is not in KME_DIR")
    directory.mkdir()
    with PEERS[checkout.name](checkout, certificates, directory) as served:
        pairs(served, 1, _TRIAL)  # then all workers are there
        yield served._replace(processes=tuple(each for process in served.processes for each in family(process)))


def commit_of(checkout: Path) -> str:
    """Return the short id of the commit, or nothing where there is no git or no repository."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short=7", "HEAD"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    return ""


class Excuses(dict[str, str]):
    """Why peers are not measured, by name."""

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Note what goes wrong in the block, and go on."""
        try:
            yield
        except _FAILURES as error:
            self[name] = " ".join(f"{error or type(error).__name__}".split())[:200]
