# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks provision` from an administrator's file: request, approval and acceptance in one, for a unit at this laptop."""

import argparse
import contextlib
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import ndks
from ndks.driver.unit import Unit
from ndks.exceptions import DeviceError, FileError, UsageError
from ndks.network import administrator_file, approval
from ndks.network.administrator_keys import AdministratorKeys
from ndks.network.member_package import MemberPackage
from ndks_protocol import errors

from .arguments import need
from .confirmation import confirm
from .joining import tell_member
from .output import Output, note
from .publication import opened, refuse_old, told, values_of

_WHY = "provisioned at the administrator's laptop"


def provision_member(args: argparse.Namespace, out: Output) -> None:
    need(
        args.bind,
        "a unit of an administered network is bound to its laptop when it joins",
        "add --bind, or: ndks join request",
    )
    state = administrator_file.load(args.network)
    if state.authority:
        what = "this network's authority signs for each unit"
        raise UsageError(what, f"ndks join request, ndks join approve --network {args.network}, ndks join accept")
    from ndks.agent.running import accepting, places  # here, because they are slow to import

    with ndks.open(args.unit, args.timeout, create=True) as unit:
        path = places.package_of(unit.hello.serial_number)
        if path.exists():
            note(f"going on where it was interrupted, with {path}")
        else:
            _approve(args, unit, path)
        package = MemberPackage.load(path)
        if package.signing_key != AdministratorKeys(state.root).public:
            raise FileError(f"{path} is a package of another network", "use it: ndks join accept, or erase it")
        with _advised(f"erase {path}, take its lane back (ndks network retire), and repeat"):
            member = accepting.accept(unit, package)
    path.unlink()
    values = values_of(args.network, administrator_file.load(args.network))
    counts = {name: values[name] for name in ("member_count", "revoked_count")}
    tell_member(out, member, {"file": str(args.network), **counts}, told(values))


@contextlib.contextmanager
def _advised(advice: str) -> Generator[None]:
    """Set the advice of the error of a unit whose joining key is another by now."""
    try:
        yield
    except DeviceError as error:
        if error.number in (errors.PACKAGE, errors.NO_JOINING_KEY):
            error.advice = advice
        raise


def _approve(args: argparse.Namespace, unit: Unit, path: Path) -> None:
    """Admit a blank unit, and write its package."""
    unit.check_blank()
    state = administrator_file.load(args.network)
    refuse_old(args.network, state)
    serial_number, name = unit.hello.serial_number, state.network.name
    awaited = state.awaited(serial_number)
    if not awaited:
        state.refuse_member(serial_number)
    lane = awaited.lane if awaited else state.free_lane()
    confirm(args, f"Unit {serial_number} will be a member of network {name}, lane {lane}, bound to this laptop.")
    request = unit.join_request(network=name, label=args.label)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with opened(args.network) as administrator:
        who = f"administrator {administrator.state.number}"
        agreed = approval.agreement_for(administrator, request, who, datetime.now(UTC).date().isoformat(), _WHY)
        approval.approve(administrator, request, agreed).save(path)
