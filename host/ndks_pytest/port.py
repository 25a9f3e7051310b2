# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The port of a unit in a process of its own, and the faults of that unit."""

import contextlib
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from .unit import no_fault


class PortInTest(str):
    """The name of a port, with faults of the unit behind it. On a port that --ndks-unit names, they skip the test.

    It stays the same when the unit comes back.
    """

    __slots__ = ("_process",)
    _process: "subprocess.Popen[str] | None"

    def __new__(cls, port: str, process: "subprocess.Popen[str] | None" = None) -> "PortInTest":
        made = super().__new__(cls, port)
        made._process = process
        return made

    def open_case(self) -> None:
        """Open the case: the unit erases itself, and refuses requests with DeviceError TAMPERED."""
        self._tell("case open")

    def cut_power(self, steps: int = 0) -> None:
        """Cut the power now, or after `steps` more steps of flash: a programmed page takes two, an erase two."""
        self._tell(f"power cut {steps}")

    def unplug(self) -> None:
        """Pull the cable: there is no such port until `plug_in`."""
        self._tell("cable out")

    def plug_in(self) -> None:
        """Plug the unit in again. When this returns it has started; a chip or board has not yet: `ndks.open` waits."""
        self._tell("cable in")

    def _tell(self, command: str) -> None:
        """Have the process do something. RuntimeError: it cannot now, or has ended."""
        process = self._process or no_fault(self)
        assert process.stdin
        assert process.stdout
        with contextlib.suppress(BrokenPipeError):  # there is no answer then
            process.stdin.write(f"{command}\n")
        answer = process.stdout.readline()
        if not answer.startswith("ok"):
            raise RuntimeError(f"{command}: {answer.strip() or 'the unit has ended'}")


@contextlib.contextmanager
def started(directory: Path, image: Path | None = None) -> Generator[PortInTest]:
    """Run the unit in a directory, or a chip with this image, in a process that ends with the block, or with pytest."""
    if sys.platform == "win32":
        pytest.skip("this system has no pseudo-terminals")
    link = directory.with_name(f"{directory.name}.port")
    command = [sys.executable, "-P", "-m", "ndks_pytest.process", directory, link, *([image] if image else [])]
    # In its own session: Ctrl-C reaches pytest only, and the unit serves until the fixtures of the test have ended.
    with subprocess.Popen(
        command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            if not process.stdout.readline():
                raise RuntimeError(f"the unit did not start; exit status {process.wait()}")
            yield PortInTest(str(link), process)
        finally:
            process.kill()
