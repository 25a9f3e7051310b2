# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on generations: bundles that no administrator made."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ndks.network.bundle import Bundle
from ndks_laboratory.homologation.adversaries.active.trial import Trial

from .network_adversary import NetworkAdversary, altered

_FLIPPED = 32  # places
_LATER = 1, 4, 3000  # generations
_AT_G, _AT_NOTICES = 2, 12  # bytes


class ForgedBundles(NetworkAdversary):
    """Raises the generation of a bundle, signs it himself, alters and cuts it."""

    withstood = "no unit was asked because of {tries} forged bundles"

    def act(self, trial: Trial) -> None:
        network, bundle = trial.network, trial.network.bundle()
        places = trial.random.integers(_AT_NOTICES, len(bundle), _FLIPPED).tolist()
        forged = {f"altered at byte {place}": altered(_raised(bundle, 1), place) for place in places}
        forged |= {f"{more} generations later": _raised(bundle, more) for more in _LATER}
        forged |= {"signed by another": _signed(_raised(bundle, 1)), "cut": _raised(bundle, 1)[:-1]}
        for what, packet in forged.items():
            asked = trial.attempt(lambda packet=packet: network.enter(packet))
            if asked is not None:
                trial.breaks.append(f"a bundle {what}: {asked.decode()} was asked to enter it")


def _raised(bundle: bytes, more: int) -> bytes:
    g = int.from_bytes(bundle[_AT_G : _AT_G + 2]) + more
    return bundle[:_AT_G] + g.to_bytes(2) + bundle[_AT_G + 2 :]


def _signed(packet: bytes) -> bytes:
    bundle = Bundle.parse(packet)
    key = Ed25519PrivateKey.generate()
    return Bundle.signed(key, bundle.g, bundle.previous, list(bundle.notices), bundle.record).content
