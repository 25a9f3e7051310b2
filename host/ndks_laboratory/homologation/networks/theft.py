# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""After the theft: what the theft of the master by the adversary, and its revocation, meant for the others."""

from collections.abc import Iterator

from ndks.exceptions import CheckFailed
from ndks_laboratory.outcome import Check

from .checks import held
from .scene import Scene


def after_theft(scene: Scene) -> Iterator[Check]:
    """Look at the members that are left."""
    table, gone = scene.table, [member for member in scene.table.members if member.is_stolen]
    if not gone:
        raise CheckFailed("no unit was stolen: the adversary before this has stopped")
    yield held("the master was stolen: another leads", table.master() not in gone)
    revoked = set(scene.desk.administrator.state.revoked)
    counts = {member.agent.ticked.revoked for member in table.present}
    yield held("all others know that it is revoked", counts == {len(gone)} and revoked == {m.lane for m in gone})
    table.talk("after the revocation")
    yield held("messages go on without it", True)
