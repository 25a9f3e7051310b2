# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders in encrypt, decrypt and inspect."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import capsules, offline_capsules
from ndks.driver.blocks import Again, read_up_to
from ndks.driver.folder_opening import UnsealedFolder, is_begun, read_folder, unpack
from ndks.driver.folder_volumes import OpenVolume, Volume, open_volume
from ndks.exceptions import FileError
from ndks.files import Sink, Source
from ndks.folders.listing import Listing
from ndks.folders.pack import Progress
from ndks.folders.rules import Notes
from ndks.folders.volumes import MARK
from ndks.folders.walk import measure
from ndks.network import any_file
from ndks.network.administration import Administration
from ndks.network.network_file import Network
from ndks.printable import printable

from .arguments import need
from .message_files import is_stdin
from .output import Output, StdoutSink, encoded, note, warn_of_suite, write_stdout

OFFLINE = "opened offline: a repeated capsule is not detected, and no unit learns that this one was opened"

_GOES_ON = "the same command goes on after the last whole volume"

KeepCheck = Callable[[bytes, bytes], object]


class FolderFound(Exception):
    """A capsule is a volume of a folder: nothing was written or accepted."""


class FileOnly:
    """A sink for the data of a capsule. FolderFound at the first byte of a volume."""

    def __init__(self, sink: Sink, source: "Replayed") -> None:
        self._sink = sink
        self._source = source

    def write(self, data: bytes, /) -> None:
        if self._source.is_kept and data:
            if data.startswith(MARK):
                raise FolderFound
            self._source.is_kept = False
        self._sink.write(data)

    def flush(self) -> None:
        self._sink.flush()


class Replayed:
    """A source that keeps what was read of it until it is known whether it is read again: a pipe gives it once."""

    def __init__(self, source: Source) -> None:
        self.is_kept = True
        self._source = source
        self._kept = bytearray()
        self._replay = b""

    def read(self, size: int, /) -> bytes | None:
        if self._replay:
            part, self._replay = self._replay[:size], self._replay[size:]
            return part
        part = self._source.read(size)
        if self.is_kept and part:
            self._kept += part
        return part

    def again(self) -> None:
        """Give all of it again."""
        self._replay, self.is_kept = bytes(self._kept), False
        self._kept.clear()


def no_folder(args: argparse.Namespace, source: Source) -> Source:
    """Return a file that is to be sealed. FileError if `decrypt` would take it for a volume of a folder."""
    first = read_up_to(source, len(MARK))
    if first == MARK:
        what = "stdin begins" if is_stdin(args) else f"{args.file} begins"
        raise FileError(
            f"{what} as a volume of a folder does, and ndks decrypt would take it for one",
            "put it into a folder, and encrypt that",
        )
    return Again(first, source)


def encrypt(args: argparse.Namespace, out: Output, target: Path | None, keep_check: KeepCheck) -> None:
    need(
        args.cipher in (None, "aes") and args.mode in (None, "a"),
        "a folder is sealed with cipher aes, in mode a",
        "omit --cipher and --mode",
    )
    _say_that_it_goes_on(args, target)
    with ndks.open(args.unit, args.timeout) as unit:
        suite = unit.unlock().suite
        warning = warn_of_suite(suite)
        with _bar(out, args.file.name, target, lambda: measure(args.file)) as progress:
            sealed = unit.encrypt_folder(
                args.file, target or StdoutSink(), overwrite=args.force, progress=progress, told_check=keep_check
            )
    _say(sealed.notes)
    values = {"cipher": "aes", "mode": "a", "suite": suite, "not_kept": _not_kept(sealed.notes), **warning}
    counts = {"files": sealed.files, "folders": sealed.folders, "bytes": sealed.bytes, "volumes": sealed.volumes}
    text = f"{sealed.files} files, {sealed.folders} folders, {sealed.bytes} bytes, volumes: {sealed.volumes}"
    _tell(out, target, {**counts, **values}, f"{text}, cipher aes, mode a, suite {suite}")


