# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units live at random, and answer as the reference predicts; their flash has the bytes that it predicts."""

from collections.abc import Callable
from random import Random

import conversation
import pytest
from enrolment_vectors import Enrolment
from hosts.played import host_of, play
from network_life import OWN_LANE
from network_reference import HOUSEKEEPING, LAST_NUMBER, MESSAGE, Generation, Operators
from network_roles import PredictedLife
from network_vectors import CUBES, PLAIN
from support.reference import FIRMWARE_OF_VECTORS

from ndks_unit import device

SEEDS = 6
STEPS = 120
FILE = Enrolment(OWN_LANE, 0).p1, Enrolment(OWN_LANE, 0).p2
SENDERS = (4, 6, 8, 9, 12)


def a_life(random: Random) -> PredictedLife:
    """Return a conversation of so many random steps, of which each shows what is in flash."""
    life = PredictedLife()
    life.enrol(Enrolment(OWN_LANE, random.choice((0, 1, 3)), mode=random.choice((0, 0, 1, 2))))
    life.open_session()
    life.enter(generation_of(life.enrolment.g + random.choice((0, 0, 5)), random.randbytes(32), PLAIN, ()))
    life.serve_nobody()
    actions = random.choice((OF_ROLES, OF_EPOCHS))
    for _ in range(STEPS):
        ACTIONS[random.choice(actions)](life, random)
        life.show()
        if random.random() < 0.2:
            life.say(life.present_status())
    return life


def tick(life: PredictedLife, random: Random) -> None:
    for _ in range(random.choice((1, 1, 4))):
        life.pass_ticks(random.choice((0, 1, 7, 8, 15, 16, 17, 60, 0xFFFF)))


def wait(life: PredictedLife, _: Random) -> None:
    for _ in range(4):
        life.pass_ticks(16)


def hear(life: PredictedLife, random: Random) -> None:
    lane, n = random.choice(SENDERS), random.choice((1, 2, 3, 1 << 40))
    term = random.choice((0, life.term, life.term, min(life.term + 1, 0xFFFFFFFF), 0xFFFFFFFF - 1))
    life.hear_of(lane, n, a_number(life, random), term)


def open_one(life: PredictedLife, random: Random) -> None:
    past = random.choice([None, None, *life.past])
    number = a_number(life, random) if not past else random.choice((0, past.low, past.number, 4200))
    life.open(past, number, random.choice(SENDERS), random.randrange(1, 99), random.choice((0, 4)))


def read_key(life: PredictedLife, random: Random) -> None:
    past = random.choice([None, *life.past])
    life.read_key(past, random.choice((past.low, past.number + 1) if past else (life.low, life.number, 9)))


ACTIONS: dict[str, Callable[[PredictedLife, Random], None]] = {
    "b": hear,
    "k": read_key,
    "m": lambda life, random: life.be(random.randrange(3)),
    "n": lambda life, random: life.notice(a_generation(life, random)),
    "o": open_one,
    "r": lambda life, _: life.begin_next(),
    "s": lambda life, random: life.seal(random.choice((0, HOUSEKEEPING, MESSAGE))),
    "t": tick,
    "w": wait,
    "x": lambda life, _: life.start_again(),
}
OF_ROLES, OF_EPOCHS = "tttttttbbbbbbrrmnsoookx", "wwwwwbbbbrrrsoooookkx" * 2 + "n"


def a_number(life: PredictedLife, random: Random) -> int:
    near = life.number + random.choice((-2, -1, 0, 0, 0, 1, 1, 2, 5, 40))
    return min(max(0, random.choice((near, near, near, near, life.number + 4097))), LAST_NUMBER)


def a_generation(life: PredictedLife, random: Random) -> Generation:
    revoked = set(life.generation.revoked)
    if random.random() < 0.3:
        revoked.add(random.choice((4, 6, 12)))
    if revoked and random.random() < 0.1:
        revoked.pop()
    g = max(0, life.generation.g + random.choice((-1, 0, 1, 1, 1, 2, 4, 300)))
    return generation_of(g, random.randbytes(32), random.choice((PLAIN, CUBES)), tuple(sorted(revoked)))


def generation_of(g: int, secret: bytes, operators: Operators, revoked: tuple[int, ...]) -> Generation:
    return Generation(g, secret, operators, revoked, None if g else FILE)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_life(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "FIRMWARE", FIRMWARE_OF_VECTORS)
    life = a_life(Random(seed))
    host = host_of({"uid": conversation.UID.hex(), "entropy": conversation.ENTROPY.hex()}, {"steps": life.steps})
    play(host, life.steps)
