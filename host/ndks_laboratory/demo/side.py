# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One side of the stage, alone in its cage: starts unit and laptop, pulls the cable once, writes down the evidence.

python -m ndks_laboratory.demo.side DIR
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from ndks_laboratory.stages.cage import interfaces, namespace, open_descriptors

from .plan import STREAMING, TIMEOUT, SideFiles


@contextlib.contextmanager
def plugged_in_unit(files: SideFiles) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Start the emulated unit in a process of its own; yield its port and the process; unplug it at the end."""
    command = [sys.executable, "-m", "ndks", "emulate", str(files.unit), "--pty"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as unit:
        assert unit.stdout
        try:
            yield unit.stdout.readline().strip(), unit
        finally:
            unit.kill()


def start_laptop(port: str, files: SideFiles, phase: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ndks_laboratory.demo.laptop", port, str(files.directory), phase]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def run_before(files: SideFiles) -> int:
    """Take keys, then pull the cable while a long one is streaming; return the index of that one."""
    with plugged_in_unit(files) as (port, unit), start_laptop(port, files, "before") as laptop:
        assert laptop.stdout
        interrupted = 0
        for line in laptop.stdout:
            print(line, end="", flush=True)
            if line.startswith(STREAMING):
                interrupted = int(line.split()[1])
                unit.kill()
                print("side: cable pulled", flush=True)
    if laptop.returncode or not interrupted:
        raise RuntimeError(f"the laptop ended with status {laptop.returncode}")
    return interrupted


def run_after(files: SideFiles) -> None:
    """Plug the unit in again and take the rest of the keys."""
    with plugged_in_unit(files) as (port, _), start_laptop(port, files, "after") as laptop:
        output, _ = laptop.communicate(timeout=TIMEOUT)
    print(output, end="", flush=True)
    if laptop.returncode:
        raise RuntimeError(f"the laptop ended with status {laptop.returncode}")


def main(directory: str) -> int:
    evidence: dict[str, Any] = {
        "descriptors": open_descriptors(),  # first, before anything of ours is open
        "namespace": namespace(),
        "interfaces": interfaces(),
    }
    files = SideFiles(Path(directory))
    files.keys.mkdir(mode=0o700)
    evidence["interrupted"] = run_before(files)
    run_after(files)
    files.evidence.write_text(json.dumps(evidence))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
