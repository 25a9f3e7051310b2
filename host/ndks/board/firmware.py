# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The files of the firmware for the drive of a board, as a release build or as source."""

import importlib.util
from pathlib import Path

from ndks_protocol.cell_tables import CELL_BITS, file_name

from ..exceptions import NdksError, UsageError
from ..shipped import CIRCUITPY, RELEASE
from .release.build import ENTRY, Build, build, loaded
from .release.program import BuildError
from .source import LARGEST_SOURCE, for_board, heap_size, loaded_size
from .tables import table_file

PACKAGES = ("ndks_protocol", "ndks_unit")
_BESIDE = ("safemode.py", "boot.py", ENTRY)  # at the top of the drive


def sources() -> dict[str, str]:
    """Return the source of each firmware file by its path on the drive; works in a clone and in a wheel."""
    paths: dict[str, Path] = {}
    for package in PACKAGES:
        root = _package(package)
        paths |= {f"lib/{package}/{path.relative_to(root).as_posix()}": path for path in sorted(root.rglob("*.py"))}
    paths |= {name: CIRCUITPY / name for name in _BESIDE}
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


def source_files() -> dict[str, bytes]:
    """Return the firmware as shortened source. UsageError: it does not fit on a board."""
    files = loaded_source()
    size = loaded_size({path: heap_size(text) for path, text in files.items()})
    if size > LARGEST_SOURCE:
        raise UsageError(
            f"the source that a unit loads has {size} bytes, and at most {LARGEST_SOURCE} fit on a board",
            "deploy without --source",
        )
    return files


def loaded_source() -> dict[str, bytes]:
    """Return the shortened source of what a board may load, by path on the drive."""
    firmware = sources()
    wanted = loaded(_library(firmware)) | set(_BESIDE)
    return {name: for_board(text).encode() for name, text in firmware.items() if name in wanted}


def release_files() -> dict[str, bytes]:
    """Return the release build: the one that is shipped, or in a clone one that is made now.

    UsageError: there is no mpy-cross.
    """
    if RELEASE.is_dir():
        paths = (path for path in sorted(RELEASE.rglob("*")) if path.is_file())
        return {path.relative_to(RELEASE).as_posix(): path.read_bytes() for path in paths}
    return made_files(sources())


def made_files(firmware: dict[str, str]) -> dict[str, bytes]:
    """Compile a release build. UsageError: there is no mpy-cross. NdksError: a step refuses the source."""
    alone = {name: for_board(firmware[name]).encode() for name in _BESIDE if name != ENTRY}
    try:
        return release_build(firmware).files() | alone
    except BuildError as error:
        raise NdksError(str(error), "change the firmware, or deploy it with --source, which keeps all names") from None


def release_build(firmware: dict[str, str]) -> Build:
    """Return the release build of the source before it is compiled."""
    return build(_library(firmware))


def _library(firmware: dict[str, str]) -> dict[str, str]:
    """Return the firmware without the files that import nothing of it."""
    return {name: text for name, text in firmware.items() if name == ENTRY or name not in _BESIDE}


def table_files() -> dict[str, bytes]:
    """Return the tables of the fast generator by their paths on the drive."""
    return {f"lib/ndks_unit/{file_name(digits)}": table_file(digits) for digits in CELL_BITS}


def _package(name: str) -> Path:
    # Not imported: the host only copies the unit's code.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise NdksError(f"the package {name} is missing", "install ndks again")
    return Path(spec.origin).parent
