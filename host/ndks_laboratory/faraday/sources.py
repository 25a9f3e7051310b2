# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sources of the key that authenticates a record: a unit of the network, or its network file."""

from collections.abc import Callable

from ndks.driver.unit import Unit
from ndks.exceptions import CheckFailed
from ndks.keys.offline_keys import exported_key
from ndks.network.network_file import Network

from .commitments import KEY_BITS
from .record import Record

KeySource = Callable[[Record], bytes]  # raises CheckFailed for a record of another network


def keys_of_unit(unit: Unit) -> KeySource:
    """Return a source that reads keys from a unit; it acknowledges none."""

    def key_of(record: Record) -> bytes:
        _check_network(record, unit.unlock().network_id)
        return unit.key(record.authentication.index, KEY_BITS, epoch=record.epoch).data

    return key_of


def keys_of_network(network: Network) -> KeySource:
    """Return a source that computes keys from a network file."""

    def key_of(record: Record) -> bytes:
        _check_network(record, network.network_id)
        return exported_key(network, record.authentication.index, KEY_BITS // 8)

    return key_of


def _check_network(record: Record, network_id: str) -> None:
    if record.network_id != network_id:
        what = f"the record of unit {record.unit} is of network {record.network_id}, not of {network_id}"
        raise CheckFailed(what, "name a unit or the network file of the network of the records")
