# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The adversary with a recording and a copy of flash reads sessions of protocol 2.0, if the flash is the unit's own."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from attacks.attackers import BINDING, KEY
from attacks.recording import Exchange, exchanges
from attacks.scene import Scene, recorded
from session_reference import Binding
from unit.other_member import flipped
from wire_codes import C

from ndks_laboratory.homologation.adversaries.active import ADVERSARIES
from ndks_laboratory.homologation.adversaries.active.session_keys import key_pairs, opened, possible_keys
from ndks_laboratory.homologation.attack import Finding, Oracle, Seen
from ndks_laboratory.homologation.old_sessions import OldSessions
from ndks_laboratory.homologation.system import Dump, RecordedSession, System
from ndks_protocol.framing import Frame

(ADVERSARY,) = [adversary for adversary in ADVERSARIES if adversary.label == "A7m"]


def attack(system: System) -> Finding:
    nothing = np.zeros((0, 0), np.uint8)
    return ADVERSARY.attack(Seen(3, nothing, nothing, (), system, 1), cast(Oracle, None))


@pytest.fixture(scope="module")
def of_2_0() -> Scene:
    return recorded()


def session_of(scene: Scene) -> RecordedSession:
    """Return the only session in a recording."""
    heard = list(exchanges(scene.session))
    (opening,) = [at for at, each in enumerate(heard) if each.command == C.OPEN_SESSION]
    answers = tuple(frame_of(each) for each in heard[opening + 2 :])
    hello, shares = heard[opening - 1].answer, (heard[opening].request, heard[opening].answer)
    return RecordedSession(hello, *shares, answers, scene.truth[KEY])


def frame_of(heard: Exchange) -> Frame:
    return Frame(heard.kind, heard.request_id, heard.answer)


def test_frozen_session_of_2_0(of_2_0: Scene) -> None:
    """It was made by a unit and a host of that time: the formulas of the adversary are right."""
    session, mark = session_of(of_2_0), Binding(of_2_0.truth[BINDING]).id
    tried = possible_keys(of_2_0.images, mark)
    assert of_2_0.auth in tried
    assert session.key in opened(session, tried, key_pairs(tried))
    without = [key for key in tried if key != of_2_0.auth]
    assert opened(session, without, key_pairs(without)) == b""
    assert opened(replace(session, hello=flipped(session.hello, 5)), tried, {}) == b""


def test_control_falls_with_its_own_flash_only() -> None:
    class WithoutA(OldSessions):
        def dumps(self) -> tuple[Dump, ...]:
            return super(OldSessions, self).dumps()

    finding = attack(OldSessions())
    assert (finding.succeeded, finding.details["successes"]) == (True, 2)
    assert finding.outcome.reason.startswith("recording and flash: a key of 2048 bits was read in a recorded session")
    assert attack(WithoutA()).succeeded is False


def test_flash_without_the_mark_shows_nothing() -> None:
    class OfAnother(OldSessions):
        def marks(self) -> dict[str, bytes]:
            return {owner: mark[::-1] for owner, mark in super().marks().items()}

    finding = attack(OfAnother())
    assert (finding.succeeded, finding.outcome.reason) == (None, "not run: no current copy of the flash of Alice")
