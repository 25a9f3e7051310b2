# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How a ledger begins: when an administrator says so, as nobody else knows whether keys were delivered before."""

from ndks.exceptions import NdksError
from ndks_protocol.control.limits import SILENCE

from .ledger import Ledger
from .marks import MarkFile
from .tables import Mark
from .unit import ServingUnit


class LedgerBegun(NdksError):
    """The ledger has begun, or this server has used one before."""

    code = "LEDGER_BEGUN"
    usual_advice = "if it was lost, or put back from a copy: ndks serve ledger --lost"


class Silent(NdksError):
    """The unit may not know the latest epoch of the network."""

    code = "SILENT"
    exit_status = 3
    usual_advice = "let the unit's agent run until it has heard the network, and repeat"


async def first(ledger: Ledger) -> None:
    """Begin the ledger of a site that has delivered no key yet. LedgerBegun, LedgerAway."""
    if ledger.mark != Mark():
        raise LedgerBegun("this server has used a ledger before")
    if await ledger.is_begun():
        raise LedgerBegun("the ledger has begun")
    await ledger.begin(0)


async def lost(ledger: Ledger, mark: MarkFile, unit: ServingUnit) -> int:
    """Begin the ledger again, in a new epoch, which is returned: no key of an earlier epoch is delivered any more.

    Silent; DeviceError DELAYED: the network moved less than 64 s ago, and others; LedgerAway.
    """
    presence = unit.presence
    if not presence or presence.beacon_age is None or presence.beacon_age > SILENCE:
        raise Silent("the unit is away, or has heard no beacon for 32 s")
    await ledger.is_begun()  # the database has to be at hand before the whole network moves
    epoch = await unit.renew()
    await ledger.begin(epoch)
    mark.remove()
    return epoch
