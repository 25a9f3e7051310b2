# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What each attacker gets: the rows of SECURITY.md that name a test of test_attacks.py."""

from typing import NamedTuple

from .attackers import BINDING, CODE, KEK, KEY, MESSAGE, NEXT_KEY, SECRET
from .scene import RECORDED_PROTOCOL, Scene

NOTHING: frozenset[str] = frozenset()
OF_SESSION = frozenset({KEK, KEY, MESSAGE})
OF_NETWORK = frozenset({SECRET, KEY, NEXT_KEY})


class Row(NamedTuple):
    adversary: str  # as SECURITY.md names him; he holds what it says
    gets: frozenset[str]  # under the present protocol, of which SECURITY.md speaks
    got_from_2_0: frozenset[str]

    def expected(self, scene: Scene) -> frozenset[str]:
        return self.got_from_2_0 if scene.protocol == RECORDED_PROTOCOL else self.gets


# By the name of the test
ROWS = {
    "test_flash_copy_and_recording": Row(
        "has copied its flash, and recorded USB under the same binding",
        gets=OF_SESSION | OF_NETWORK,
        got_from_2_0=OF_SESSION | OF_NETWORK,
    ),
    "test_auth_and_recording": Row(
        "has recorded a session on USB, and got A alone afterwards",
        gets=OF_SESSION,
        got_from_2_0=OF_SESSION,
    ),
    "test_recording_of_provisioning": Row(
        "has recorded USB while it was provisioned",
        gets=OF_NETWORK | {CODE, BINDING, KEK},
        got_from_2_0=OF_NETWORK | {CODE, BINDING, KEK},
    ),
    "test_fake_unit": Row(
        "has copied its flash, and puts a fake unit into the owner's laptop",
        gets=OF_NETWORK | {KEK},
        got_from_2_0=OF_NETWORK | {KEK},
    ),
    "test_listener": Row("listens on USB, has nothing else", gets=NOTHING, got_from_2_0=NOTHING),
}
