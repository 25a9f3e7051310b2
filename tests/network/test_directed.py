# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each directed case, with the model and with the product."""

import pytest

from network.directed import CASES
from network.sides import SIDES


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CASES)
def test_case(side: str, name: str) -> None:
    CASES[name](SIDES[side]())
