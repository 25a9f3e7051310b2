# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Firmware and drive of an emulated chip, in its directory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import FileError, NoUnit, UnitBusy, UsageError
from .deploy import BOOT_OUT, FITS, deploy, supported_version

if TYPE_CHECKING:  # ndks-chip need not be installed
    from ndks_chip.fat12 import Tree
    from ndks_emulator.chip.directory import ChipDirectory

_DOWNLOAD = (
    f"download CircuitPython {FITS} for the Raspberry Pi Pico, a .uf2 file, from "
    "https://circuitpython.org/board/raspberry_pi_pico/"
)


def is_chip(path: Path) -> bool:
    """Return whether a directory belongs to an emulated chip."""
    from ndks_emulator import CHIP, kind_of

    try:
        return kind_of(path) == CHIP
    except (OSError, ValueError):
        return False


def need_ndks_chip() -> None:
    """Raise UsageError unless ndks-chip is installed."""
    try:
        import ndks_chip  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        what = f"an emulated chip needs the package ndks-chip, which is not installed ({error})"
        raise UsageError(what, "in the clone, run make chip, or pip install ./emulator/chip") from None


def read_image(path: Path) -> bytes:
    """Return the firmware in a .uf2 file: CircuitPython for the boards that the unit's code runs on. FileError."""
    from ndks_chip import BadImage, read_uf2
    from ndks_chip.layout import NVM_AT, version_of

    try:
        image = read_uf2(path, limit=NVM_AT)
    except BadImage as error:
        raise FileError(str(error), _DOWNLOAD) from None
    line = version_of(image)
    if supported_version(line) != FITS:
        what = line or "a program of another kind"
        raise FileError(f"{path} is not CircuitPython {FITS} for the Raspberry Pi Pico; it is {what}", _DOWNLOAD)
    return image


def open_chip(path: Path, *, create: bool = False) -> ChipDirectory:
    """Return the directory of a chip, locked. `create` permits a new one in an empty directory. NoUnit, UnitBusy."""
    import ndks_emulator
    from ndks_emulator.chip.directory import ChipDirectory

    try:
        return ChipDirectory(path, create=create)
    except ndks_emulator.DirectoryInUse as error:
        raise UnitBusy(str(error), "stop that process, or use its port") from None
    except ndks_emulator.OtherKind as error:
        raise NoUnit(str(error), "name another directory for the chip, or omit --chip") from None
    except ndks_emulator.DirectoryError as error:
        raise NoUnit(str(error), "name another directory; ndks makes a new chip in an empty directory") from None


def install(directory: ChipDirectory, image: bytes | None, tell: Callable[[str], object]) -> None:
    """Give a chip the firmware in `image`; a new chip gets the unit's code on its drive too. NoUnit, FileError."""
    from ndks_chip.layout import NVM_AT, version_of

    if image is None:
        if directory.is_new:
            raise NoUnit(f"the chip in {directory.path} has no firmware yet", "add --chip IMAGE")
        return
    if directory.is_new:
        tell(f"a new chip with {version_of(image)}; its drive gets the unit's code")
        directory.replace(firmware=image, drive=_new_drive(image))
    elif directory.firmware != image.ljust(NVM_AT, b"\xff"):
        tell(f"the chip gets another firmware, {version_of(image)}; its state and its drive stay")
        directory.replace(firmware=image)


def deploy_to_chip(directory: ChipDirectory, progress: Callable[[str], object], *, source: bool = False) -> list[str]:
    """Do what `deploy` does with the drive of a chip that does not run. NoUnit, FileError."""
    from ndks_chip.fat12 import BadDrive, read_drive

    install(directory, None, progress)
    try:
        tree = read_drive(directory.drive)
    except BadDrive as error:
        what = f"the drive of the chip in {directory.path} cannot be read: {error}"
        raise FileError(what, "make a new chip in another directory") from None
    files, drive = _deployed(tree, directory.firmware, progress, source=source)
    directory.replace(drive=drive)
    return files


def _new_drive(image: bytes) -> bytes:
    from ndks_chip.fat12 import new_drive

    return _deployed(new_drive(), image, lambda _: None)[1]


def _deployed(
    tree: Tree, firmware: bytes, progress: Callable[[str], object], *, source: bool = False
) -> tuple[list[str], bytes]:
    """Deploy to a copy of a drive in a directory; return the paths of the copied files, and the new drive."""
    from ndks_chip.fat12 import DriveFull, make_drive
    from ndks_chip.layout import version_of

    with tempfile.TemporaryDirectory(prefix="ndks-chip-") as name:
        copy = Path(name)
        _write_tree(tree, copy)
        is_first = BOOT_OUT not in tree  # CircuitPython writes it at its first start
        if is_first:
            (copy / BOOT_OUT).write_text(version_of(firmware), encoding="ascii")
        files = deploy(copy, progress, source=source)
        if is_first:
            (copy / BOOT_OUT).unlink()
        try:
            return files, make_drive(_read_tree(copy))
        except DriveFull as error:
            raise FileError(str(error), "make a new chip in another directory") from None


def _write_tree(tree: Tree, directory: Path) -> None:
    for name, content in tree.items():
        if Path(name).name != name or not name.isprintable():  # an image from elsewhere may contain any name
            what = f"the drive of the chip has a file with the impossible name {name!r}"
            raise FileError(what, "make a new chip in another directory")
        if isinstance(content, bytes):
            (directory / name).write_bytes(content)
        else:
            (directory / name).mkdir()
            _write_tree(content, directory / name)


def _read_tree(directory: Path) -> Tree:
    entries = sorted(directory.iterdir())
    return {entry.name: _read_tree(entry) if entry.is_dir() else entry.read_bytes() for entry in entries}
