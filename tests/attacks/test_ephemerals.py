# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ephemeral keys are used once, and cannot be computed; what it costs if one is repeated, or if all can be."""

import hashlib
import struct
from pathlib import Path

import pytest
from wire_codes import C

from ndks_protocol import commands

from . import attackers
from .ephemerals import repeat_ephemerals
from .joining import link_to
from .recording import HOST, UNIT, exchanges
from .rows import ROWS
from .scene import Scene, played
from .sessions import PUBLIC, opened, repeated_keys

UID = 8  # where it is in the answer to HELLO


def test_no_key_is_sent_twice(present: Scene) -> None:
    """Neither in one session nor in two; and none of those that were used is kept in flash."""
    assert repeated_keys(present.provisioning, present.session) == set()
    for used in present.privates[UNIT]:
        assert not [image for image in present.images if used in image]
    assert len(present.privates[HOST]) == len(present.privates[UNIT]) >= 4, "blank, code, binding, a session later"


def test_unit_that_repeats_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transcript shows it. Who has A and gets the one private key reads all sessions, and not only one."""
    repeat_ephemerals(monkeypatch)
    scene = played(tmp_path, monkeypatch)
    (private,) = scene.privates[UNIT]
    (public,) = repeated_keys(scene.provisioning, scene.session)
    assert public in {heard.answer[:PUBLIC] for heard in exchanges(scene.session)}
    under_a = sessions_read(scene, private)
    assert under_a == 2, "one when it was bound, one later"
    read = [sessions_read(scene, other) for other in scene.privates[HOST]]
    assert sorted(read)[-under_a:] == [1, 1], "each of the host's keys opens the one session in which it was used"


def sessions_read(scene: Scene, private: bytes) -> int:
    """Return how many sessions A and one private key open."""
    recording = scene.provisioning + scene.session
    said = opened(scene.auth, recording, frozenset({private}))
    return [each.command for each in said].count(C.UNLOCK)


def test_unit_whose_entropy_source_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It repeats no key. But who knows what the source gives computes them; with A he reads what he has recorded."""
    monkeypatch.setattr("ndks_emulator.memory._Board.entropy", lambda _, size: bytes(size))
    scene = played(tmp_path, monkeypatch)
    assert repeated_keys(scene.provisioning, scene.session) == set()
    computed = computed_keys(scene, bytes(32))
    assert computed >= scene.privates[UNIT]
    loot = attackers.with_flash_and_recording(scene.images, scene.session, computed)
    assert scene.won(loot) == ROWS["test_flash_copy_and_recording"].got_from_2_0


def test_blank_unit_whose_entropy_source_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts no starts: after each it begins with the same key."""
    monkeypatch.setattr("ndks_emulator.memory._Board.entropy", lambda _, size: bytes(size))
    assert joining_key(tmp_path) == joining_key(tmp_path)


def test_blank_unit_repeats_no_key(tmp_path: Path) -> None:
    assert joining_key(tmp_path) != joining_key(tmp_path)


def joining_key(directory: Path) -> bytes:
    """Start a blank unit and return its new joining key."""
    with link_to(f"emulator:{directory / 'unit'}") as link:
        return link.call(commands.JOINING_KEY)[0]


def computed_keys(scene: Scene, entropy: bytes) -> frozenset[bytes]:
    """Return the first private keys of a unit with this entropy, after each of its first starts (section 6)."""
    uid = scene.hello[UID : UID + 8]
    starts = [b"", *(struct.pack(">Q", start) for start in range(4))]
    numbers = [struct.pack(">I", number) for number in range(20)]
    return frozenset(hashlib.sha256(entropy + uid + start + number).digest() for start in starts for number in numbers)
