# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Volumes of folders as capsules: sealing and opening them one after the other, each in mode a with cipher aes."""

from collections.abc import Callable
from dataclasses import dataclass

from ndks_protocol import commands
from ndks_protocol.capsule import CHECK_SIZE, CHUNK, SYNC_SIZE, TAG_SIZE

from ..exceptions import FileError
from ..files import Sink, Source
from ..folders import volumes
from ..folders.errors import refused
from ..folders.volumes import Limited, Place, VolumeSink, VolumeText
from .batches import BatchOpener, BatchSealer
from .blocks import LookAhead, chunks_of, pieces_of
from .capsules import no_progress, read_header, refusals
from .message_keys import GivenKeys
from .program_keys import OpeningKeys, SealingKeys


@dataclass(frozen=True)
class Volume:
    """An opened volume: the header of its capsule, the sender's lane and the number of the message."""

    header: bytes
    lane: int
    number: int


OpenVolume = Callable[[Source, Sink], Volume]


def capsule_size() -> int:
    """Return the size of the capsule of a volume that is not the last one."""
    text = SYNC_SIZE + volumes.TEXT_SIZE + CHECK_SIZE
    return commands.WIRE_HEADER_SIZE + text + -(-text // CHUNK) * TAG_SIZE


def volumes_in(size: int) -> int:
    """Return how many volumes a folder of `size` bytes would have, its capsules one after the other."""
    return -(-size // capsule_size())


def seal_volume(keys: SealingKeys, text: VolumeText, sink: Sink) -> None:
    sealer = BatchSealer(GivenKeys(keys))
    sink.write(keys.header)
    for piece in pieces_of(text, no_progress, batched=True):
        sink.write(sealer.seal(*piece))


def open_volume(open_keys: Callable[[bytes], OpeningKeys], source: Source, sink: Sink) -> Volume:
    """Open a volume with keys that are asked for by its header. DeviceError."""
    keys = open_keys(read_header(source))
    opener = BatchOpener(GivenKeys(keys))
    with refusals():
        for chunk in chunks_of(source, no_progress, batched=True):
            sink.write(opener.open(*chunk))
    return Volume(keys.header, keys.lane, keys.number)


def read_volumes(
    source: Source,
    sink: Sink,
    opening: OpenVolume,
    place: Place | None,
    lane: int,
    done: Callable[[Volume, Place, bool], object],
) -> None:
    """Open all volumes from `place` on (None: the first), and write the stream of the folder to `sink`.

    `done` is called with each volume when all of it is verified, the place of the next one, and whether it is the last.
    All must come from one sender; `lane` 0: from any. DeviceError, FolderError.
    """
    is_last = False
    while not is_last:
        ahead = LookAhead(Limited(source, capsule_size()))
        number = place.number + 1 if place else 1
        if not ahead.is_longer_than(0):
            raise FileError(
                f"the folder is cut off: volume {number} is missing", "get all of it, and repeat: it goes on"
            )
        volume = VolumeSink(place, sink)
        opened = opening(ahead, volume)
        is_last = volume.finish()
        if lane and opened.lane != lane:
            raise refused(f"volume {number} comes from another sender than those before it")
        place, lane = volume.place.after(opened.header), opened.lane
        done(opened, place, is_last)
