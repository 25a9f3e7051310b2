# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Atomic files: unnamed until complete if the system supports it, otherwise with a temporary name."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from host.refusing import refuse_names
from support.emulate_process import PATIENCE

from ndks.exceptions import FileError
from ndks.files import Sink, reading, storing, writing
from ndks.whole_file import private_file, whole_file, write_private

CAN_BE_UNNAMED = hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir()
NOBODY = 65534

KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from ndks.whole_file import private_file
with private_file(Path(sys.argv[1])) as file:
    file.write(bytes(100_000))
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
WRITE_WITHOUT_RIGHTS = f"""
import errno, os, sys
from pathlib import Path
from ndks.whole_file import private_file
if os.geteuid() == 0:
    os.seteuid({NOBODY})  # root may write anywhere; what is needed is imported by now
target = Path(sys.argv[1])
try:
    with private_file(target) as file:
        file.write(b"new")
except OSError as error:
    print(target.read_text(), errno.errorcode[error.errno])
"""


class Stopped(Exception):
    pass


@pytest.fixture(params=["unnamed", "no O_TMPFILE", "refused by the file system", "no /proc", "no name to be had"])
def any_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Systems with and without unnamed files."""
    if request.param == "unnamed" and not CAN_BE_UNNAMED:
        pytest.skip("this system has no files without a name")
    if request.param == "no O_TMPFILE":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    if request.param == "refused by the file system":
        monkeypatch.setattr(os, "O_TMPFILE", 1 << 40, raising=False)  # open() overflows or refuses
        monkeypatch.setattr("ndks.whole_file.os.open", refusing(os.open))
    if request.param == "no name to be had":
        refuse_names(monkeypatch, errno.EPERM)
    if request.param == "no /proc":
        monkeypatch.setattr("ndks.whole_file._DESCRIPTORS", tmp_path / "proc")
    return request.param


def refusing(opening: object) -> object:
    def open_or_refuse(path: object, flags: int, *args: object, **options: object) -> int:
        if flags & 1 << 40:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return opening(path, flags, *args, **options)

    return open_or_refuse


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o026)
    yield 0o026
    os.umask(before)


def stop_in_the_middle(writer: AbstractContextManager[Sink], interruption: type[BaseException]) -> None:
    with writer as file:
        file.write(b"new")
        raise interruption


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.usefixtures("any_system")
@pytest.mark.parametrize("old", [None, b"something longer than the new"])
def test_whole(desk: Path, old: bytes | None) -> None:
    target = desk / "out"
    if old is not None:
        target.write_bytes(old)
    with whole_file(target, private=False) as file:
        file.write(b"new")
        file.flush()
        assert (target.read_bytes() if target.exists() else None) == old
    assert target.read_bytes() == b"new"
    assert names(desk) == ["out"]


@pytest.mark.usefixtures("any_system")
@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("interruption", [Stopped, KeyboardInterrupt, SystemExit])
def test_stopped_in_the_middle(desk: Path, old: bytes | None, interruption: type[BaseException]) -> None:
    target = desk / "out"
    if old is not None:
        target.write_bytes(old)
    with pytest.raises(interruption):
        stop_in_the_middle(whole_file(target, private=True), interruption)
    assert names(desk) == (["out"] if old else [])
    assert not old or target.read_bytes() == old


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_each_step_may_fail(any_system: str, desk: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if step == "link" and any_system != "unnamed":
        return  # a named file needs none
    if step == "replace":
        (desk / "out").write_bytes(b"old")  # otherwise nothing is replaced

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path if step == "replace" else os, step, refuse)
    with pytest.raises(OSError, match="error"):
        write_private(desk / "out", b"new")
    assert names(desk) == (["out"] if step == "replace" else [])


@pytest.mark.usefixtures("any_system")
def test_modes(desk: Path, umask: int) -> None:
    (desk / "old").touch(0o666)
    for name in ("old", "new"):
        with whole_file(desk / name, private=False):
            pass
        with whole_file(desk / f"{name} secret", private=True):
            pass
    modes = {path.name: path.stat().st_mode & 0o777 for path in desk.iterdir()}
    usual = 0o666 & ~umask
    assert modes == {"old": usual, "old secret": 0o600, "new": usual, "new secret": 0o600}


@pytest.mark.usefixtures("any_system")
def test_secrets_are_private_while_they_are_written(desk: Path) -> None:
    with private_file(desk / "out") as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("any_system")
def test_a_link_is_followed_and_stays(desk: Path) -> None:
    (desk / "there").mkdir()
    (desk / "there" / "file").write_bytes(b"old")
    (desk / "link").symlink_to("there/file")
    (desk / "to be").symlink_to("there/new")
    for name in ("link", "to be"):
        write_private(desk / name, b"new")
        assert (desk / name).is_symlink()
        assert (desk / name).read_bytes() == b"new"
    assert names(desk / "there") == ["file", "new"]


@pytest.mark.usefixtures("any_system")
def test_a_hard_link_keeps_the_old_content(desk: Path) -> None:
    (desk / "kept").write_bytes(b"old")
    os.link(desk / "kept", desk / "out")
    write_private(desk / "out", b"new")
    assert (desk / "kept").read_bytes() == b"old"


@pytest.mark.usefixtures("any_system")
def test_writers_at_the_same_time(desk: Path) -> None:
    """Each file is complete and from one writer."""
    contents = [bytes([number]) * 50_000 for number in range(8)]
    start = threading.Barrier(len(contents))

    def write(content: bytes) -> None:
        start.wait()
        for _ in range(5):
            write_private(desk / "out", content)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (desk / "out").read_bytes() in contents
    assert names(desk) == ["out"]


@pytest.mark.skipif(not CAN_BE_UNNAMED, reason="this system has no files without a name")
def test_no_name_before_the_end(desk: Path) -> None:
    with private_file(desk / "out") as file:
        file.write(bytes(100_000))
        file.flush()
        assert names(desk) == []


@pytest.mark.skipif(not CAN_BE_UNNAMED, reason="this system has no files without a name")
def test_killed_in_the_middle(desk: Path) -> None:
    command = [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(desk / "out")]
    assert subprocess.run(command, check=False, timeout=PATIENCE).returncode == -signal.SIGKILL
    assert names(desk) == []


@pytest.fixture
def readable_by_all() -> Iterator[Path]:
    """A directory that every user can read; pytest's own directories are private."""
    with tempfile.TemporaryDirectory(prefix="ndks-test-") as name:
        yield Path(name)


