# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each directed case, with the model and with the product."""

import pytest
from support.power_cuts import FULL

from network.directed import CASES
from network.sides import SIDES

WITH_CUTS = {
    "every_cut",
    "cut_and_moves",
    "cuts_in_a_network_of_before",
}  # at steps of flash, which are not those of the model
IN_LOCKSTEP = CASES.keys() - WITH_CUTS if FULL else {"forgeries_after_revocation", "long_absence", "restored_flash"}
RUNS = [(side, name) for side in SIDES for name in CASES if side != "pair" or name in IN_LOCKSTEP]


@pytest.mark.parametrize(("side", "name"), RUNS)
def test_case(side: str, name: str) -> None:
    CASES[name](SIDES[side]())