def decrypt(args: argparse.Namespace, out: Output, source: Source, size: int | None, target: Path | None) -> None:
    """Unpack a folder, or go on with it. UsageError, FileError, DeviceError, FolderError."""
    need(args.mode in (None, "a"), "a folder is opened in mode a", "omit --mode")
    _say_that_it_goes_on(args, target)
    open_it = _decrypt_offline if args.network else _decrypt_with_unit
    with _bar(out, args.file.name, target, lambda: (size, None)) as progress:
        opened, suite = open_it(args, source, target or StdoutSink(), progress)
    _say(opened.notes)
    values = {"cipher": "aes", "suite": suite, "not_kept": _not_kept(opened.notes), **warn_of_suite(suite)}
    text = f"{opened.files} files, {opened.folders} folders, {opened.bytes} bytes of lane {opened.lane}"
    _tell(out, target, {**counts_of(opened), **values}, f"{text}, volumes: {opened.volumes}")


def _decrypt_with_unit(
    args: argparse.Namespace, source: Source, target: Path | Sink, progress: Progress
) -> tuple[UnsealedFolder, str]:
    with ndks.open(args.unit, args.timeout) as unit:
        suite = unit.unlock().suite
        return unit.decrypt_folder(
            source, target, again=args.again, allow_jump=args.allow_jump, restart=args.force, progress=progress
        ), suite


def _decrypt_offline(
    args: argparse.Namespace, source: Source, target: Path | Sink, progress: Progress
) -> tuple[UnsealedFolder, str]:
    known = any_file.load(args.network)
    opened = unpack(source, target, _offline(known), lambda _: None, progress, restart=args.force)
    note(OFFLINE)
    return opened, any_file.network_of(known).suite


def _say_that_it_goes_on(args: argparse.Namespace, target: Path | None) -> None:
    if target:
        args.resume_advice = _GOES_ON


def goes_on(target: Path | None) -> bool:
    """Whether a folder of this name was begun, so that no capsule has to be opened to know that it is one."""
    return target is not None and is_begun(target)


def list_entries(args: argparse.Namespace, out: Output, source: Source, known: Network | Administration | None) -> None:
    """Print what is in a folder when all of it is verified; accept nothing."""
    with contextlib.closing(Listing()) as listing:
        if known:
            opened, _ = read_folder(source, _offline(known), lambda _size, _files: None, listing)
        else:
            with ndks.open(args.unit, args.timeout) as unit:

                def opening(volume: Source, sink: Sink) -> Volume:
                    return open_volume(
                        lambda header: unit.open_message_keys(header, again=True, allow_jump=True), volume, sink
                    )

                opened, _ = read_folder(source, opening, lambda _size, _files: None, listing)
        if out.as_json:
            out.result({"file": str(args.file), **counts_of(opened), "entries": list(listing.entries())}, "")
            return
        for entry in listing.entries():
            write_stdout(encoded(f"{entry['mode']} {entry['size']:>12} {printable(entry['path'])}\n"))
        note(
            f"{opened.files} files, {opened.folders} folders, {opened.bytes} bytes of lane {opened.lane}, all verified"
        )


def counts_of(opened: UnsealedFolder) -> dict[str, int]:
    return {
        "files": opened.files,
        "folders": opened.folders,
        "bytes": opened.bytes,
        "volumes": opened.volumes,
        "lane": opened.lane,
    }


def _offline(known: Network | Administration) -> OpenVolume:
    def opening(volume: Source, sink: Sink) -> Volume:
        opened = offline_capsules.unseal_offline(known, volume, sink, capsules.no_progress)
        return Volume(opened.header, opened.lane, opened.number)

    return opening


@contextlib.contextmanager
def _bar(
    out: Output, what: str, target: Path | None, totals: Callable[[], tuple[int | None, int | None]]
) -> Generator[Progress]:
    """Show bytes and files; they are counted beforehand where somebody sees it."""
    visible = target is not None and sys.stderr.isatty()
    size, files = totals() if visible else (None, None)
    done = 0
    with out.progress(size, what, visible=target is not None) as bar:

        def progress(size: int, count: int) -> None:
            nonlocal done
            bar.update(size)
            if count:
                done += count
                bar.set_postfix_str(f"{done}/{files} files" if files is not None else f"{done} files", refresh=False)

        yield progress


def _not_kept(notes: Notes) -> list[dict[str, Any]]:
    return [{"kind": kind, "count": count, "names": notes.names[kind]} for kind, count in notes.counts.items()]


def _say(notes: Notes) -> None:
    for text in notes.texts():
        note(text)


def _tell(out: Output, target: Path | None, values: dict[str, Any], text: str) -> None:
    if target is None:
        note(text)
    else:
        out.done({"file": str(target), **values}, f"{target}: {text}")
