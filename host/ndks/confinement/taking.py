# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Take the record of a unit. No key is kept: each is read, its checks are computed, and it is forgotten."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from ..driver.capsules import Checked, read_header
from ..driver.unit import Unit
from ..exceptions import DeviceError
from ..laptop.laptop_checks import name_of
from .key_checks import check_bits, checks_of
from .record import KeyRecord, MessageRecord, Record

USUAL_INDICES = range(1, 17)
USUAL_BITS = 1024


def record_of(
    unit: Unit,
    indices: Sequence[int] = USUAL_INDICES,
    bits: int = USUAL_BITS,
    capsules: Iterable[bytes] = (),
    epoch: int | None = None,
) -> Record:
    """Return the record of an open unit: of keys of lane 0, in its epoch or an earlier one, and of capsules.

    Nothing is acknowledged and nothing accepted. UsageError: no such number of bits; DeviceError when a session is
    opened. What the unit refuses is in the record.
    """
    check_bits(bits)
    status = unit.unlock()
    of_epoch = status.epoch if epoch is None else epoch
    return Record(
        unit.hello.serial_number,
        status.network,
        status.network_id,
        status.generation_id,
        status.lane,
        status.epoch,
        status.suite,
        status.digits,
        status.f1,
        status.f2,
        datetime.now(UTC).isoformat(timespec="seconds"),
        of_epoch,
        bits,
        tuple(_key(unit, index, bits, of_epoch) for index in indices),
        tuple(_message(unit, capsule) for capsule in capsules),
    )


def message_record(capsule: bytes, checked: Checked | None, error: str = "") -> MessageRecord:
    """Return what a record has about a capsule."""
    names = sha256(capsule).hexdigest(), name_of(capsule)
    if checked is None:
        return MessageRecord(*names, error=error)
    return MessageRecord(*names, checked.lane, checked.number, checked.check.hex(), checked.refusal)


def _key(unit: Unit, index: int, bits: int, epoch: int) -> KeyRecord:
    try:
        return KeyRecord(index, checks_of(unit.key(index, bits, epoch=epoch).data, index))
    except DeviceError as error:
        return KeyRecord(index, error=error.code)


def _message(unit: Unit, capsule: bytes) -> MessageRecord:
    try:
        read_header(io.BytesIO(capsule))
        return message_record(capsule, unit.check_message(io.BytesIO(capsule)))
    except DeviceError as error:
        return message_record(capsule, None, error.code)
