# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The definition of the keys in software, as one more witness, from a network file or an administrator's file."""

import io
from collections.abc import Iterable
from dataclasses import replace

from ndks_protocol.network_id import control_key, generation_id

from ..crypto import CRYPTO
from ..driver.offline_capsules import check_offline
from ..exceptions import DeviceError, UsageError
from ..keys.offline_keys import exported_key
from ..network.any_file import Known
from ..network.epochs import network_in
from ..network.generation import Generation
from ..network.network_file import Network
from .key_checks import BLOCK, checks_of
from .record import DEFINITION, KeyRecord, MessageRecord, Record
from .taking import message_record

_MOST_DIGITS = 12  # d


def network_of(known: Known, epoch: int) -> Network:
    """Return the network as it is in an epoch. UsageError: the file does not have its generation."""
    return network_in(_base(known), _generation(known, epoch >> 16), epoch & 0xFFFF)


def definition_of(known: Known, record: Record, capsules: Iterable[bytes] = ()) -> Record:
    """Return what a unit of this network says of the same keys and of capsules if it is as defined. UsageError."""
    network = network_of(known, record.of_epoch)
    present = network_of(known, record.epoch)
    secret = _generation(known, record.epoch >> 16).secret
    return replace(
        record,
        serial_number=DEFINITION,
        lane=0,
        network=present.name,
        network_id=present.network_id,
        generation_id=generation_id(CRYPTO, control_key(CRYPTO, secret)).hex(),
        suite=present.suite,
        digits=present.digits,
        f1=present.f1,
        f2=present.f2,
        keys=tuple(KeyRecord(key.index, _checks(network, key.index, record.bits)) for key in record.keys),
        messages=tuple(_message(known, capsule) for capsule in capsules),
    )


def likely_fault(network: Network, record: Record, index: int) -> str:
    """Return what would explain a key that is not as defined: another d, or one wrong element; "": neither of them."""
    key = record.key(index)
    if not key or not key.checks:
        return ""
    for digits in range(1, _MOST_DIGITS + 1):
        if digits != network.digits and _checks(replace(network, digits=digits), index, record.bits) == key.checks:
            return f"these are the keys of d = {digits}, in place of d = {network.digits}"
    element = _wrong_element(exported_key(network, index, record.bits // 8), key)
    return "" if element is None else f"one bit of key {index} is wrong: element {element}"


def _wrong_element(right: bytes, key: KeyRecord) -> int | None:
    """Return the element whose bit, if inverted, makes the key the one that was recorded."""
    first = next((number for number, check in enumerate(checks_of(right, key.index)) if check != key.checks[number]), 0)
    for element in range(BLOCK * first, BLOCK * (first + 1)):
        inverted = bytearray(right)
        inverted[element // 8] ^= 0x80 >> element % 8
        if checks_of(bytes(inverted), key.index) == key.checks:
            return element
    return None


def _checks(network: Network, index: int, bits: int) -> tuple[str, ...]:
    return checks_of(exported_key(network, index, bits // 8), index)


def _message(known: Known, capsule: bytes) -> MessageRecord:
    try:
        return message_record(capsule, check_offline(known, io.BytesIO(capsule)))
    except DeviceError as error:
        return message_record(capsule, None, error.code)


def _base(known: Known) -> Network:
    return known if isinstance(known, Network) else known.network


def _generation(known: Known, g: int) -> Generation:
    if isinstance(known, Network):
        generations = [Generation(0, (known.digits, *known.operators), known.secret)]
    else:
        generations = list(known.generations)
    for generation in generations:
        if generation.g == g:
            return generation
    what = f"the file of the network does not have generation {g}"
    raise UsageError(what, "name the administrator's file, as it is now")
