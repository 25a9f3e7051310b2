# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""FOLDER.ndks into a folder: into FOLDER.part, which gets its name when all of it is verified and written."""

import contextlib
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from ..exceptions import FileError, FolderError
from ..files import Sink, Source, storing
from ..folders.durable import alone_at, sync_all_below
from ..folders.entries import Entry
from ..folders.pack import Progress
from ..folders.read import FolderStream, Receiver
from ..folders.removal import open_again, remove_folder
from ..folders.rules import Notes
from ..folders.unpack import FolderWriter
from ..folders.volumes import HEADER_SIZE, Place
from ..folders.walk import need_descriptors
from ..on_disk import remove_done, sync_directory
from ..paths import refuse_long_name
from ..system_errors import file_errors
from ..whole_file import refuse_append_only
from .blocks import Again, read_up_to
from .folder_plans import Behind, UnpackingPlan, load, load_or_refuse, part_of, plan_of
from .folder_volumes import OpenVolume, Volume, capsule_size, read_volumes

_PRIVATE = 0o700


@dataclass(frozen=True)
class UnsealedFolder:
    """What was unpacked: lane of the sender; files, folders, bytes of content, and volumes; what was not kept."""

    lane: int
    files: int
    folders: int
    bytes: int
    volumes: int
    notes: Notes = field(default_factory=Notes)


