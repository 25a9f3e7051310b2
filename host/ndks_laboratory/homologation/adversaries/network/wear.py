# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on the flash of others: a member that begins an epoch in each tick."""

from ndks_laboratory.homologation.adversaries.active.trial import Trial

from .network_adversary import NetworkAdversary

_RENEWALS = 16  # in as many ticks
_PAUSE = 64  # ticks between two moves of a unit
_MOST = 1 + _RENEWALS // _PAUSE + 1


class Wear(NetworkAdversary):
    """Renews in each tick: a unit that follows at once writes its flash each time, and is worn out in days."""

    withstood = "{tries} renewals in as many ticks moved no unit more than twice"

    def act(self, trial: Trial) -> None:
        trial.tries += _RENEWALS
        moves = trial.network.hurry(_RENEWALS)
        if moves > _MOST:
            trial.breaks.append(f"a unit wrote {moves} epochs to its flash in {_RENEWALS} ticks")
