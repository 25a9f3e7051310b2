# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attackers of SECURITY.md: each gets what its row in rows.py says, and no more."""

from pathlib import Path

import pytest
from host.watched_line import wrap_lines

import ndks
from ndks.exceptions import AuthenticationError

from . import attackers
from .fake_unit import FakeUnit
from .flash_copy import stolen_auth
from .listening import found, keys_that_open, secrets_of
from .rows import Row
from .scene import Scene, laptop


def test_flash_copy_and_recording(scene: Scene, row: Row) -> None:
    loot = attackers.with_flash_and_recording(scene.images, scene.session)
    assert scene.won(loot) == row.expected(scene)


def test_auth_and_recording(scene: Scene, row: Row) -> None:
    loot = attackers.with_auth_and_recording(scene.auth, scene.session)
    assert scene.won(loot) == row.expected(scene)


def test_recording_of_provisioning(scene: Scene, row: Row) -> None:
    loot = attackers.with_recording_of_provisioning(scene.provisioning)
    assert scene.won(loot) == row.expected(scene)


def test_fake_unit(present: Scene, row: Row, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host sends the KEK to anyone who proves A."""
    fake = FakeUnit(stolen_auth(present.images), present.hello)
    wrap_lines(monkeypatch, fake.instead_of)
    with ndks.open(f"emulator:{directory / 'unit'}", bindings=laptop(directory)) as unit:
        with pytest.raises(AuthenticationError) as refused:
            unit.next_key(8)
        assert refused.value.code == "KEK", "the owner sees a unit that does not open"
    loot = fake.loot | attackers.with_flash_and_kek(present.images, fake.loot[attackers.KEK])
    assert present.won(loot) == row.expected(present)


def test_listener(scene: Scene, row: Row) -> None:
    assert set(found(secrets_of(scene), scene.session)) == row.expected(scene)
    assert not keys_that_open(scene.session), "nothing that was said opens a session"
