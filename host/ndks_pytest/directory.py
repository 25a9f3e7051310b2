# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of one test's units: in memory where the system has a file system there, as units sync each step."""

import contextlib
import tempfile
from collections.abc import Generator
from pathlib import Path

from ndks.held_directory import held_directory, remove_abandoned

_MEMORY = Path("/dev/shm")  # noqa: S108 (directories in it have random names and mode 0700)
_PREFIX = "ndks-pytest-"


@contextlib.contextmanager
def made_directory(tmp_path: Path) -> Generator[Path]:
    """Make a directory, and remove it at the end; in `tmp_path` if there is none in memory."""
    with contextlib.ExitStack() as stack:
        try:
            remove_abandoned(_PREFIX, _MEMORY)  # nothing else frees the memory of tests that were killed
            directory = stack.enter_context(held_directory(_PREFIX, _MEMORY))
        except (OSError, ImportError):
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ndks-", dir=tmp_path)))
        yield directory
