# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""File systems without unnamed files, and append-only directories, which never release a name."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.asking import next_index
from host.conftest import Call
from host.refusing import append_only, refuse, refuse_names
from host.running import assert_refused, run

import ndks
from ndks.exceptions import FileError
from ndks.whole_file import private_file, whole_file, write_private

CAN_BE_UNNAMED = hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir()
REFUSALS = [errno.EPERM, errno.EOPNOTSUPP, errno.EACCES, errno.ENOENT, errno.EXDEV, errno.ELOOP, errno.EINVAL]
SECRET = b"no part of this may stay" * 1000

needs_unnamed = pytest.mark.skipif(not CAN_BE_UNNAMED, reason="this system has no files without a name")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def contents(directory: Path) -> set[bytes]:
    return {path.read_bytes() for path in directory.iterdir()}


@needs_unnamed
@pytest.mark.parametrize("number", REFUSALS)
@pytest.mark.parametrize("old", [None, b"old"])
def test_the_file_is_written_with_a_name(
    number: int, old: bytes | None, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if old:
        (desk / "out").write_bytes(old)
    refuse_names(monkeypatch, number)
    write_private(desk / "out", SECRET)
    assert (desk / "out").read_bytes() == SECRET
    assert (desk / "out").stat().st_mode & 0o777 == 0o600
    assert names(desk) == ["out"]


@needs_unnamed
@pytest.mark.parametrize("number", REFUSALS)
def test_a_file_that_came_meanwhile_stays(number: int, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_names(monkeypatch, number)

    def write_while_another_does() -> None:
        with private_file(desk / "out", overwrite=False) as file:
            file.write(SECRET)
            (desk / "out").write_bytes(b"precious")

    with pytest.raises(FileError, match="exists"):
        write_while_another_does()
    assert (names(desk), contents(desk)) == (["out"], {b"precious"})


@needs_unnamed
def test_a_disk_that_is_full_at_the_second_time(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_names(monkeypatch, errno.EPERM)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        write_private(small_disk / "out", bytes(250_000))
    assert names(small_disk) == []


@needs_unnamed
def test_a_long_file_takes_no_memory(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    refuse_names(monkeypatch, errno.EOPNOTSUPP)
    tracemalloc.start()
    with whole_file(desk / "out", private=True) as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (desk / "out").stat().st_size == 64 << 20
    assert most < 8 << 20


@needs_unnamed
def test_every_writing_command_goes_on(alice: str, bob: str, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch):
    refuse_names(monkeypatch, errno.EPERM)
    (desk / "letter").write_bytes(b"dear Bob")
    commands = (
        ("key", "--unit", alice, "-o", desk / "key"),
        ("key", "--unit", alice, "-o", desk / "key", "--force"),
        ("stream", "--bits", 80, "--unit", alice, "-o", desk / "stream"),
        ("encrypt", desk / "letter", "--unit", alice),
        ("decrypt", desk / "letter.ndks", "--unit", bob, "-o", desk / "opened"),
        ("network", "new", "office", "-o", desk / "office.ndksnet"),
        ("provision", desk / "office.ndksnet", "--bind", "--unit", f"emulator:{desk / 'unit'}"),
        ("bind", "--backup", desk / "copy"),
    )
    for command in commands:
        finished = call(*command)
        assert finished.status == 0, finished.stderr
    assert (desk / "opened").read_bytes() == b"dear Bob"
    assert not [name for name in names(desk) if name.startswith(".ndks-")]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Path]:
    """An append-only directory."""
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "old").write_bytes(b"old")
    with append_only(archive):
        yield archive


@needs_unnamed
def test_append_only_takes_a_new_file(archive: Path) -> None:
    write_private(archive / "out", SECRET, overwrite=False)
    assert names(archive) == ["old", "out"]
    assert (archive / "out").read_bytes() == SECRET


def test_append_only_keeps_no_secret_in_place_of_another_file(archive: Path) -> None:
    with pytest.raises(FileError, match="no file can be renamed or removed"):
        write_private(archive / "old", SECRET)
    assert contents(archive) <= {b"old", b""}


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("system", ["no O_TMPFILE", "no links"])
def test_append_only_keeps_no_secret_where_files_have_names(
    archive: Path, overwrite: bool, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if system == "no links":
        refuse_names(monkeypatch, errno.EPERM)
    else:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    with pytest.raises(FileError, match="no file can be renamed or removed"):
        write_private(archive / "out", SECRET, overwrite=overwrite)
    assert contents(archive) == {b"old", b""}


def test_commands_in_an_append_only_directory(alice: str, archive: Path) -> None:
    assert_refused(run("key", "--unit", alice, "-o", archive / "old", "--force"), "FILE", 1)
    assert_refused(run("stream", "--bits", 8000, "--unit", alice, "-o", archive / "stream"), "FILE", 1)
    assert_refused(run("stream", "--bits", 8000, "--unit", alice, "-o", archive / "old", "--force"), "FILE", 1)
    assert next_index(alice) == 1
    assert contents(archive) <= {b"old", b""}
    if CAN_BE_UNNAMED:
        assert run("key", "--unit", alice, "-o", archive / "key").status == 0
        assert next_index(alice) == 2


def test_a_network_file_that_cannot_be_replaced_gives_no_lane_away(network: ndks.Network, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    network.save(archive / "office.ndksnet")
    with append_only(archive):
        finished = run("provision", archive / "office.ndksnet", "--unit", f"emulator:{tmp_path / 'unit'}")
        assert_refused(finished, "FILE", 1)
    assert ndks.Network.load(archive / "office.ndksnet") == network
    with ndks.open(f"emulator:{tmp_path / 'unit'}") as unit:
        assert unit.hello.state == "blank"


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_name_that_suddenly_stays_leads_to_nothing(
    desk: Path, unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory becomes append-only between the check and the rename."""
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    (desk / "out").write_bytes(b"old")
    unlink = Path.unlink

    def keep_what_has_content(path: Path, missing_ok: bool = False) -> None:
        if path.stat().st_size:
            raise refuse(errno.EPERM, str(path))
        unlink(path, missing_ok=missing_ok)

    def refuse_renaming(path: Path, target: Path) -> None:
        raise refuse(errno.EPERM, str(path))

    monkeypatch.setattr(Path, "unlink", keep_what_has_content)
    monkeypatch.setattr(Path, "replace", refuse_renaming)
    with pytest.raises(PermissionError) as refused:
        write_private(desk / "out", SECRET)
    assert refused.value.filename == str(desk / "out")
    assert contents(desk) == {b"old", b""}
