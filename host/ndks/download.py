# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stream a key of any length into a file, and go on where an interrupted one stopped."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ndks_protocol.commands import MAX_CHUNK

from .exceptions import FileError, UsageError
from .files import refuse_existing, replace_durably, write_private
from .unit import Unit


@dataclass(frozen=True)
class Plan:
    """Which bits of which key: what OUT.part.json remembers of an interrupted stream."""

    k: int
    epoch: int
    serial: str
    bits: int


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def plan_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def plan_download(unit: Unit, target: Path, bits: int, index: int | None, *, force: bool) -> Plan:
    """Return the plan of an interrupted stream to `target`, or a new one, by default for the next key.

    FileError when `target` exists or another stream was interrupted there, unless `force` starts anew.
    """
    refuse_existing(target, force)
    epoch, next_index = unit.next_index()
    wanted = Plan(index or next_index, epoch, unit.hello.serial_number, bits)
    if not plan_of(target).exists():
        part_of(target).unlink(missing_ok=True)
    elif force:
        discard(target)
    else:
        begun = _load_plan(target)
        if index is None and begun.k < next_index:
            raise FileError(
                f"{part_of(target)} is of key {begun.k}, which has been used up since",
                f"add --index {begun.k} to complete it all the same, or --force to start anew with the next key",
            )
        if begun != Plan(index or begun.k, epoch, wanted.serial, bits):
            raise FileError(
                f"{part_of(target)} belongs to another stream: key {begun.k}, {begun.bits} bits, unit {begun.serial}",
                "repeat that command to complete it, or use --force to start anew",
            )
        return begun
    write_private(plan_of(target), json.dumps(asdict(wanted)).encode())
    return wanted


def download(unit: Unit, target: Path, plan: Plan, progress: Callable[[int], object]) -> None:
    """Complete OUT.part and rename it to `target`; `progress` is told how many more bytes there are.

    On any error OUT.part and OUT.part.json stay, for the same call to go on.
    """
    part = part_of(target)
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        size = (plan.bits + 7) // 8
        # A last chunk that is not whole is fetched again.
        offset = min(file.seek(0, os.SEEK_END) // MAX_CHUNK * MAX_CHUNK, size // MAX_CHUNK * MAX_CHUNK)
        file.truncate(offset)
        file.seek(offset)
        progress(offset)
        for block in unit.stream_key(plan.k, plan.bits, epoch=plan.epoch, offset=offset):
            file.write(block)
            progress(len(block))
        file.flush()
        os.fsync(file.fileno())
    replace_durably(part, target)
    plan_of(target).unlink()


def discard(target: Path) -> None:
    """Forget an interrupted stream."""
    part_of(target).unlink(missing_ok=True)
    plan_of(target).unlink(missing_ok=True)


def _load_plan(target: Path) -> Plan:
    try:
        return Plan(**json.loads(plan_of(target).read_bytes()))
    except (ValueError, TypeError):
        raise UsageError(f"{plan_of(target)} is damaged", "repeat with --force to start anew") from None