class Told:
    """A sink that tells of bytes and files on their way to the stream of a folder."""

    def __init__(self, stream: FolderStream, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def write(self, data: bytes, /) -> None:
        before = self._stream.files
        self._stream.write(data)
        self._progress(len(data), self._stream.files - before)

    def flush(self) -> None:
        """Do nothing: nothing waits."""


def is_begun(target: Path) -> bool:
    """Whether a folder at this target was begun, and not ended."""
    return bool(target.name) and load(target, UnpackingPlan) is not None


class FolderOpener:
    """Opens the volumes in `source` by `opening`; `accept` takes their headers when the folder stands."""

    def __init__(
        self, source: Source, opening: OpenVolume, accept: Callable[[bytes], object], progress: Progress
    ) -> None:
        header = read_up_to(source, HEADER_SIZE)
        self._first = header.hex()
        self._source = Again(header, source)
        self._opening = opening
        self._accept = accept
        self._progress = progress

    def into_folder(self, target: Path, *, restart: bool) -> UnsealedFolder:
        """Make the folder `target`, or go on where an earlier call was interrupted. FileError, DeviceError, OSError."""
        need_descriptors()
        plan = _plan(target, self._first, restart=restart)
        if not (plan.behind.is_last and target.is_dir()):
            if not plan.headers:
                _begin(target, plan)
            try:
                self._make(target, plan)
            except BaseException as error:
                _clean_up(target, error)
                raise
        for header in plan.headers:
            self._accept(header)
        remove_done(plan_of(target), f"{target} is complete")
        files, folders, size = plan.behind.stream["counts"]
        notes = Notes.of(plan.behind.writer["noted"])
        return UnsealedFolder(plan.behind.lane, files, folders, size, len(plan.headers), notes)

    def _make(self, target: Path, plan: UnpackingPlan) -> None:
        if plan.behind.is_last:  # the folder has its mode already
            _give_name(target)
            return
        with _alone_in(part_of(target)) as directory, contextlib.closing(FolderWriter(part_of(target))) as writer:
            self._unpack(directory, target, plan, writer)
            _give_name(target)  # while no other program can begin anew there

    def _unpack(self, directory: int, target: Path, plan: UnpackingPlan, writer: FolderWriter) -> None:
        stream = FolderStream(writer)
        behind = self._go_on(plan, stream, writer) if plan.headers else None

        def done(volume: Volume, behind: Place, is_last: bool) -> None:
            if is_last:
                stream.finish()
            sync_all_below(directory)
            states = stream.state(), writer.state()
            plan.note(target, Behind(volume.header.hex(), behind.folder.hex(), volume.lane, *states, is_last))

        told = Told(stream, self._progress)
        read_volumes(self._source, told, self._opening, behind, plan.behind.lane, done)

    def _go_on(self, plan: UnpackingPlan, stream: FolderStream, writer: FolderWriter) -> Place:
        """Set stream, writer and source after the volumes that are unpacked; return the place there."""
        try:
            stream.go_on(plan.behind.stream)
            writer.go_on(plan.behind.writer, plan.behind.stream["last"])
            folder = bytes.fromhex(plan.behind.folder)
        except (KeyError, TypeError, ValueError, IndexError):
            raise FileError(
                "the notes on the unfinished folder are damaged", "repeat with --force to start again"
            ) from None
        size = len(plan.headers) * capsule_size()
        self._progress(size, stream.files)
        self._source.pass_over(size)
        return Place(folder, len(plan.headers), plan.headers[-1])


class _Nowhere:
    """The receiver of a folder that is only checked."""

    def enter(self, entry: Entry, name: str) -> None: ...
    def leave(self) -> None: ...
    def begin(self, entry: Entry, name: str) -> None: ...
    def content(self, data: memoryview) -> None: ...
    def end(self) -> None: ...


class _Both:
    """A sink that passes on what another one has taken."""

    def __init__(self, first: Sink, second: Sink) -> None:
        self._first = first
        self._second = second

    def write(self, data: bytes, /) -> None:
        self._first.write(data)
        self._second.write(data)

    def flush(self) -> None:
        """Do nothing: the sink is flushed at the end."""


def read_folder(
    source: Source, opening: OpenVolume, progress: Progress, receiver: Receiver | None = None, sink: Sink | None = None
) -> tuple[UnsealedFolder, list[bytes]]:
    """Open all volumes for a receiver, and write the stream, which is a tar archive, to `sink`; accept nothing.

    None of it is verified to the end before this has returned. Also return the headers. DeviceError, FolderError.
    """
    stream = FolderStream(receiver or _Nowhere())
    headers: list[bytes] = []
    lane = 0

    def done(volume: Volume, _: Place, is_last: bool) -> None:
        nonlocal lane
        lane = volume.lane
        headers.append(volume.header)
        if is_last:
            stream.finish()

    told = Told(stream, progress)
    read_volumes(source, _Both(told, sink) if sink else told, opening, None, 0, done)
    return UnsealedFolder(lane, stream.files, stream.folders, stream.bytes, len(headers)), headers


def unpack(
    source: Source,
    target: Path | str | Sink,
    opening: OpenVolume,
    accept: Callable[[bytes], object],
    progress: Progress,
    *,
    restart: bool,
) -> UnsealedFolder:
    """Unpack a folder to a path, or as a tar archive to a stream, then have its volumes accepted. NdksError."""
    if isinstance(target, (str, Path)):
        with file_errors():
            return FolderOpener(source, opening, accept, progress).into_folder(Path(target), restart=restart)
    with storing(target) as sink:
        unsealed, headers = read_folder(source, opening, progress, sink=sink)
    for header in headers:
        accept(header)
    return unsealed


def _begin(target: Path, plan: UnpackingPlan) -> None:
    """Make an empty folder in place of one that is unfinished, unless another program is at work on it."""
    place = part_of(target)
    if place.is_dir():
        with _alone_in(place):
            remove_folder(place)
    plan.begin(target)
    place.mkdir(_PRIVATE)


def _give_name(target: Path) -> None:
    if os.path.lexists(target):
        raise _exists(target)
    part_of(target).rename(target)
    sync_directory(target.parent, f"{target} is complete")


@contextlib.contextmanager
def _alone_in(place: Path) -> Generator[int]:
    """Open an unfinished folder, and keep other programs away from it. FileError if one is at work on it; OSError."""
    directory = open_again(place)
    try:
        with alone_at(directory, place):
            yield directory
    finally:
        os.close(directory)


def _plan(target: Path, first: str, *, restart: bool) -> UnpackingPlan:
    """Return the plan of the unfinished folder at `target`, or a new one. FileError."""
    if not target.name:  # . or /
        raise _exists(target)
    refuse_long_name(plan_of(target))
    plan = load_or_refuse(target, UnpackingPlan)
    if plan and plan.first != first and not restart:
        raise FileError(f"{part_of(target)} is of another folder", "name another target, or repeat with --force")
    if os.path.lexists(target) and not (plan and plan.behind.is_last and plan.first == first):
        raise _exists(target)
    if not target.parent.is_dir():
        raise FileError(f"there is no directory {target.parent}", "create it, or name another")
    refuse_append_only(target.parent)  # TARGET.part is renamed at the end
    there = part_of(target).is_dir() or (plan and plan.behind.is_last and target.is_dir())
    return plan if plan and there and not restart else UnpackingPlan(first)


def _clean_up(target: Path, error: BaseException) -> None:
    """Remove an unfinished folder that has nothing to go on from, or whose content was refused."""
    plan = load(target, UnpackingPlan)
    if isinstance(error, FolderError) or not plan or not plan.headers:
        with contextlib.suppress(OSError, FileError):  # another program may be at work there
            with contextlib.suppress(FileNotFoundError), _alone_in(part_of(target)):
                remove_folder(part_of(target))
            plan_of(target).unlink(missing_ok=True)


def _exists(target: Path) -> FileError:
    return FileError(f"{target} exists, and a folder is never overwritten", "name another, -o OTHER, or move it away")
