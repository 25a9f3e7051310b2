# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on the flash of others: a member that begins an epoch in each tick."""

from ndks_laboratory.homologation.adversaries.active.trial import Trial
from ndks_protocol.control.limits import MOVE_PAUSE

from .network_adversary import NetworkAdversary

_RENEWALS = 16  # one in each tick
_MOST = 2 + _RENEWALS // MOVE_PAUSE  # a unit moves once in a pause, and at once in a new session


class Wear(NetworkAdversary):
    """Renews in each tick: a unit that followed at once would write its flash each time, and wear out in days."""

    withstood = "{tries} renewals in as many ticks moved no unit more than twice"

    def act(self, trial: Trial) -> None:
        trial.tries += _RENEWALS
        moves = trial.network.hurry(_RENEWALS)
        if moves > _MOST:
            trial.breaks.append(f"a unit wrote {moves} epochs to its flash in {_RENEWALS} ticks")
