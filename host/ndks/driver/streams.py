# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Download of a key of any length to a file, resumable after an interruption."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .. import strict_json
from ..exceptions import FileError
from ..keys.bit_text import FORMATS, RAW, encoded, key_bytes
from ..on_disk import remove_done, replace_durably
from ..owners import open_own
from ..paths import refuse_long_name
from ..whole_file import refuse_append_only, refuse_existing, write_private
from . import partial_file
from .partial_file import PartialFile
from .unit import Unit

_MOST = 1 << 16  # bytes of a plan


@dataclass(frozen=True)
class StreamPlan:
    """The key of an unfinished download, stored in OUT.part.json."""

    k: int
    epoch: int
    bits: int
    serial: str
    network: str  # its id: the unit may have joined another network since
    format: str = RAW  # of OUT.part and OUT, one of FORMATS
    complete: bool = False  # OUT.part is complete or renamed: only the rename or the acknowledgement is missing
    generation: str = ""  # its id; "" in a network without generations


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def plan_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def tally_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.sum")


def plan_download(
    unit: Unit, target: Path, bits: int, index: int | None, *, force: bool, form: str = RAW
) -> StreamPlan:
    """Return the plan of the interrupted download to `target`, or a new one; `index` defaults to the next key.

    FileError when `target` exists or another stream was interrupted there; `force` starts again.
    """
    refuse_existing(target, force=True)
    refuse_long_name(plan_of(target))
    status = unit.unlock()
    k = unit.next_index()[1] if index is None else index
    generation = status.generation_id if status.generation_id.strip("0") else ""
    wanted = StreamPlan(k, status.epoch, bits, unit.hello.serial_number, status.network_id, form, generation=generation)
    begun = _load_plan(target, force)
    if begun and _goes_on(begun, wanted, is_next=index is None):
        if not begun.complete:
            refuse_existing(target, force)
        return begun
    if begun and not force:
        raise _another_stream(begun, wanted, target)
    refuse_existing(target, force)
    if not begun and part_of(target).exists() and part_of(target).stat().st_size:
        refuse_existing(part_of(target), force)  # this program did not make it
    _start(target, wanted)
    return wanted


def download(unit: Unit, target: Path, plan: StreamPlan, progress: Callable[[int], object]) -> None:
    """Complete OUT.part and rename it to `target`.

    `progress` is called with the number of bytes received since the last call. After an error, OUT.part, OUT.part.sum
    and OUT.part.json stay, and the same call resumes. `finish` removes them when the key is acknowledged.
    """
    if part_of(target).exists() or not plan.complete:
        with PartialFile(part_of(target), tally_of(target)) as part:
            offset = key_bytes(part.size, plan.bits, plan.format)
            blocks = unit.stream_key(plan.k, plan.bits, epoch=plan.epoch, offset=offset)
            for block in encoded(blocks, plan.bits - 8 * offset, plan.format):
                part.append(block)
                progress(len(block))
            part.sync()
        _save_plan(target, replace(plan, complete=True))
        replace_durably(part_of(target), target)


def _start(target: Path, plan: StreamPlan) -> None:
    """Create an empty OUT.part and its plan in place of those of an earlier download."""
    refuse_append_only(target.parent)  # OUT.part is renamed at the end
    for path in (plan_of(target), tally_of(target), part_of(target)):
        path.unlink(missing_ok=True)
    write_private(part_of(target), b"", overwrite=False)
    try:
        _save_plan(target, plan)
    except (FileError, OSError):
        with contextlib.suppress(OSError):
            part_of(target).unlink()
        raise


def _goes_on(begun: StreamPlan, wanted: StreamPlan, *, is_next: bool) -> bool:
    """Return whether a download is the wanted one: an equal plan, or a complete one whose key was acknowledged.

    In another epoch of the same generation it goes on with the keys of its own, as long as the unit gives them.
    """
    if begun.generation and begun.generation == wanted.generation and begun.epoch != wanted.epoch:
        k = begun.k if is_next else wanted.k
        wanted = replace(wanted, epoch=begun.epoch, network=begun.network, k=k)
    same = replace(begun, complete=False)
    used_up = begun.complete and is_next and begun.k < wanted.k
    return same == wanted or (used_up and replace(same, k=wanted.k) == wanted)


def _another_stream(begun: StreamPlan, wanted: StreamPlan, target: Path) -> FileError:
    if replace(begun, k=wanted.k, complete=False) == wanted:
        what = f"{plan_of(target)} is of key {begun.k}, not {wanted.k}"
        return FileError(what, f"add --index {begun.k} to complete it, or --force to start again")
    return FileError(
        f"{plan_of(target)} is of key {begun.k}, {begun.bits} bits, format {begun.format}, unit {begun.serial}",
        "repeat that command to complete it, or use --force to start again",
    )


def received(target: Path) -> int:
    """Return the number of bytes that an interrupted download has in its file."""
    return partial_file.received(tally_of(target))


def finish(target: Path) -> None:
    """Remove the tally and plan of a download that is complete and acknowledged."""
    remove_done(tally_of(target), f"{target} is complete, and its key is used up")
    remove_done(plan_of(target), f"{target} is complete, and its key is used up")


def _save_plan(target: Path, plan: StreamPlan) -> None:
    write_private(plan_of(target), json.dumps(asdict(plan)).encode())


def _load_plan(target: Path, force: bool) -> StreamPlan | None:
    if not plan_of(target).exists():
        return None
    try:
        with open(plan_of(target), "rb", opener=open_own) as file:
            plan = StreamPlan(**strict_json.loads(file.read(_MOST)))
    except (ValueError, TypeError, RecursionError):
        plan = None
    if plan and _has_types(plan):
        there = part_of(target).exists() or target.exists()
        return plan if there else replace(plan, complete=False)
    if force:
        return None
    raise FileError(f"{plan_of(target)} is damaged, or not of this user", "repeat with --force to start again")


def _has_types(plan: StreamPlan) -> bool:
    numbers = {type(plan.k), type(plan.epoch), type(plan.bits)}
    return numbers == {int} and type(plan.complete) is bool and plan.format in FORMATS
