# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A recording of a USB line, and the requests and answers in it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from frame_reference import ReferenceDecoder, frame

from ndks.line.transport import Transport

HOST, UNIT = "host", "unit"
ANSWER = 0x80  # added to the kind of a request
ERROR = 0xFF  # kind of an error answer
Recording = list[tuple[str, bytes]]  # who sent, and which bytes; in the order of time


class TappedLine:
    """A line to a unit that records all bytes."""

    def __init__(self, line: Transport, recording: Recording) -> None:
        self.unplugs = line.unplugs
        self._line = line
        self._recording = recording

    def write(self, data: bytes) -> None:
        self._recording.append((HOST, data))
        self._line.write(data)

    def read(self) -> bytes:
        data = self._line.read()
        self._recording.append((UNIT, data))
        return data

    def close(self) -> None:
        self._line.close()


class Exchange(NamedTuple):
    """A request and its answer, as they were on the line or decrypted."""

    command: int
    request_id: int
    request: bytes
    kind: int  # of the answer
    answer: bytes


def exchanges(recording: Recording) -> Iterator[Exchange]:
    """Yield each request with its answer; a unit answers in order."""
    decoders = {HOST: ReferenceDecoder(), UNIT: ReferenceDecoder()}
    sent: dict[int, tuple[int, bytes]] = {}
    for sender, data in recording:
        for event in decoders[sender].events(data):
            if isinstance(event, str):
                continue  # noise, which both ends drop too
            kind, request_id, payload = event
            if sender == HOST:
                sent[request_id] = kind, payload
            elif request_id in sent:
                command, request = sent.pop(request_id)
                yield Exchange(command, request_id, request, kind, payload)


def on_the_line(heard: Iterable[Exchange]) -> Recording:
    """Return a recording with these exchanges."""
    return [
        piece
        for each in heard
        for piece in (
            (HOST, frame(each.command, each.request_id, each.request)),
            (UNIT, frame(each.kind, each.request_id, each.answer)),
        )
    ]
