# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packages: a membership sealed to the joining key of one unit, which alone can open it."""

from dataclasses import dataclass
from typing import Any, Self

from ndks_protocol import commands, errors, wire
from ndks_protocol.fields import pack
from ndks_protocol.sealed_package import CutShort, ephemeral_of, seal

from ..crypto import CRYPTO, EphemeralKey
from ..exceptions import AuthenticationError, device_error
from ..strict_json import typed
from .join_request import JoinRequest
from .joining_file import FORMAT, JoiningFile, checked_bytes, checked_date, checked_serial_number, encoded
from .network_file import Network, check_name

SUFFIX = ".ndkspackage"
_LONGEST_SEALED = 1024  # bytes; those of a membership are fewer


@dataclass(frozen=True)
class JoinPackage(JoiningFile):
    """What makes the unit with this serial number a member of a network, on a lane; it tells nobody else a secret."""

    lane: int
    sealed: bytes

    MARK = "ndks_join_package"
    FIELDS = frozenset({MARK, "date", "network", "uid", "lane", "sealed"})
    WHAT = "package"

    def check_unit(self, serial_number: str) -> None:
        """Raise the error with which the unit would refuse this package, without asking it.

        AuthenticationError PACKAGE: made for another unit, or cut short; PUBLIC_KEY: its public key has low order.
        """
        if self.serial_number != serial_number:
            what = f"the package was made for unit {self.serial_number}, and this is unit {serial_number}"
            raise AuthenticationError(errors.PACKAGE, what, "use it with that unit, or have one made for this unit")
        try:
            check_public_key(ephemeral_of(self.sealed))
        except CutShort:
            what = "the sealed part of the package was cut short"
            raise AuthenticationError(errors.PACKAGE, what, "have the package sent again") from None

    @classmethod
    def _from_values(cls, values: dict[str, Any], content: bytes) -> Self:
        network, lane = typed(str, values["network"]), typed(int, values["lane"])
        check_name(network)
        if not 1 <= lane <= commands.MAX_LANE:
            raise ValueError
        date, serial_number = checked_date(values["date"]), checked_serial_number(values["uid"])
        sealed = checked_bytes(values["sealed"])
        if len(sealed) > _LONGEST_SEALED:
            raise ValueError
        return cls(serial_number, date, network, content, lane, sealed)


def check_public_key(public: bytes) -> None:
    """Raise AuthenticationError PUBLIC_KEY for a public key of low order."""
    try:
        EphemeralKey().shared(public)
    except ValueError:
        raise device_error(errors.PUBLIC_KEY) from None


def seal_membership(request: JoinRequest, network: Network, lane: int) -> JoinPackage:
    """Return the package that makes the unit of a request, whose key has been checked, the member on a lane."""
    ephemeral = EphemeralKey()
    fields = pack(wire.MEMBERSHIP, *network.membership(lane))
    sealed = seal(CRYPTO, ephemeral.shared(request.public_key), ephemeral.public, request.public_key, fields)
    values: dict[str, object] = {JoinPackage.MARK: FORMAT, "network": network.name}
    values |= {"uid": request.serial_number, "lane": lane, "sealed": sealed.hex()}
    return JoinPackage.parsed(encoded(values), "the package")
