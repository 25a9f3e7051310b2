# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The drives of boards with two versions of the firmware, each as its own `ndks deploy` writes it."""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ndks_chip.fat12 import Tree, new_drive

CLONE = Path(__file__).resolve().parents[3]
_ROOMS = ("host", "protocol", "firmware", "emulator")


@contextmanager
def checkout(reference: str) -> Iterator[Path]:
    """Yield a directory with the files of a git reference. Raises CalledProcessError for one that does not exist."""
    files = subprocess.run(["git", "archive", reference], cwd=CLONE, check=True, stdout=subprocess.PIPE).stdout
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as directory:
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            archive.extractall(directory, filter="data")
        yield Path(directory)


def described(reference: str = "") -> str:
    """Return the short name of a commit; of the present tree by default, with a + if it has changes."""
    suffix = [reference] if reference else ["--dirty=+"]
    command = ["git", "describe", "--always", "--exclude=*", *suffix]
    return subprocess.run(command, cwd=CLONE, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def deployed(clone: Path, boot_out: str) -> Tree:
    """Return a new drive after `ndks deploy` of this clone, in a process that has its code only."""
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as directory:
        drive = Path(directory)
        _write({**new_drive(), "boot_out.txt": boot_out.encode()}, drive)
        path = os.pathsep.join(str(clone / room) for room in _ROOMS)
        command = [sys.executable, "-m", "ndks", "deploy", str(drive)]
        subprocess.run(command, cwd=clone, env=os.environ | {"PYTHONPATH": path}, check=True, stdout=subprocess.DEVNULL)
        return _read(drive)


def _write(tree: Tree, directory: Path) -> None:
    for name, content in tree.items():
        if isinstance(content, bytes):
            (directory / name).write_bytes(content)
        else:
            (directory / name).mkdir()
            _write(content, directory / name)


def _read(directory: Path) -> Tree:
    return {path.name: _read(path) if path.is_dir() else path.read_bytes() for path in sorted(directory.iterdir())}
