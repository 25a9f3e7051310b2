# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The channels of the story: a broker, or folders between which a stick travels. Both are recorded, and can be cut."""

import contextlib
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from ndks.carriers.carrier import Received
from ndks.carriers.folder import SUFFIX
from ndks.carriers.mqtt import MqttCarrier
from ndks.carriers.packet_file import unpacked

from .broker import Broker

_RECORDER = "f" * 16  # the eavesdropper's name for the broker
_TRIP = 0.1  # seconds from one round trip of the stick to the next


class Channel(Protocol):
    """What carries packets between laptops; `tick` is the shortest tick, in seconds, for which it is fast enough."""

    name: str
    tick: float

    def url(self, laptop: str) -> str:
        """Return the carrier of a laptop's agent."""
        ...

    def cut(self) -> None:
        """Let nothing through, until `heal`."""

    def heal(self) -> None: ...

    def recording(self) -> list[bytes]:
        """Return all packets that have been sent, as an eavesdropper has recorded them."""
        ...


class ByBroker:
    """Mosquitto, and a client that records all that passes."""

    name = "mqtt"
    tick = 0.05

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._url = f"mqtt://127.0.0.1:{broker.port}/ndks/office"
        self._recorded: list[bytes] = []
        self._recorder = MqttCarrier(self._url, _RECORDER)

    def url(self, laptop: str) -> str:  # noqa: ARG002 (all use one broker)
        return self._url

    def cut(self) -> None:
        self._broker.stop()

    def heal(self) -> None:
        self._broker.start()

    def recording(self) -> list[bytes]:
        return list(self._recorded)

    @contextlib.contextmanager
    def open(self) -> Generator["ByBroker"]:
        """Run the broker, and record."""
        self._broker.start()
        self._recorder.start(self._record)
        try:
            yield self
        finally:
            self._recorder.close()
            self._broker.stop()

    def _record(self, received: Received) -> None:
        self._recorded.append(received.packet)
        received.taken()


class ByFolders:
    """A folder at each laptop, and a stick that brings the files of each to all others."""

    name = "dir"
    tick = 0.06

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, bytes] = {}
        self._is_cut, self._is_ended = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def url(self, laptop: str) -> str:
        folder = self._directory / laptop
        folder.mkdir(parents=True, exist_ok=True)
        return f"dir:{folder}"

    def cut(self) -> None:
        with self._lock:
            self._is_cut.set()

    def heal(self) -> None:
        self._is_cut.clear()

    def recording(self) -> list[bytes]:
        with self._lock:
            return [packet for content in self._files.values() for packet in unpacked(content)]

    @contextlib.contextmanager
    def open(self) -> Generator["ByFolders"]:
        """Carry files until the end of the block."""
        thread = threading.Thread(target=self._travel, name="stick")
        thread.start()
        try:
            yield self
        finally:
            self._is_ended.set()
            thread.join()

    def _travel(self) -> None:
        while not self._is_ended.wait(_TRIP):
            with self._lock:
                if not self._is_cut.is_set():
                    self._bring()

    def _bring(self) -> None:
        folders = [path for path in self._directory.glob("*") if path.is_dir()]
        for folder in folders:
            for path in folder.glob(f"*{SUFFIX}"):
                if path.name not in self._files:
                    self._files[path.name] = path.read_bytes()
        for folder in folders:
            for name in self._files.keys() - {path.name for path in folder.iterdir()}:
                copy = folder / f".{name}"  # a name that no packet has, until the copy is complete
                copy.write_bytes(self._files[name])
                copy.rename(folder / name)
