# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit becomes a member of an administered network by its package.

Wherever it is interrupted, it can go on with the same package: the unit shows what was done, which is not done again.
"""

import contextlib
import itertools
from dataclasses import dataclass
from pathlib import Path

from ndks_protocol import errors

from ...driver.answers import BLANK
from ...driver.joining import TellCode
from ...driver.network_verbs import NetworkUnit
from ...driver.unit import Unit
from ...exceptions import CheckFailed, DeviceError, FileError
from ...network.bundle import Bundle
from ...network.member_package import MemberPackage
from ...system_errors import file_errors
from ..kept import Kept
from ..limits import Limits
from ..store import Store
from . import places
from .membership import Membership


@dataclass(frozen=True)
class Accepted:
    """A member in its first generation, or in a later one, bound to this laptop."""

    serial_number: str
    lane: int
    network: str
    generation: int
    number: int


def refuse(unit: Unit, package: MemberPackage) -> None:
    """Raise the error with which `accept` would refuse a package, without changing anything.

    AuthenticationError PACKAGE: it was made for another unit; DeviceError PROVISIONED: the unit has another membership;
    DENIED: a service holds the unit.
    """
    package.check_unit(unit.hello.serial_number)
    if unit.hello.state == BLANK:
        unit.check_blank()
    elif unit.has_code_here:
        unit.check_at_port()
    else:
        _check_lane(unit, package)


def accept(unit: Unit, package: MemberPackage, tell_code: TellCode = lambda _: None) -> Accepted:
    """Enrol and bind the unit, enter the generation of the package, and give its agent what it needs to know.

    Compare the words of the package first. Errors as `refuse` and `Unit.enrol`; CheckFailed: the bundle has no notice
    for this unit; FileError, also while the unit's agent runs.
    """
    package.check_unit(unit.hello.serial_number)
    with file_errors():
        if unit.hello.state == BLANK:
            _set_aside(unit.hello.serial_number)
            unit.enrol(package, tell_code=tell_code)
        elif unit.has_code_here:
            unit.bind()
    _check_lane(unit, package)
    bundle = Bundle.parse(package.bundle)
    epoch = _enter(NetworkUnit(unit), bundle)
    Membership(package.network, package.tick, package.signing_key).save(package.serial_number)
    with contextlib.closing(Store(places.store_of(package.serial_number))) as store, store.step():
        Kept(store, Limits()).keep(bundle)
    return Accepted(package.serial_number, package.lane, package.network, epoch >> 16, epoch & 0xFFFF)


def _check_lane(unit: Unit, package: MemberPackage) -> None:
    """Raise DeviceError PROVISIONED if the unit has another membership."""
    status = unit.unlock()
    known = None
    with contextlib.suppress(FileError):  # damaged: it is written again
        known = Membership.load(package.serial_number)
    is_other = known is not None and known.signing_key != package.signing_key
    if (status.lane, status.network) != (package.lane, package.network) or is_other:
        what = f"unit {package.serial_number} is a member of network {status.network} already, on lane {status.lane}"
        other = "another network of this name" if is_other else f"network {package.network}"
        what += f"; the package is for {other}, lane {package.lane}"
        raise DeviceError(errors.PROVISIONED, what, "to leave that network: ndks zeroize, then ndks join request")


def _enter(unit: NetworkUnit, bundle: Bundle) -> int:
    """Enter the generation of a bundle, unless the unit is in it or in a later one; return its epoch."""
    epoch = unit.epoch
    if epoch is not None and epoch >> 16 >= bundle.g:
        return epoch
    for notice in bundle.notices_for(unit.hint(bundle.g)):
        try:
            return unit.notice(bundle.g, notice)
        except DeviceError as error:  # another member's, whose hint is the same by coincidence
            if error.number not in (errors.HEADER, errors.AUTH):
                raise
    what = "the bundle in the package has no notice that this unit takes"
    raise CheckFailed(what, "erase the unit (ndks zeroize), and make another request: ndks join request")


def _set_aside(serial_number: str) -> None:
    """Rename the directory of a former membership's agent: the numbers in it are those of another lane.

    FileError: the agent runs.
    """
    directory = places.directory_of(serial_number)
    if places.store_of(serial_number).exists():
        with contextlib.closing(Store(places.store_of(serial_number))):
            pass  # nobody else has it open
    if directory.exists():
        directory.rename(_free_name(directory))


def _free_name(directory: Path) -> Path:
    names = (
        directory.with_name(f"{directory.name}.old{number if number > 1 else ''}") for number in itertools.count(1)
    )
    return next(path for path in names if not path.exists())
