# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Why a handshake ends without a link. The other gateway is told nothing: it sees that the link is closed.

`code` counts refusals by their reason. No message has a secret, or bytes of the other end.
"""

from collections.abc import Generator
from contextlib import contextmanager

from ndks.exceptions import NdksError

UNPROVEN = "not proven: anybody on the way can have sent what says so"
_REVOKED = "REVOKED"
_GARBAGE_ADVICE = "check that both ends are gateways of the same tunnel name, network and version"


class HandshakeError(NdksError):
    """What arrives is not what a gateway of this tunnel sends."""

    code = "HANDSHAKE"
    exit_status = 5
    usual_advice = _GARBAGE_ADVICE


@contextmanager
def unproven() -> Generator[None]:
    """Note on an error of the block that nothing proves that a member sent the bytes it comes from."""
    try:
        yield
    except NdksError as error:
        if isinstance(error, HandshakeError) or error.code == _REVOKED:
            error.add_note(UNPROVEN)
        raise


def is_unproven(error: NdksError) -> bool:
    return UNPROVEN in getattr(error, "__notes__", ())


class Garbage(HandshakeError):
    """A kind or size that no message of this version has."""

    code = "GARBAGE"


class OtherVersion(HandshakeError):
    """The other end speaks another version of the tunnel."""

    code = "TUNNEL_VERSION"
    usual_advice = "upgrade the older of the two gateways"


class NoDoor(HandshakeError):
    """No door fits: a stranger, another tunnel name, or an epoch that is not kept."""

    code = "NO_DOOR"


class TooMany(HandshakeError):
    """This door has had its full handshakes for now."""

    code = "TOO_MANY"
    usual_advice = "the other gateway tries again by itself"


class UnknownResumption(HandshakeError):
    """The link to resume is not known here: this gateway was restarted, or keys were wiped."""

    code = "UNKNOWN_RESUMPTION"
    usual_advice = "the other gateway makes a full handshake next"


class Forged(HandshakeError):
    """A message of the handshake is not authentic: altered, replayed, or made with other keys."""

    code = "FORGED"


class Reflected(HandshakeError):
    """This gateway's own unit or process is at the other end."""

    code = "REFLECTED"
    usual_advice = "check --connect and --to: this gateway reached itself, or somebody sends its own bytes back"


class OtherLane(HandshakeError):
    """The other gateway's unit has another lane than the one that was named or pinned."""

    code = "OTHER_LANE"
    usual_advice = "check --peer; if the unit there was replaced on purpose: ndks tunnel forget NAME"


class PinnedKeyDiffers(HandshakeError):
    """The other gateway has another static key than the one that was pinned at the first link."""

    code = "PINNED_KEY"
    usual_advice = (
        "ask the other site whether its gateway was set up anew; compare six words by voice, then: "
        "ndks tunnel forget NAME"
    )


class Diverged(HandshakeError):
    """A right door, but both units made different keys for one header."""

    code = "DIVERGED"
    usual_advice = "bring both units together and compare: ndks key --index 1; provision again the one that differs"


class OtherGeneration(HandshakeError):
    """The units are in different generations of their network; the link comes up when the later news has arrived."""

    code = "GENERATION"
    usual_advice = "the gateways exchange the news and try again by themselves"


class PeerBehind(OtherGeneration):
    """The other gateway is behind; it was sent what it lacks."""


class UnitBehind(OtherGeneration):
    """This gateway's unit is behind. `bundles` is what came for its agent: pairs of generation and packet."""

    def __init__(self, bundles: "tuple[tuple[int, bytes], ...]") -> None:
        super().__init__("the unit of this gateway is in an earlier generation than that of the other one")
        self.bundles = bundles
