# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of folders, from docs/folders.md: streams by tarfile, cut into volumes, a capsule each."""

import io
import random
import struct
import tarfile
from typing import Any, NamedTuple

from capsule_reference import AES, HYBRID, NOT_KNOWN, Message, clear_header, suite_network

SEED = 20261129
MARK = b"ndks folder v1\0\n"
HEAD = 16 + 16 + 4 + 37  # of a text
LANE = 2
NANO = 10**9


class Entry(NamedTuple):
    path: str
    mode: int
    time: int  # ns
    content: bytes | None = b""  # None: a folder

    @property
    def described(self) -> dict[str, Any]:
        kind = {"folder": True} if self.content is None else {"content": self.content.hex()}
        return {"path": self.path, "mode": self.mode, "time": self.time, **kind}


FEW = (
    Entry(".", 0o755, 1_700_000_000 * NANO, None),
    Entry("B", 0o600, 0, b"text\n"),
    Entry("a", 0o700, 1_700_000_001 * NANO, None),
    Entry("a/empty", 0o444, 8**11 * NANO - NANO),
    Entry("a/ü", 0o640, 1_700_000_002 * NANO + 5, bytes(range(256)) * 2),
    Entry("b", 0o777, -NANO, b"x" * 513),
    Entry("b" * 101, 0o644, 1, b"long"),
)
ONE = (Entry(".", 0o755, 0, None), Entry("x", 0o644, 0, b"x"))


def make_folders() -> dict[str, Any]:
    rng = random.Random(SEED)
    fills = HEAD + len(stream_of(ONE))
    return {
        "about": "folders in volumes (docs/folders.md), whose texts have text_size bytes, but for the last one. Of each"
        " volume: the number of its message, the keys that both units make of it, and the capsule. Times are in"
        " nanoseconds since 1970. Bad ones are right capsules, which make no folder.",
        "good": [good(rng, FEW, 2500), good(rng, ONE, 1 << 12), good(rng, ONE, fills)],
        "bad": bad(rng),
    }


def good(rng: random.Random, entries: tuple[Entry, ...], size: int) -> dict[str, Any]:
    folder = rng.randbytes(16)
    volumes = sealed(rng, folder, stream_of(entries), size)
    return {
        "text_size": size,
        "folder": folder.hex(),
        "entries": [entry.described for entry in entries],
        "volumes": [
            {
                "n": number,
                "header": each.header.hex(),
                "tag_key": each.tag_key.hex(),
                "sync": each.sync.hex(),
                "aes_key": each.aes_key.hex(),
                "check": each.check.hex(),
                "capsule": each.capsule.hex(),
            }
            for number, each in enumerate(volumes, 1)
        ],
    }


def bad(rng: random.Random) -> list[dict[str, Any]]:
    size, stream = 1500, stream_of(ONE)
    first, second = (sealed(rng, bytes(16), stream, size) for _ in range(2))
    other = sealed(rng, bytes(range(16)), stream, size)
    cases = {
        "the second volume comes first": [first[1], first[0]],
        "a volume comes twice": [first[0], first[0]],
        "the second volume is of another folder": [first[0], other[1]],
        "the second volume is of another attempt": [first[0], second[1]],
        "the mark is another one": [message(rng, 1, b"ndks folder v2\0\n" + bytes(57) + stream[: size - HEAD])],
        "something is behind the end": sealed(rng, bytes(16), stream + b"\0", size),
        "the end is cut off": sealed(rng, bytes(16), stream[:-1], size),
        "the owner is not 0": sealed(rng, bytes(16), changed(stream, {"uid": 1}), size),
        "a time has a record that it does not need": sealed(
            rng, bytes(16), changed(stream, {"pax_headers": {"mtime": "0.000000000"}}), size
        ),
        "a link": sealed(rng, bytes(16), changed(stream, {"type": b"2"}), size),
        "a mode with setuid": sealed(rng, bytes(16), changed(stream, {"mode": 0o4755}), size),
        "a name leads up": sealed(rng, bytes(16), changed(stream, {"name": ".."}), size),
    }
    return [
        {"why": why, "text_size": size, "capsules": [each.capsule.hex() for each in case]}
        for why, case in cases.items()
    ]


def changed(stream: bytes, change: dict[str, Any]) -> bytes:
    """Return the stream of ONE with another head of its file."""
    info = tarfile.TarInfo("x")
    info.mode, info.size = 0o644, 1
    for name, value in change.items():
        setattr(info, name, value)
    return stream[:512] + info.tobuf(tarfile.PAX_FORMAT) + stream[1024:]


def sealed(rng: random.Random, folder: bytes, stream: bytes, size: int) -> list[Message]:
    """Return the volumes of a stream; the last one has room left."""
    made: list[Message] = []
    before = bytes(37)
    for number, start in enumerate(range(0, len(stream) + 1, size - HEAD)):
        head = MARK + folder + struct.pack(">I", number) + before
        made.append(message(rng, number + 1, head + stream[start : start + size - HEAD]))
        before = made[-1].header
    return made


def message(rng: random.Random, number: int, text: bytes) -> Message:
    return Message(suite_network(), clear_header(HYBRID, AES, LANE, number, rng.randbytes(8)), text, NOT_KNOWN)


def stream_of(entries: tuple[Entry, ...]) -> bytes:
    stream = io.BytesIO()
    for entry in entries:
        info = tarfile.TarInfo(entry.path)
        info.type = tarfile.DIRTYPE if entry.content is None else tarfile.REGTYPE
        info.mode, info.size = entry.mode, len(entry.content or b"")
        if entry.time < 0 or entry.time % NANO:
            sign, (whole, part) = "-" * (entry.time < 0), divmod(abs(entry.time), NANO)
            info.pax_headers = {"mtime": f"{sign}{whole}.{part:09d}"}
        else:
            info.mtime = entry.time // NANO
        stream.write(info.tobuf(tarfile.PAX_FORMAT) + (entry.content or b""))
        stream.write(bytes(-info.size % 512))
    return stream.getvalue() + bytes(1024)
