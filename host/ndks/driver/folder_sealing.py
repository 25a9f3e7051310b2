# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A folder into FOLDER.ndks: volume by volume into FOLDER.ndks.part, which gets its name when all is written."""

import contextlib
import logging
import os
import secrets
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ..exceptions import FileError
from ..files import Sink
from ..folders.durable import alone_at
from ..folders.pack import OtherFolder, PackedFolder, Progress
from ..folders.rules import Notes
from ..folders.volumes import FIRST, HEADER_SIZE, ID_SIZE, Place, VolumeText, stream_size
from ..on_disk import remove_done, replace_durably, where_supported
from ..paths import follow
from ..whole_file import refuse_append_only, refuse_existing
from .folder_plans import PackingPlan, load, load_or_refuse, part_of, plan_of, save
from .folder_volumes import capsule_size, seal_volume
from .program_keys import SealingKeys

_log = logging.getLogger(__name__)
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_USUAL = 0o666  # the umask is subtracted

TakeKeys = Callable[[], SealingKeys]
ToldCheck = Callable[[bytes, bytes], object]


@dataclass(frozen=True)
class SealedFolder:
    """What was packed: numbers of files, folders, bytes of content, and volumes; what was left out or not kept."""

    files: int
    folders: int
    bytes: int
    volumes: int
    notes: Notes


class FolderSealer:
    """Seals a folder with keys that `take_keys` gives, those of one message for each call."""

    def __init__(self, folder: Path, take_keys: TakeKeys, told_check: ToldCheck, progress: Progress) -> None:
        self._folder = folder
        self._take_keys = take_keys
        self._told_check = told_check
        self._progress = progress

    def into_stream(self, sink: Sink) -> SealedFolder:
        with contextlib.closing(PackedFolder(self._folder, Notes(), self._progress)) as stream:
            return self._seal(stream, new_place(), sink, lambda _: None)

    def into_file(self, target: Path, wanted: PackingPlan, *, overwrite: bool) -> SealedFolder:
        """Seal into `target`, or go on where an earlier call with such a plan was interrupted. FileError, OSError."""
        target = follow(target)
        _refuse_inside(target, self._folder)
        refuse_existing(target, overwrite)
        refuse_append_only(target.parent)  # TARGET.part is renamed at the end
        if not load_or_refuse(target, PackingPlan):
            save(target, wanted)  # first: a part without a plan is not ours
        with _opened(target) as file:
            try:
                return self._go_on(target, file, wanted, overwrite=overwrite)
            except BaseException:
                plan = load(target, PackingPlan)
                if not plan or not plan.volumes:
                    part_of(target).unlink(missing_ok=True)
                    plan_of(target).unlink(missing_ok=True)
                raise

    def _go_on(self, target: Path, file: BinaryIO, wanted: PackingPlan, *, overwrite: bool) -> SealedFolder:
        plan = _begun(load(target, PackingPlan), wanted, file)
        for each in (plan, None):
            notes = Notes.of(each.noted if each else {})
            begun = each or replace(wanted, folder=secrets.token_hex(ID_SIZE))
            try:
                with contextlib.closing(self._stream(begun, notes)) as stream:
                    sealed = self._seal_file(target, file, begun, stream)
            except OtherFolder:
                _log.warning("%s is not as it was when its first volumes were sealed: it starts again", self._folder)
                continue
            _give_name(target, overwrite=overwrite)
            return sealed
        raise FileError(f"{self._folder} changes all the time", "repeat when nothing writes to it")

    def _stream(self, plan: PackingPlan, notes: Notes) -> PackedFolder:
        return PackedFolder(self._folder, notes, self._progress, plan.volumes * stream_size(), plan.fingerprint)

    def _seal_file(self, target: Path, file: BinaryIO, plan: PackingPlan, stream: PackedFolder) -> SealedFolder:
        save(target, plan)
        file.seek(plan.volumes * capsule_size())
        file.truncate()

        def done(place: Place) -> None:
            _sync(file)
            noted, before = asdict(stream.notes), place.before.hex()
            fingerprint = stream.fingerprint
            save(target, replace(plan, volumes=place.number, before=before, fingerprint=fingerprint, noted=noted))

        before = bytes.fromhex(plan.before) or FIRST
        sealed = self._seal(stream, Place(bytes.fromhex(plan.folder), plan.volumes, before), file, done)
        _sync(file)
        return sealed

    def _seal(self, stream: PackedFolder, place: Place, sink: Sink, done: Callable[[Place], object]) -> SealedFolder:
        text = None
        while not text or not text.is_last:
            text = VolumeText(place, _Begun(stream))
            keys = self._take_keys()
            seal_volume(keys, text, sink)
            self._told_check(keys.header, keys.check)
            place = place.after(keys.header)
            if not text.is_last:
                done(place)
        sink.flush()
        return SealedFolder(stream.files, stream.folders, stream.bytes, place.number, stream.notes)


class _Begun:
    """A stream whose first bytes are at hand before a message number is taken: what cannot be read takes none."""

    def __init__(self, stream: PackedFolder) -> None:
        self._stream = stream
        self._first = stream.read(1)

    def read(self, size: int, /) -> bytes:
        first, self._first = self._first[:size], self._first[size:]
        return first + self._stream.read(size - len(first)) if size else b""


def new_place() -> Place:
    return Place(secrets.token_bytes(ID_SIZE), 0, FIRST)


def _begun(plan: PackingPlan | None, wanted: PackingPlan, file: BinaryIO) -> PackingPlan | None:
    """Return a plan that can go on: of the same unit and network, whose last volume is in the file."""
    if not plan or not plan.volumes or (plan.serial, plan.generation) != (wanted.serial, wanted.generation):
        return None
    file.seek((plan.volumes - 1) * capsule_size())
    header = file.read(HEADER_SIZE)
    whole = file.seek(0, os.SEEK_END) >= plan.volumes * capsule_size()
    return plan if whole and header.hex() == plan.before else None


@contextlib.contextmanager
def _opened(target: Path) -> Generator[BinaryIO]:
    with os.fdopen(os.open(part_of(target), _FLAGS, _USUAL), "r+b") as file, alone_at(file.fileno(), part_of(target)):
        yield file


def _sync(file: BinaryIO) -> None:
    file.flush()
    with where_supported():
        os.fsync(file.fileno())


def _give_name(target: Path, *, overwrite: bool) -> None:
    refuse_existing(target, overwrite)
    replace_durably(part_of(target), target)
    remove_done(plan_of(target), f"{target} is complete")


def _refuse_inside(target: Path, folder: Path) -> None:
    if target.resolve().is_relative_to(folder.resolve()):
        raise FileError(f"{target} lies in the folder that is packed", "name a file elsewhere: -o OTHER")
