# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two programs at work on the same target: one is told so, and what the other has made stays."""

import contextlib
import io
import os
from pathlib import Path

import pytest
from host.folding import cut_at, nobody, seen_in, small_volumes
from host.interrupting import capsule, folder

import ndks
from ndks.driver import folder_opening, folder_sealing
from ndks.driver.folder_opening import FolderOpener
from ndks.exceptions import FileError
from ndks.folders.durable import alone_at
from ndks.folders.entries import Entry
from ndks.folders.unpack import FolderWriter

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("capsule", "folder", "small_volumes")


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
