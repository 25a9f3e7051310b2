# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two network namespaces, this process's and another, and a cable between them that can be pulled."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence

from ndks.exceptions import CheckFailed, NdksError
from ndks_laboratory import times
from ndks_laboratory.stages.cage import find_cage

CABLE = "cable"  # the interface at both ends
HERE, THERE = "10.77.0.1", "10.77.0.2"
_PROGRAMS = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2", "curl": "curl"}


class NoNamespaces(NdksError):
    code = "NO_NAMESPACES"
    usual_advice = "run it as root, or allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1"


class NoProgram(NdksError):
    code = "NO_PROGRAM"


def cage() -> list[str]:
    """Return the command prefix that runs a program where it may make namespaces. NoProgram, NoNamespaces."""
    missing = [program for program in _PROGRAMS if not shutil.which(program)]
    if missing:
        packages = " ".join(sorted({_PROGRAMS[program] for program in missing}))
        raise NoProgram(f"not on this computer: {', '.join(missing)}", f"sudo apt-get install {packages}")
    if found := find_cage():
        return found
    raise NoNamespaces("this system makes no network namespaces for this user")


class Cable:
    """Leads from this process's namespace to the other; `there` is the command prefix that runs a program there."""

    def __init__(self, pid: int) -> None:
        self.there = ["nsenter", f"--net=/proc/{pid}/ns/net"]
        _ip("link", "add", "name", CABLE, "type", "veth", "peer", "name", CABLE, "netns", str(pid))
        for prefix, address in (([], HERE), (self.there, THERE)):
            _ip("link", "set", "lo", "up", prefix=prefix)
            _ip("address", "add", f"{address}/24", "dev", CABLE, prefix=prefix)
            _ip("link", "set", CABLE, "up", prefix=prefix)

    def pull(self) -> None:
        _ip("link", "set", CABLE, "down", prefix=self.there)

    def plug_in(self) -> None:
        _ip("link", "set", CABLE, "up", prefix=self.there)


@contextlib.contextmanager
def laid() -> Generator[Cable]:
    """Make the other namespace, which lasts until the end of the block, and lay the cable."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    command = ["unshare", "--net", sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            if not process.stdout.readline():
                raise NoNamespaces("this system makes no second network namespace for this user")
            yield Cable(process.pid)
        finally:
            process.kill()


def _ip(*words: str, prefix: Sequence[str] = ()) -> None:
    command = [*prefix, "ip", *words]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=times.NETWORK, check=False)
    if finished.returncode:
        raise CheckFailed(f"{' '.join(command)}: {finished.stderr.strip()}")
