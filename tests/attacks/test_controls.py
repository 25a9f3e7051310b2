# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""With one byte of what an attacker holds altered he fails: it is his holdings that win, not the test.

From the recording of protocol 2.0 the attackers get all that they want; from a present one, if they are given an
ephemeral private key of one end: this shows that nothing else is what they lack.
"""

from pathlib import Path

import pytest
from flash_reference import BINDING as BINDING_RECORD
from flash_reference import MEMBERSHIP
from host.watched_line import wrap_lines
from unit.other_member import flipped
from wire_codes import C

import ndks
from ndks.exceptions import AuthenticationError

from . import attackers
from .attackers import BINDING, CODE, KEK, KEY, MESSAGE, NEXT_KEY, SECRET
from .fake_unit import FakeUnit
from .flash_copy import candidates, stolen_auth
from .listening import found, keys_that_open, secrets_of
from .recording import ANSWER, HOST, UNIT, Exchange, Recording, exchanges, on_the_line
from .rows import ROWS
from .scene import Scene, laptop
from .sessions import NO_KEYS

CODE_IN_PROVISION, SECRET_IN_PROVISION = 0, 41


def altered(recording: Recording, command: int, side: str, position: int) -> Recording:
    """Return a recording with one bit flipped in each request, or answer, of this command."""

    def other(heard: Exchange) -> Exchange:
        if heard.command != command:
            return heard
        return heard._replace(**{side: flipped(getattr(heard, side), position)})

    return on_the_line(map(other, exchanges(recording)))


def with_other_bit(private: bytes, position: int) -> bytes:
    """Return a private key with another bit in one byte, which is not one of the five that X25519 sets itself."""
    return private[:position] + bytes([private[position] ^ 0x20]) + private[position + 1 :]


def damaged(images: list[bytes], kind: int) -> list[bytes]:
    """Return flash with one bit flipped in the body of each record of this type."""
    for _, _, body in [candidate for image in images for candidate in candidates(image, kind)]:
        images = [image.replace(body, flipped(body, 5)) for image in images]
    return images


@pytest.mark.parametrize("end", [HOST, UNIT])
def test_private_key_of_one_end(end: str, present: Scene) -> None:
    """With it the attackers get from protocol 3.0 what they got from 2.0."""
    privates = present.privates[end]
    loot = attackers.with_auth_and_recording(present.auth, present.session, privates)
    assert present.won(loot) == ROWS["test_auth_and_recording"].got_from_2_0
    loot = attackers.with_flash_and_recording(present.images, present.session, privates)
    assert present.won(loot) == ROWS["test_flash_copy_and_recording"].got_from_2_0
    loot = attackers.with_recording_of_provisioning(present.provisioning, privates)
    assert present.won(loot) == ROWS["test_recording_of_provisioning"].got_from_2_0


@pytest.mark.parametrize("end", [HOST, UNIT])
def test_each_byte_of_a_private_key(end: str, present: Scene) -> None:
    for position in range(32):
        privates = frozenset(with_other_bit(private, position) for private in present.privates[end])
        assert attackers.with_auth_and_recording(present.auth, present.session, privates) == {}


def test_each_byte_of_auth(scene: Scene) -> None:
    for position in range(32):
        auth = flipped(scene.auth, position)
        assert attackers.with_auth_and_recording(auth, scene.session, scene.privates.get(UNIT, NO_KEYS)) == {}


@pytest.mark.parametrize(
    ("command", "side", "position"),
    [
        (C.HELLO, "answer", -1),
        (C.OPEN_SESSION, "request", 0),
        (C.OPEN_SESSION, "request", -1),
        (C.OPEN_SESSION, "answer", 0),
        (C.OPEN_SESSION, "answer", -17),
        (C.OPEN_SESSION, "answer", -1),
        (C.UNLOCK, "request", 0),
        (C.UNLOCK, "answer", 0),
    ],
)
def test_a_byte_of_the_recording(command: int, side: str, position: int, scene: Scene) -> None:
    privates = scene.privates.get(UNIT, NO_KEYS)
    same = on_the_line(exchanges(scene.session))
    assert scene.won(attackers.with_auth_and_recording(scene.auth, same, privates)) == {KEK, KEY, MESSAGE}
    other = altered(scene.session, command, side, position)
    assert attackers.with_auth_and_recording(scene.auth, other, privates) == {}
    assert attackers.with_flash_and_recording(scene.images, other, privates) == {}


def test_a_byte_of_the_flash(of_2_0: Scene) -> None:
    without_auth = damaged(of_2_0.images, BINDING_RECORD)
    assert attackers.with_flash_and_recording(without_auth, of_2_0.session) == {}
    without_member = damaged(of_2_0.images, MEMBERSHIP)
    loot = attackers.with_flash_and_recording(without_member, of_2_0.session)
    assert of_2_0.won(loot) == set(loot) == {KEK, KEY, MESSAGE}, "only what the session itself gives"


@pytest.mark.parametrize(
    ("position", "left"),
    [(CODE_IN_PROVISION, {SECRET, KEY, NEXT_KEY}), (SECRET_IN_PROVISION, {CODE, BINDING, KEK})],
)
def test_a_byte_of_provision(position: int, left: set[str], of_2_0: Scene) -> None:
    other = altered(of_2_0.provisioning, C.PROVISION, "request", position)
    assert of_2_0.won(attackers.with_recording_of_provisioning(other)) == left


def test_a_byte_of_the_kek(of_2_0: Scene) -> None:
    kek = of_2_0.truth[KEK]
    assert of_2_0.won(attackers.with_flash_and_kek(of_2_0.images, kek)) == {SECRET, KEY, NEXT_KEY}
    assert attackers.with_flash_and_kek(of_2_0.images, flipped(kek, 0)) == {}


def test_a_byte_of_the_fake_units_auth(present: Scene, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeUnit(flipped(stolen_auth(present.images), 0), present.hello)
    wrap_lines(monkeypatch, fake.instead_of)
    with (
        ndks.open(f"emulator:{directory / 'unit'}", bindings=laptop(directory)) as unit,
        pytest.raises(AuthenticationError) as refused,
    ):
        unit.next_key(8)
    assert refused.value.code == "LOCKED"
    assert fake.loot == {}


def test_listener_hears_what_is_said(of_2_0: Scene) -> None:
    """The search finds any 8 bytes of each secret; in the recording of PROVISION it finds what that says."""
    secrets = secrets_of(of_2_0)
    assert {CODE, SECRET} <= set(found(secrets, of_2_0.provisioning))
    for name, secret in secrets.items():
        said = Exchange(C.STATUS, 1, b"", C.STATUS | ANSWER, bytes(300) + secret[-8:])
        assert set(found(secrets, on_the_line([said]))) == {name}


def test_listener_would_know_the_key(scene: Scene) -> None:
    told = scene.privates.get(UNIT, NO_KEYS) | {scene.auth}
    assert keys_that_open(scene.session, told) == {scene.auth}
