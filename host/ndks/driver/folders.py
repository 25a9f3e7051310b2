# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders in capsules: packed into volumes that any member opens, unpacked into a folder that then stands."""

from pathlib import Path

from ndks_protocol import errors

from ..exceptions import DeviceError
from ..files import Sink, Source, reading, writing
from ..folders.pack import Progress
from ..system_errors import file_errors
from .answers import Status
from .folder_opening import UnsealedFolder, unpack
from .folder_plans import PackingPlan
from .folder_sealing import FolderSealer, SealedFolder, ToldCheck
from .folder_volumes import Volume, open_volume
from .messages import MessageVerbs
from .program_keys import ProgramKeyVerbs


def no_progress(_size: int, _files: int) -> None:
    """A Progress that tells nobody."""


def _told_nobody(_header: bytes, _check: bytes) -> None:
    pass


class FolderVerbs(MessageVerbs, ProgramKeyVerbs):
    """Folders: mode a, cipher aes. Between two volumes, other threads may use the unit."""

    def encrypt_folder(
        self,
        folder: "Path | str",
        target: "Path | str | Sink",
        *,
        overwrite: bool = False,
        progress: Progress = no_progress,
        told_check: ToldCheck = _told_nobody,
    ) -> SealedFolder:
        """Pack a folder and seal it in volumes of 64 MB, a capsule each (docs/folders.md).

        A target path appears when it is complete. If the call is interrupted, TARGET.part and TARGET.part.json stay,
        and the same call goes on there, unless the folder has changed. `progress` is called with the numbers of bytes
        and files since the last call; `told_check` as by `encrypt`, for each volume. What was left out or not kept is
        in the notes of the result. FileError for what cannot be read; UsageError on systems without descriptors of
        folders.
        """
        status = self.unlock()
        sealer = FolderSealer(Path(folder), self.message_keys, told_check, progress)
        if isinstance(target, (str, Path)):
            wanted = PackingPlan(self.hello.serial_number, _membership(status))
            with file_errors():
                return sealer.into_file(Path(target), wanted, overwrite=overwrite)
        with writing(target) as sink:
            return sealer.into_stream(sink)

    def decrypt_folder(
        self,
        source: "Path | str | Source",
        target: "Path | str | Sink",
        *,
        again: bool = False,
        allow_jump: bool = False,
        restart: bool = False,
        progress: Progress = no_progress,
    ) -> UnsealedFolder:
        """Open the volumes of a folder, unpack them, and accept them when the folder stands.

        A target path must not exist. It appears when all is verified and written. If the call is interrupted,
        TARGET.part and TARGET.part.json stay, and the same call goes on there; with `restart` it begins anew. A stream
        gets a tar archive. `again`, `allow_jump` and DeviceErrors are as in `decrypt`; FolderError for content that
        packing does not make; FileError.
        """

        def opening(volume: Source, sink: Sink) -> Volume:
            return open_volume(
                lambda header: self.open_message_keys(header, again=again, allow_jump=allow_jump), volume, sink
            )

        def accept(header: bytes) -> None:
            if again:
                return
            try:
                self.accept(header, allow_jump=allow_jump)
            except DeviceError as error:
                if error.number != errors.TOO_OLD:  # later messages were accepted meanwhile: it opens no more anyway
                    raise

        with reading(source) as readable:
            return unpack(readable, target, opening, accept, progress, restart=restart)


def _membership(status: Status) -> str:
    return f"{status.network_id} {status.generation_id} {status.lane}"
