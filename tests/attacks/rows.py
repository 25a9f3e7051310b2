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
    got_from_2_0: frozenset[str] | None = None  # None: of what was not recorded

    def expected(self, scene: Scene) -> frozenset[str] | None:
        return self.got_from_2_0 if scene.protocol == RECORDED_PROTOCOL else self.gets


# By the name of the test
ROWS = {
    "test_flash_copy_and_recording": Row(
        "has copied its flash, before or afterwards, and recorded USB under the same binding",
        gets=NOTHING,
        got_from_2_0=OF_SESSION | OF_NETWORK,
    ),
    "test_auth_and_recording": Row(
        "has recorded a session on USB, and got A alone, before or afterwards",
        gets=NOTHING,
        got_from_2_0=OF_SESSION,
    ),
    "test_recording_of_provisioning": Row(
        "has recorded USB while it was provisioned, even if he copies its flash afterwards",
        gets=NOTHING,
        got_from_2_0=OF_NETWORK | {CODE, BINDING, KEK},
    ),
    "test_broken_curve_and_session": Row(
        "has recorded a session on USB, and can break X25519, but does not have A",
        gets=NOTHING,
        got_from_2_0=NOTHING,
    ),
    "test_broken_curve_and_provisioning": Row(
        "has recorded USB while it was provisioned, and can break X25519",
        gets=OF_NETWORK | {CODE, BINDING, KEK},
        got_from_2_0=OF_NETWORK | {CODE, BINDING, KEK},
    ),
    "test_fake_unit": Row(
        "has copied its flash, and puts a fake unit into the owner's laptop",
        gets=OF_NETWORK | {KEK},
    ),
    "test_in_the_middle": Row(
        "has copied its flash, and is in the middle of its line",
        gets=OF_NETWORK | OF_SESSION,
    ),
    "test_in_the_middle_of_provisioning": Row(
        "is in the middle of its line while it is provisioned",
        gets=OF_NETWORK | OF_SESSION | {CODE, BINDING},
    ),
    "test_in_the_middle_of_a_request": Row(
        "is in the middle of its line while it makes its joining key, and gets the package",
        gets=OF_NETWORK,
    ),
    "test_flash_copy_while_a_joining_key_waits": Row(
        "has copied its flash while a joining key waits there, and gets the package",
        gets=OF_NETWORK,
    ),
    "test_package_and_recording": Row(
        "has the package, has recorded USB, and copies its flash when it has joined",
        gets=NOTHING,
    ),
    "test_in_the_middle_of_joining": Row(
        "is in the middle of its line while it opens a package, and copies its flash afterwards",
        gets=OF_NETWORK | {CODE},
    ),
    "test_listener": Row("listens on USB, has nothing else", gets=NOTHING, got_from_2_0=NOTHING),
}
