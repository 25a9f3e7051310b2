# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1 with `ndks faraday`: each side records commitments to its keys, and one encrypts a message in its cage."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ndks.network.network_file import Network
from ndks.whole_file import write_private
from ndks_laboratory import faraday
from ndks_laboratory.outcome import Check, Outcome

from .letters import FROM_CAGE
from .no_channel import Cages, run_in_cages
from .plugging import open_unit
from .processes import log
from .sides import Side


@dataclass(frozen=True)
class RecordedKeys:
    """The results of stage 1 with records."""

    cages: Cages
    records: tuple[faraday.Record, ...]  # one of each side
    keys: tuple[Check, ...]
    deletion: tuple[Check, ...]

    @property
    def rows(self) -> list[faraday.KeyRow]:
        """Each key, as all sides committed to it."""
        return faraday.key_rows(self.records)


def run_with_records(sides: Sequence[Side], network: Network, keys: int, bits: int, message: bytes) -> RecordedKeys:
    """Run stage 1; the first side has the message. CheckFailed if a side fails."""
    sender = sides[0]
    write_private(sender.letter(FROM_CAGE), message)
    cages = run_in_cages(sides, ("record", {"salt": secrets.token_hex(faraday.SALT_SIZE), "keys": keys, "bits": bits}))
    records = tuple(faraday.Record.load(side.record) for side in sides)
    checks = faraday.compare_records(records, _keys_of(network, records))
    return RecordedKeys(cages, records, tuple(checks), _deleted(sender, records[0]))


def record_keys(side: Side, salt: str, keys: int, bits: int) -> dict[str, Any]:
    """Take a record as a laptop in a cage does; return no further evidence."""
    original = side.letter(FROM_CAGE)
    # Open channels are recorded and prevent approval, but the laboratory goes on, to find all problems.
    plan = faraday.FaradayPlan(
        faraday.KeySet(bytes.fromhex(salt), keys, bits),
        side.record,
        message=original if original.exists() else None,
        watch=faraday.ChannelWatch(_channels, accept_risk=True),
    )
    with open_unit(side) as unit:
        faraday.take_record(unit, plan, _channels())
        unit.eject()
    log(f"{keys} keys taken")
    return {}


def _channels() -> list[faraday.LaptopChannel]:
    """Return the interfaces of this cage; other channels are outside of it, or common to both sides."""
    computer = faraday.Computer()
    return [faraday.interface_channel(each, computer) for each in computer.interfaces() if not each.is_loopback]


def _keys_of(network: Network, records: Sequence[faraday.Record]) -> faraday.KeySource | None:
    """Return the source of the authentication keys, or None for records of another network."""
    ids = {record.network_id for record in records}
    return faraday.keys_of_network(network) if ids == {network.network_id} else None


def _deleted(sender: Side, record: faraday.Record) -> tuple[Check, ...]:
    message = record.message
    sealed = message is not None and sender.capsule(FROM_CAGE).exists()
    deleted = message is not None and message.deleted and not sender.letter(FROM_CAGE).exists()
    return (
        Check("the message was encrypted in the cage", Outcome.of(sealed)),
        Check("the original message was deleted", Outcome.of(sealed and deleted)),
    )
