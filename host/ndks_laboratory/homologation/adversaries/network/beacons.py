# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on the choice of the master: beacons that are altered, old or repeated."""

from ndks_laboratory.homologation.adversaries.active.trial import Trial

from .network_adversary import NetworkAdversary, altered

_REPEATED = 8  # beacons, in turn


class ForgedBeacons(NetworkAdversary):
    """Alters a beacon at each byte, sends one of a past generation, and replays those of a master that is gone."""

    withstood = "none of {tries} beacons was followed ({refused}); another led although they were replayed"

    def act(self, trial: Trial) -> None:
        network, beacons = trial.network, trial.network.beacons()
        forged = {f"altered at byte {place}": altered(beacons[-1], place) for place in range(len(beacons[-1]))}
        for what, packet in {**forged, "cut": beacons[-1][:-1], "of before": beacons[0]}.items():
            follower = trial.attempt(lambda packet=packet: network.hear(packet))
            if follower is not None:
                trial.breaks.append(f"a beacon {what}: {follower.decode()} followed it")
        if not network.another_leads(beacons[-_REPEATED:]):
            trial.breaks.append("repeated beacons kept a master that is gone")
