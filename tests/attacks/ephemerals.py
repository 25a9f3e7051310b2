# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ephemeral private keys, which leave neither host nor unit: tests take them out, or make a unit repeat one."""

import contextlib
from collections.abc import Callable, Generator

import pytest

from ndks.crypto import EphemeralKey
from ndks_unit.ephemeral import EphemeralPair
from ndks_unit.randomness import Randomness

from .recording import HOST, UNIT


class _AlwaysTheSame(Randomness):
    def draw(self) -> bytes:
        return b"the same secret in every session"


@contextlib.contextmanager
def noted_ephemerals(monkeypatch: pytest.MonkeyPatch) -> Generator[dict[str, list[bytes]]]:
    """Note the private keys that host and unit use in the block, by side."""
    noted: dict[str, list[bytes]] = {HOST: [], UNIT: []}
    with monkeypatch.context() as patch:
        patch.setattr("ndks.line.session.EphemeralKey", _noting_key(noted[HOST]))
        patch.setattr(EphemeralPair, "wipe", _noting_wipe(noted[UNIT]))
        yield noted


def repeat_ephemerals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make units use the same ephemeral key in each session."""
    begin = EphemeralPair.begin

    def begin_with_the_same(self: EphemeralPair) -> None:
        drawn, self._randomness = self._randomness, _AlwaysTheSame(self._board, self._randomness._log)
        begin(self)
        self._randomness = drawn

    monkeypatch.setattr(EphemeralPair, "begin", begin_with_the_same)


def _noting_key(noted: list[bytes]) -> type[EphemeralKey]:
    class NotingKey(EphemeralKey):
        def __init__(self) -> None:
            super().__init__()
            noted.append(self._private.private_bytes_raw())

    return NotingKey


def _noting_wipe(noted: list[bytes]) -> Callable[[EphemeralPair], None]:
    wipe = EphemeralPair.wipe

    def note_and_wipe(self: EphemeralPair) -> None:
        """Note a pair that was made: it has been used, as nothing else wipes one here."""
        if self.is_ready:
            noted.append(bytes(self.private))
        wipe(self)

    return note_and_wipe
