# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders that are interrupted: nothing half appears, and the same command goes on, also after SIGKILL."""

import contextlib
import copy
import io
import itertools
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from host.folding import (
    SMALL_TEXT,
    cut_at,
    entry,
    make_folder,
    nobody,
    packed,
    seen_in,
    small_volumes,
    volumes_done,
)

import ndks
from ndks.cli import main
from ndks.driver import folder_opening, folder_sealing
from ndks.driver.folder_opening import FolderOpener
from ndks.driver.folder_plans import PackingPlan, UnpackingPlan, load, part_of, plan_of
from ndks.driver.folder_volumes import capsule_size
from ndks.driver.unit import Unit
from ndks.exceptions import FileError
from ndks.folders import volumes
from ndks.folders.durable import alone_at
from ndks.folders.entries import END, Entry
from ndks.folders.pack import PackedFolder
from ndks.folders.read import FolderStream
from ndks.folders.removal import open_again, remove_folder
from ndks.folders.rules import Notes
from ndks.folders.unpack import FolderWriter

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("small_volumes",)

MOMENTS = 100 if os.environ.get("NDKS_TEST_FULL") else 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "folder", files=24, size=100_000)


def test_sealing_goes_on(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.ndks"
    with ndks.open(alice) as unit:
        first = unit.status().message_counter
        for done in range(1, 4):
            with cut_at(monkeypatch, "message_keys", 2):
                unit.encrypt_folder(folder, target)
            plan = load(target, PackingPlan)
            assert plan
            assert plan.volumes == done
            assert not target.exists()
        told: list[int] = []
        sealed = unit.encrypt_folder(folder, target, progress=lambda size, _: told.append(size))
        assert unit.status().message_counter - first == sealed.volumes  # each was sealed once
        assert sum(told) == sealed.bytes
        assert sealed.files == 24
    assert not [*tmp_path.glob("*.part*")]
    with ndks.open(bob) as unit:
        unit.decrypt_folder(target, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen_in(folder)


@pytest.mark.parametrize("change", ["content", "new file", "mode", "gone"])
def test_a_folder_that_was_changed_is_sealed_anew(
    folder: Path,
    alice: str,
    bob: str,
    tmp_path: Path,
    small_volumes: None,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    target, early = tmp_path / "out.ndks", folder / "12.bin"
    with ndks.open(alice) as unit:
        with cut_at(monkeypatch, "message_keys", 3):
            unit.encrypt_folder(folder, target)
        status = early.stat()
        if change == "content":
            early.write_bytes(bytes(status.st_size))
            os.utime(early, ns=(0, status.st_mtime_ns))
        elif change == "new file":
            (folder / "0.new").touch()
        elif change == "mode":
            early.chmod(0o640)
        else:
            early.unlink()
        unit.encrypt_folder(folder, target)
    with ndks.open(bob) as unit:
        unit.decrypt_folder(target, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen_in(folder)


def test_a_change_behind_what_is_sealed_goes_in(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.ndks"
    with ndks.open(alice) as unit:
        first = unit.status().message_counter
        with cut_at(monkeypatch, "message_keys", 3):
            unit.encrypt_folder(folder, target)
        last = max(folder.glob("part */*"))
        last.write_bytes(b"new")
        sealed = unit.encrypt_folder(folder, target)
        assert unit.status().message_counter - first == sealed.volumes
    with ndks.open(bob) as unit:
        unit.decrypt_folder(target, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen_in(folder)


def test_another_unit_seals_anew(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.ndks"
    with ndks.open(alice) as unit, cut_at(monkeypatch, "message_keys", 3):
        unit.encrypt_folder(folder, target)
    with ndks.open(bob) as unit:
        unit.encrypt_folder(folder, target)
    with ndks.open(alice) as unit:
        assert unit.decrypt_folder(target, tmp_path / "out").lane == 2


@pytest.fixture
def capsule(folder: Path, alice: str, tmp_path: Path, small_volumes: None) -> Path:
    with ndks.open(alice) as unit:
        unit.encrypt_folder(folder, tmp_path / "out.ndks")
    return tmp_path / "out.ndks"


def test_opening_goes_on(capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        for done in range(1, 4):
            with cut_at(monkeypatch, "open_message_keys", 2):
                unit.decrypt_folder(capsule, target)
            plan = load(target, UnpackingPlan)
            assert plan
            assert len(plan.headers) == done
            assert not target.exists()
        (part_of(target) / "part 2" / "~ later").mkdir(parents=True, exist_ok=True)  # of a volume that was cut off
        (part_of(target) / "part 2" / "~ later" / "x").touch()
        opened = unit.decrypt_folder(capsule, target)
    assert opened.files == 24
    assert seen_in(target) == seen_in(folder)
    assert not [*target.parent.glob("*.part*")]


@pytest.mark.parametrize("call", [1, 2, 4])
def test_acceptance_goes_on(capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "accept", call):
            unit.decrypt_folder(capsule, target)
        assert seen_in(target) == seen_in(folder)  # it stands
        assert unit.decrypt_folder(capsule, target).files == 24
        assert not plan_of(target).exists()
        with pytest.raises(ndks.DeviceError):
            unit.decrypt_folder(capsule, target.with_name("other"))


def test_nothing_is_accepted_before_the_folder_stands(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 3):
            unit.decrypt_folder(capsule, capsule.with_name("out"))
        unit.decrypt_folder(capsule, capsule.with_name("other"))
        assert seen_in(capsule.with_name("other")) == seen_in(folder)


def test_an_unfinished_folder_that_was_altered(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 3):
            unit.decrypt_folder(capsule, target)
        shutil.rmtree(part_of(target) / "part 1", ignore_errors=True)
        for path in part_of(target).rglob("*.bin"):
            path.unlink()
        with pytest.raises(FileError, match="altered"):
            unit.decrypt_folder(capsule, target)
        unit.decrypt_folder(capsule, target, restart=True)
    assert seen_in(target) == seen_in(folder)


@pytest.mark.timeout(600 + 30 * MOMENTS)
@pytest.mark.parametrize("verb", ["encrypt", "decrypt"])
def test_killed_at_any_moment(folder: Path, alice: str, bob: str, tmp_path: Path, verb: str) -> None:
    """At random moments of the command; 100 with NDKS_TEST_FULL=1."""
    make_folder(folder / "more", files=12, size=500_000)
    seen, draw, goes_on, completed = seen_in(folder), random.Random(verb), 0, 0
    capsule, out = tmp_path / "x.ndks", tmp_path / "out"
    ways = {
        "encrypt": (["encrypt", folder, "-o", capsule, "--unit", alice], capsule),
        "decrypt": (["decrypt", capsule, "-o", out, "--unit", bob], out),
    }
    command, target = ways[verb]

    def begin_anew() -> None:
        remove(target)
        if verb == "decrypt":  # the volumes of before were accepted
            remove(capsule)
            assert begin(ways["encrypt"][0]).status() == 0

    begin_anew()
    running = begin(command)
    running.wait_until_begun()
    taken = -time.monotonic()
    assert running.status() == 0
    taken += time.monotonic()
    begin_anew()
    for number in itertools.count():
        if number >= MOMENTS:
            if goes_on or completed:
                break
            taken *= 2  # the machine has become slow
        before = volumes_done(target, verb)
        begin(command).kill_after(draw.uniform(0, taken))
        after = volumes_done(target, verb)
        if target.exists():
            completed += 1
            accepts = plan_of(target).exists() and verb == "decrypt"
            assert begin(command).status() == (0 if accepts else 1)
            assert verb == "encrypt" or seen_in(out) == seen
            begin_anew()
        else:
            assert after >= before
            goes_on += after > 0
    assert begin(command).status() == 0
    assert not [*tmp_path.glob("*.part*")]
    if verb == "encrypt":
        assert begin(ways["decrypt"][0]).status() == 0
    assert seen_in(out) == seen
    print(f"{verb}: {number} kills, {goes_on} left volumes to go on from, {completed} after the target stood")


@dataclass
class Running:
    """A command in a fork of this process, which writes to a pipe when it begins to work."""

    pid: int
    begun: int

    def wait_until_begun(self) -> None:
        assert os.read(self.begun, 1) == b"b"

    def kill_after(self, seconds: float) -> None:
        self.wait_until_begun()
        time.sleep(seconds)  # the moment is what is drawn
        os.kill(self.pid, signal.SIGKILL)
        self.status()

    def status(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.begun)
        return os.waitstatus_to_exitcode(status)


def begin(arguments: list[object]) -> Running:
    begun, telling = os.pipe()
    pid = os.fork()
    if pid:
        os.close(telling)
        return Running(pid, begun)
    status = 99
    try:
        volumes.TEXT_SIZE = SMALL_TEXT
        for name in ("encrypt_folder", "decrypt_folder"):
            setattr(Unit, name, _telling(getattr(Unit, name), telling))
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        status = main([str(argument) for argument in arguments])
    finally:
        os._exit(status)


def _telling(verb: Callable[..., object], pipe: int) -> Callable[..., object]:
    def telling(*args: object, **kwargs: object) -> object:
        os.write(pipe, b"b")
        return verb(*args, **kwargs)

    return telling


def remove(target: Path) -> None:
    for path in (target, part_of(target), plan_of(target)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def as_user(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may act as another user")
def test_folders_and_files_that_keep_their_owner_out_go_on() -> None:
    """What got its mode in a volume that was cut off is opened again, and removed, by a user whom modes bind."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        os.chown(name, 65534, 65534)
        stack.enter_context(as_user(65534))
        place = Path(name) / "out"
        place.mkdir(0o700)
        parts = [
            *(entry(".", is_folder=True, mode=0), entry("a", is_folder=True, mode=0)),
            *(entry("a/b", size=1000, mode=0), entry("c", is_folder=True, mode=0o555), entry("c/d", mode=0o444), END),
        ]
        data, cut = b"".join(parts), sum(map(len, parts[:2])) + 512 + 100  # in a/b
        with contextlib.closing(FolderWriter(place)) as writer:
            stream = FolderStream(writer)
            stream.write(data[:cut])
            states = json.loads(json.dumps([stream.state(), writer.state()]))
            stream.write(data[cut:])
        assert place.stat().st_mode & 0o777 == 0
        os.close(open_again(place))
        with contextlib.closing(FolderWriter(place)) as writer:
            stream = FolderStream(writer)
            stream.go_on(states[0])
            writer.go_on(states[1], states[0]["last"])
            assert {path.name for path in place.iterdir()} == {"a"}
            stream.write(data[cut:])
            stream.finish()
        stack.close()
        assert {name: mode & 0o777 for name, (mode, _, _) in seen_in(place).items()} == {
            ".": 0,
            "a": 0,
            "a/b": 0,
            "c": 0o555,
            "c/d": 0o444,
        }
        with as_user(65534):
            remove_folder(place)
        assert not place.exists()


def test_what_was_unpacked_is_not_read_again(capsule: Path, bob: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 4):
            unit.decrypt_folder(capsule, capsule.with_name("out"))
        read = 0

        class Counted(io.FileIO):
            def readinto(self, buffer: Any, /) -> int | None:
                nonlocal read
                taken = super().readinto(buffer)
                read += taken or 0
                return taken

        with io.BufferedReader(Counted(str(capsule))) as source:
            unit.decrypt_folder(source, capsule.with_name("out"))
    assert read < capsule.stat().st_size - 2 * capsule_size()


def test_a_stream_that_goes_on_anywhere_is_the_same(tmp_path: Path) -> None:
    """Bytes, counts, and what is said: each thing once, wherever the first part ended."""
    folder = make_folder(tmp_path / "folder", files=5, size=1500)
    for place in (folder, folder / "empty", folder / "part 1"):
        for name in ("a:b", "README", "readme"):
            (place / name).write_bytes(b"x")
        (place / "link").symlink_to("x")
    (folder / "part 1" / "~").mkdir(mode=0o1755)
    os.link(folder / "a:b", folder / "~")
    notes, whole = Notes(), packed(folder)

    def opened(notes: Notes, position: int = 0, fingerprint: str = "") -> contextlib.closing[PackedFolder]:
        return contextlib.closing(PackedFolder(folder, notes, nobody, position, fingerprint))

    with opened(notes) as stream:
        assert stream.read(len(whole)) == whole
        counts = stream.files, stream.folders, stream.bytes
    for cut in {*range(0, len(whole), 500), *range(0, len(whole), 512)}:
        with opened(first := Notes()) as begun:
            begun.read(cut)
            fingerprint = begun.fingerprint
        second = copy.deepcopy(first)
        with opened(second, cut, fingerprint if cut else "") as stream:
            assert stream.read(len(whole)) == whole[cut:]
            assert (stream.files, stream.folders, stream.bytes) == counts
        assert second == notes, cut


def test_another_program_at_work_on_the_same_target(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told so, also in the first volume, and what the other one has made stays."""
    target = capsule.with_name("out")
    refusals: list[str] = []
    begin = FolderWriter.begin

    def begin_with_another(writer: FolderWriter, entry: Entry, name: str) -> None:
        if not refusals:
            source = io.BytesIO(capsule.read_bytes())
            with pytest.raises(FileError, match="another program is at work") as raised:
                FolderOpener(source, lambda *_: pytest.fail("opened"), lambda _: None, nobody).into_folder(
                    target, restart=False
                )
            refusals.append(str(raised.value))
        begin(writer, entry, name)

    monkeypatch.setattr(FolderWriter, "begin", begin_with_another)
    with ndks.open(bob) as unit:
        unit.decrypt_folder(capsule, target)
    assert refusals
    assert seen_in(target) == seen_in(folder)


@pytest.mark.parametrize("verb", ["encrypt", "decrypt"])
def test_another_program_that_ends_just_before(
    capsule: Path, folder: Path, alice: str, bob: str, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """What it names between our opening and locking is not taken for something unfinished."""
    module, port, call, source, target = {
        "encrypt": (folder_sealing, alice, "message_keys", folder, capsule.with_name("other.ndks")),
        "decrypt": (folder_opening, bob, "open_message_keys", capsule, capsule.with_name("out")),
    }[verb]
    with ndks.open(port) as unit:
        run = getattr(unit, f"{verb}_folder")
        with cut_at(monkeypatch, call, 3):
            run(source, target)

        def after_the_other(descriptor: int, path: Path) -> contextlib.AbstractContextManager[None]:
            with monkeypatch.context() as patched:
                patched.setattr(module, "alone_at", alone_at)
                run(source, target)
            return alone_at(descriptor, path)

        with monkeypatch.context() as patched:
            patched.setattr(module, "alone_at", after_the_other)
            with pytest.raises(FileError, match="another program is at work"):
                run(source, target)
    if verb == "encrypt":
        assert len(target.read_bytes()) == len(capsule.read_bytes())
        with ndks.open(bob) as unit:
            unit.decrypt_folder(target, capsule.with_name("out"))
    assert seen_in(capsule.with_name("out")) == seen_in(folder)
    assert not [*capsule.parent.glob("*.part*")]


def test_acceptance_behind_later_messages(
    capsule: Path, folder: Path, alice: str, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Volumes that left the window of the receiver before they were accepted are as good as accepted."""
    target = capsule.with_name("out")
    with ndks.open(bob) as unit, ndks.open(alice) as sender:
        with cut_at(monkeypatch, "accept", 2):
            unit.decrypt_folder(capsule, target)
        later = [sender.seal(b"later", mode="a", cipher="aes") for _ in range(300)]
        unit.unseal(later[-1])
        assert unit.decrypt_folder(capsule, target).files == 24
        assert not plan_of(target).exists()
        with pytest.raises(ndks.DeviceError):
            unit.decrypt_folder(capsule, target.with_name("other"))
