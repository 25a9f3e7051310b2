# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attackers of SECURITY.md: each gets what its row in rows.py says, and no more.

Who lacks a private key takes everything that he has for one, 32 bytes at a time.
"""

from pathlib import Path

import pytest
from host.watched_line import wrap_lines
from session_reference import Binding

import ndks
from ndks.exceptions import AuthenticationError
from ndks_protocol import commands

from . import attackers
from .attackers import CODE, KEY_SIZE
from .fake_unit import FakeUnit
from .flash_copy import joining_keys, stolen_auth
from .in_the_middle import KeyChanger, ManInTheMiddle
from .joining import Joining, joined, link_to, sealed_to
from .listening import found, keys_that_open, possible_keys, secrets_of
from .recording import HOST, UNIT
from .rows import Row
from .scene import LETTER, Scene, laptop, of_network, played
from .sessions import NO_KEYS


def test_flash_copy_and_recording(scene: Scene, row: Row) -> None:
    tried = possible_keys(scene.session, scene.images)
    loot = attackers.with_flash_and_recording(scene.images, scene.session, tried)
    assert scene.won(loot) == row.expected(scene)


def test_auth_and_recording(scene: Scene, row: Row) -> None:
    loot = attackers.with_auth_and_recording(scene.auth, scene.session, possible_keys(scene.session))
    assert scene.won(loot) == row.expected(scene)


def test_recording_of_provisioning(scene: Scene, row: Row) -> None:
    tried = possible_keys(scene.provisioning, scene.images)
    loot = attackers.with_recording_of_provisioning(scene.provisioning, tried)
    loot |= attackers.with_auth_and_recording(stolen_auth(scene.images), scene.provisioning, tried)
    assert scene.won(loot) == row.expected(scene)


def test_broken_curve_and_session(scene: Scene, row: Row) -> None:
    """He has the private keys of both ends, and takes everything that he has for A."""
    privates = scene.privates.get(HOST, NO_KEYS) | scene.privates.get(UNIT, NO_KEYS)
    for tried in possible_keys(scene.session) | privates:
        assert scene.won(attackers.with_auth_and_recording(tried, scene.session, privates)) == row.expected(scene)


def test_broken_curve_and_provisioning(scene: Scene, row: Row) -> None:
    loot = attackers.with_recording_of_provisioning(scene.provisioning, scene.privates.get(HOST, NO_KEYS))
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


def test_in_the_middle(present: Scene, row: Row, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner notices nothing: his unit works."""
    man = ManInTheMiddle(stolen_auth(present.images))
    wrap_lines(monkeypatch, man.on)
    with ndks.open(f"emulator:{directory / 'unit'}", bindings=laptop(directory)) as unit:
        assert unit.key(1, 8 * KEY_SIZE).data == present.truth[attackers.KEY]
        unit.seal(LETTER, mode="b")
    loot = man.loot | attackers.with_flash_and_kek(present.images, man.loot[attackers.KEK])
    assert present.won(loot) == row.expected(present)


def test_in_the_middle_of_provisioning(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody authenticates a blank unit. He hears the binding too, which renews A, and all sessions after it."""
    man = ManInTheMiddle()
    scene = played(tmp_path, monkeypatch, man.on)
    loot = man.loot | attackers.with_flash_and_kek(scene.images, man.loot[attackers.KEK])
    assert scene.won(loot) == row.expected(scene)


@pytest.fixture(scope="module")
def joining(tmp_path_factory: pytest.TempPathFactory) -> Joining:
    with pytest.MonkeyPatch.context() as patch:
        return joined(tmp_path_factory.mktemp("joining"), patch)


def test_flash_copy_while_a_joining_key_waits(joining: Joining, row: Row) -> None:
    assert joining.won(attackers.with_package(joining.package, joining_keys(joining.waiting))) == row.gets


def test_in_the_middle_of_a_request(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator seals to the key that he is told."""
    network, man = ndks.Network.new("office"), KeyChanger()
    wrap_lines(monkeypatch, man.on)
    with link_to(f"emulator:{tmp_path / 'unit'}") as link:
        package = sealed_to(*link.call(commands.JOINING_KEY), network)
    loot = attackers.with_package(package, frozenset({man.private}))
    assert {name for name, value in loot.items() if value == of_network(network)[name]} == row.gets


def test_package_and_recording(joining: Joining, row: Row) -> None:
    tried = possible_keys(joining.recording, joining.afterwards)
    loot = attackers.with_package(joining.package, joining_keys(joining.afterwards) | tried)
    loot |= attackers.with_recording_of_provisioning(joining.recording, tried)
    assert joining.won(loot) == row.gets


def test_in_the_middle_of_joining(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line has only the sealed package, and B in the session of the blank unit."""
    man = ManInTheMiddle()
    joining = joined(tmp_path, monkeypatch, man.on)
    assert joining.won(man.loot) == {CODE}
    kek = Binding(man.loot[CODE]).kek
    assert joining.won(man.loot | attackers.with_flash_and_kek(joining.afterwards, kek)) == row.gets


def test_listener(scene: Scene, row: Row) -> None:
    assert set(found(secrets_of(scene), scene.session)) == row.expected(scene)
    assert not keys_that_open(scene.session), "nothing that was said opens a session"
