# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Conversations with units of networks, and one with all commands, for the golden vectors."""

from collections.abc import Callable
from typing import Any

from command_vectors import (
    one_life,
)
from conversation import (
    ABOUT_STEPS,
    ENTROPY,
    FIRST,
    OWN_LANE,
    SECOND,
    UID,
    Conversation,
)
from enrolment_vectors import Enrolment
from epoch_talks import a_network_of_before, epochs, refused_beacons, roles
from flash_reference import (
    Flash,
)
from generation_talks import (
    cut_before_the_commit,
    cut_before_the_first_commit,
    enrolling,
    generations,
    interrupted,
    largest,
    merges,
    state_of_format_3,
)
from network_life import SLAVE, NetworkLife, key_of
from network_reference import (
    hint,
)
from network_steps import FIRST_G, HEARD, MASTER, MONITOR, named, opening
from wire_codes import C


def make_commands() -> dict[str, Any]:
    """Return one conversation with a new unit: requests and answers."""
    life = NetworkLife()
    one_life(life)
    in_a_network(life)
    return {
        "about": "conversation with a new unit (PROTOCOL.md sections 4 to 7, 11). " + ABOUT_STEPS,
        "uid": UID.hex(),
        "entropy": ENTROPY.hex(),
        "bindings": [FIRST.in_hex(), SECOND.in_hex()],
        "steps": life.steps,
    }


def in_a_network(life: NetworkLife) -> None:
    life.enrol(Enrolment(OWN_LANE, 1))
    life.open_session()
    life.say((C.HINT, named(1), hint(key_of(1))))
    life.enter(FIRST_G)
    life.tick(0, SLAVE, 0, 0)
    life.renew()
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)
    life.hear(9, 1, 1, 1, HEARD)
    life.set_mode(MONITOR)
    life.say(*opening(FIRST_G, 0), *opening(FIRST_G, 1))


NETWORKS: dict[str, Callable[[], tuple[Conversation, Flash | None]]] = {
    **{
        talk.__name__: lambda talk=talk: (talk(), None)
        for talk in (enrolling, generations, merges, largest, epochs, roles, refused_beacons, a_network_of_before)
    },
    "state of format 3": state_of_format_3,
    **{
        f"power cut before a commit, after {count} generations": lambda count=count: cut_before_the_commit(count)
        for count in (0, 1, 6)
    },
    "power cut before the commit of the first generation": cut_before_the_first_commit,
    **{
        f"power cut before compaction {number} of a generation": lambda number=number: interrupted(number)
        for number in (1, 2)
    },
}
