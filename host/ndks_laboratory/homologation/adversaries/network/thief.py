# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack of a thief with a member's unit, its laptop and a recording of everything, after it was revoked."""

from ndks_laboratory.homologation.adversaries.active.trial import Trial, Unusable, shown

from .network_adversary import NetworkAdversary

_BEFORE, _AFTER, _FORGED = b"before the theft", b"after the revocation", b"forged by the thief"


class NetworkThief(NetworkAdversary):
    """Reads, sends and leads with the stolen unit, in every way that the recording permits."""

    withstood = "revoked, it read no message of {tries} packets, nobody took what it sent or followed it ({refused})"

    def act(self, trial: Trial) -> None:
        network = trial.network
        network.talk(_BEFORE)
        thief = network.steal()
        if _BEFORE not in thief.read(network.recording()):
            raise Unusable("the stolen unit reads nothing of before the theft either")
        network.revoke()
        network.talk(_AFTER)
        recording = network.recording()
        trial.tries += len(recording)
        if _AFTER in thief.read(recording):
            trial.breaks.append(f"thief: read a message of after the revocation: {shown(_AFTER)}")
        if _FORGED in network.taken(thief.send(_FORGED)):
            trial.breaks.append("thief: a member took what the revoked unit sent")
        for beacon in thief.beacons():
            follower = trial.attempt(lambda beacon=beacon: network.hear(beacon))
            if follower is not None:
                trial.breaks.append(f"thief: {follower.decode()} followed the revoked unit")
