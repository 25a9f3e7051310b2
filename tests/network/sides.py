# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The sides that can be put into the world."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from .model import rules
from .product.left_out import OF_HOSTS, OF_UNITS
from .product.pair import PairSide
from .product.product_side import ProductSide
from .product.side import AgentsSide
from .world.interface import Side
from .world.model_side import ModelSide

SIDES: dict[str, Callable[[], Side]] = {
    "model": ModelSide,
    "agents": AgentsSide,
    "product": ProductSide,
    "pair": PairSide,
}

Without = Callable[[], AbstractContextManager[None]]


def _rules_of_the_model() -> list[str]:
    """Return every rule that the model's code asks for."""
    source = "".join(path.read_text() for path in sorted(Path(rules.__file__).parent.glob("*.py")))
    return sorted({part.split('")')[0] for part in source.split(' holds("')[1:]})


# Of each side: what leaves a rule out while it is entered.
MUTANTS: dict[str, dict[str, Without]] = {
    "agents": OF_HOSTS,
    "product": {**OF_UNITS, **OF_HOSTS},
    "pair": OF_UNITS,
    "model": {rule: partial(rules.without, rule) for rule in _rules_of_the_model()},
}
