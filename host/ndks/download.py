# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stream a key of any length into a file, and go on where an interrupted one stopped."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ndks_protocol.commands import MAX_CHUNK

from .exceptions import FileError
from .files import refuse_existing, replace_durably, write_private
from .unit import Unit


@dataclass(frozen=True)
class Plan:
    """Which bits of which key: what OUT.part.json remembers of a stream that is not finished."""

    k: int
    epoch: int
    bits: int
    serial: str
    network: str  # its id: a unit may have joined another one since


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def plan_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def plan_download(unit: Unit, target: Path, bits: int, index: int, *, force: bool) -> Plan:
    """Return the plan of an interrupted stream of key `index` to `target`, or a new one.

    FileError when `target` exists or another stream was interrupted there, unless `force` starts anew.
    """
    status = unit.status()
    wanted = Plan(index, status.epoch, bits, unit.hello.serial_number, status.network_id)
    if plan_of(target).exists() and not force:
        _check_same(_load_plan(target), wanted, target)
        return wanted
    refuse_existing(target, force)
    write_private(part_of(target), b"")  # before the plan: a plan without it means that only `finish` is missing
    try:
        write_private(plan_of(target), json.dumps(asdict(wanted)).encode())
    except OSError:
        part_of(target).unlink()
        raise
    return wanted


def _check_same(begun: Plan, wanted: Plan, target: Path) -> None:
    if begun == wanted:
        return
    if replace(begun, k=wanted.k) == wanted:
        what = f"{plan_of(target)} is of key {begun.k}, not {wanted.k}"
        raise FileError(what, f"add --index {begun.k} to complete it, or --force to start anew")
    raise FileError(
        f"{plan_of(target)} belongs to another stream: key {begun.k}, {begun.bits} bits, unit {begun.serial}",
        "repeat that command to complete it, or use --force to start anew",
    )


def download(unit: Unit, target: Path, plan: Plan, progress: Callable[[int], object]) -> None:
    """Complete OUT.part and rename it to `target`; `progress` is told how many more bytes have been received.

    On any error OUT.part and OUT.part.json stay, for the same call to go on. The latter goes only with `finish`,
    when the key is acknowledged as well.
    """
    part = part_of(target)
    if not part.exists() and target.exists():  # all that was missing is the acknowledgement
        return
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        offset = min(received(target), plan.bits // 8 // MAX_CHUNK * MAX_CHUNK)
        file.truncate(offset)
        file.seek(offset)
        for block in unit.stream_key(plan.k, plan.bits, epoch=plan.epoch, offset=offset):
            file.write(block)
            progress(len(block))
        file.flush()
        os.fsync(file.fileno())
    replace_durably(part, target)


def received(target: Path) -> int:
    """Return how many bytes of an interrupted stream need not be asked for again: whole chunks only."""
    part = part_of(target)
    return part.stat().st_size // MAX_CHUNK * MAX_CHUNK if part.exists() else 0


def finish(target: Path) -> None:
    """Forget the plan of a stream that is complete and acknowledged."""
    plan_of(target).unlink()


def _load_plan(target: Path) -> Plan:
    try:
        plan = Plan(**json.loads(plan_of(target).read_bytes()))
    except (ValueError, TypeError):
        plan = None
    if plan is None or {type(plan.k), type(plan.epoch), type(plan.bits)} != {int}:
        raise FileError(f"{plan_of(target)} is damaged", "repeat with --force to start anew")
    return plan
