# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The stage: the units join a network of their own, live in it, and are attacked in it; then they are erased."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from ndks_laboratory.homologation.plan import UNREVOKED, HomologationPlan
from ndks_laboratory.homologation.provisioning import UnitGroup
from ndks_laboratory.outcome import Check

from .checks import made
from .confinement import confinement
from .evidence import CASE, CONFINEMENT, JOINING, LATE, RENEWAL, ROLES, SYMBOLS, THEFT, NetworkEvidence
from .joining import joining
from .late import late
from .opened_case import opened_case
from .renewal import renewal
from .roles import roles
from .scene import Scene
from .symbols import symbols
from .theft import after_theft
from .unit_network import UnitNetwork

Part = Callable[[Scene], Iterator[Check]]
_BEFORE: dict[str, Part] = {
    JOINING: joining,
    ROLES: roles,
    LATE: late,
    RENEWAL: renewal,
    SYMBOLS: symbols,
    CONFINEMENT: confinement,
}
_AFTER: dict[str, Part] = {THEFT: after_theft, CASE: opened_case}

ALL_PARTS = len(_BEFORE) + len(_AFTER)


def run_network(
    plan: HomologationPlan, group: UnitGroup, attack: Callable[[UnitNetwork], object], tell: Callable[[int], object]
) -> NetworkEvidence:
    """Run all parts, with the adversaries between them; blank units are blank again at the end. NdksError."""
    checks: dict[str, tuple[Check, ...]] = {}
    with group.lent() as membership, contextlib.ExitStack() as stack:
        scene = Scene(plan, group.sides, group.open, stack)
        for name, part in _BEFORE.items():
            checks[name] = made(part(scene))
            scene.recover()
            tell(1)
        attack(UnitNetwork(scene, revokes=plan.fault != UNREVOKED))
        for name, part in _AFTER.items():
            checks[name] = made(part(scene))
            tell(1)
    recording = scene.table.recording
    size = sum(map(len, recording))
    evidence = NetworkEvidence(checks, scene.table.now, len(recording), size)
    return replace(evidence, states=tuple(membership.states))
