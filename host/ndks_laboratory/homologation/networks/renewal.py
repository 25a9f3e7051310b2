# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Renewal: of keys and parameters by any unit, of operators by the administrator."""

from collections.abc import Iterator

from ndks_laboratory.outcome import Check
from ndks_protocol.generator import F1, F2

from .checks import held
from .scene import Scene

OPERATORS = 4, 1, 1  # d, f1 and f2: others than those of the paper's equation 7
_KEY_BITS = 256


def renewal(scene: Scene) -> Iterator[Check]:
    """Renew keys and parameters, then operators."""
    table = scene.table
    before, keys = _ids(scene), _keys(scene)
    table.pause()
    renewer = table.present[-1]
    table.publish(renewer, renewer.renew())
    table.until_agreed()
    after, new_keys = _ids(scene), _keys(scene)
    yield held("keys are renewed: others than before, the same at all units", _renewed(keys, new_keys))
    yield held("p1 and p2 are renewed: another network id, the same at all units", _renewed(before, after))
    scene.desk.refresh(OPERATORS)
    table.until_agreed()
    shown = {(status.digits, status.f1, status.f2) for status in (member.opened.unlock() for member in table.present)}
    digits, f1, f2 = OPERATORS
    wanted = digits, F1[f1], F2[f2]
    yield held("operators are renewed at all units", shown == {wanted}, "; ".join(map(_told, shown)))
    yield held("with them keys are others, and the same at all units", _renewed(new_keys, _keys(scene)))
    table.talk("all is renewed")
    yield held("then a message of each reaches all others", True)


def _told(operators: tuple[int, str, str]) -> str:
    digits, f1, f2 = operators
    return f"d = {digits}, f1 {f1}, f2 {f2}"


def _renewed(before: set[object], after: set[object]) -> bool:
    return len(before) == len(after) == 1 and before != after


def _ids(scene: Scene) -> set[object]:
    return {member.opened.unlock().network_id for member in scene.table.present}


def _keys(scene: Scene) -> set[object]:
    return {bytes(member.opened.key(1, _KEY_BITS).data) for member in scene.table.present}
