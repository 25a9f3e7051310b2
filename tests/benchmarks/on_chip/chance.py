# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Random numbers that are the same in each run, so that the same firmware gives the same figures."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


@contextmanager
def same_chance() -> Iterator[None]:
    """Give this process, whose host makes random numbers as any host does, the numbers of a seed."""
    chance = random.Random(1)
    with patch.object(os, "urandom", chance.randbytes), patch.object(random, "_urandom", chance.randbytes):
        yield
