# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where the expert gets the key that authenticates a record: from any unit of the network, or from its file."""

from collections.abc import Callable

from ndks.driver.unit import Unit
from ndks.exceptions import CheckFailed
from ndks.keys.offline_keys import exported_key
from ndks.network.network_file import Network

from .commitments import KEY_BITS
from .record import Record

KeySource = Callable[[Record], bytes]  # CheckFailed when it is of another network than the record


def keys_of_unit(unit: Unit) -> KeySource:
    """Return what asks a unit; that uses up no key."""

    def key_of(record: Record) -> bytes:
        _check_network(record, unit.unlock().network_id)
        return unit.key(record.authentication.index, KEY_BITS, epoch=record.epoch).data

    return key_of


def keys_of_network(network: Network) -> KeySource:
    """Return what computes keys from a network file."""

    def key_of(record: Record) -> bytes:
        _check_network(record, network.network_id)
        return exported_key(network, record.authentication.index, KEY_BITS // 8)

    return key_of


def _check_network(record: Record, network_id: str) -> None:
    if record.network_id != network_id:
        what = f"the record of unit {record.unit} is of network {record.network_id}, not of {network_id}"
        raise CheckFailed(what, "name a unit, or the file, of the network that the records are of")