def test_directory_that_may_not_be_written(readable_by_all: Path) -> None:
    (readable_by_all / "out").write_bytes(b"old")
    readable_by_all.chmod(0o555)
    command = [sys.executable, "-c", WRITE_WITHOUT_RIGHTS, str(readable_by_all / "out")]
    done = subprocess.run(command, check=False, timeout=PATIENCE, capture_output=True, text=True)
    readable_by_all.chmod(0o755)
    assert (done.returncode, done.stdout) == (0, "old EACCES\n"), done.stderr
    assert names(readable_by_all) == ["out"]
    assert (readable_by_all / "out").read_bytes() == b"old"


@pytest.mark.usefixtures("any_system")
def test_directory_that_does_not_exist(desk: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_private(desk / "missing" / "out", b"new")
    assert names(desk) == []


@pytest.mark.usefixtures("any_system")
def test_directory_in_place_of_the_file(desk: Path) -> None:
    (desk / "out").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(desk / "out", b"new")
    assert names(desk) == ["out"]


@pytest.mark.usefixtures("any_system")
def test_names_of_the_longest_kind(desk: Path) -> None:
    name = "n" * 240  # file systems allow 255; the temporary name is slightly longer than the final one
    write_private(desk / name, b"new")
    assert names(desk) == [name]


class Recorder:
    """A sink that records its calls."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(bytes(data))

    def flush(self) -> None:
        self.done.append("flush")


def test_storing_in_a_sink_shows_nothing_before_the_end() -> None:
    sink = Recorder()
    with storing(sink) as file:
        file.write(b"first")
        file.flush()
        assert sink.done == []
    assert sink.done == [b"first", "flush"]


def test_storing_that_fails_shows_nothing() -> None:
    sink = Recorder()
    with pytest.raises(Stopped):
        stop_in_the_middle(storing(sink), Stopped)
    assert sink.done == []


def test_what_waits_to_be_shown_is_private(monkeypatch: pytest.MonkeyPatch, desk: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(desk))
    with storing(Recorder()) as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
        assert not CAN_BE_UNNAMED or names(desk) == []


def test_writing_to_a_sink_is_immediate() -> None:
    sink = Recorder()
    with writing(sink) as file:
        file.write(b"first")
        assert sink.done == [b"first"]
    assert sink.done == [b"first", "flush"]


def test_paths_may_be_texts(desk: Path) -> None:
    with storing(str(desk / "out")) as file:
        file.write(b"new")
    with reading(str(desk / "out")) as source:
        assert source.read(10) == b"new"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_stays(
    any_system: str, desk: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        if any_system == "unnamed":
            return  # this case needs links
        monkeypatch.setattr(os, "link", refuse)

    def write_while_another_does() -> None:
        with private_file(desk / "out", overwrite=False) as file:
            file.write(b"new")
            (desk / "out").write_bytes(b"precious")

    with pytest.raises(FileError, match="exists"):
        write_while_another_does()
    assert (desk / "out").read_bytes() == b"precious"
    assert names(desk) == ["out"]
    write_private(desk / "other", b"new", overwrite=False)
    assert (desk / "other").read_bytes() == b"new"
    assert names(desk) == ["other", "out"]
