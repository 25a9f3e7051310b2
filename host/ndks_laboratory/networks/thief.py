# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A thief at a stolen laptop with its unit: what can they open in a recording of everything?

python -m ndks_laboratory.networks.thief PORT RECORDING    prints JSON

The unit gets every notice of every bundle, and then every capsule, both as it is and as one that a member vouched for.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import ndks
from ndks.agent.packets import parse_message
from ndks.carriers.packet_file import unpacked
from ndks.driver.network_verbs import NetworkUnit
from ndks.exceptions import DeviceError
from ndks.network.bundle import BUNDLE, BadBundle, Bundle
from ndks_protocol.wire import MESSAGE

_CAPSULE = 1


def main(port: str, recording: str) -> None:
    packets = list(dict.fromkeys(unpacked(Path(recording).read_bytes())))
    with ndks.open(port) as opened:
        opened.unlock()
        unit = NetworkUnit(opened)
        entered = enter_all(unit, packets)
        texts = sorted(text.decode() for text in read_all(unit, packets))
    json.dump({"packets": len(packets), "entered": entered, "texts": texts}, sys.stdout)


def enter_all(unit: NetworkUnit, packets: Iterable[bytes]) -> list[int]:
    """Give a unit every notice of every bundle, and return the generations that it enters through them."""
    return [g for g, notice in _notices(packets) if _takes(unit, g, notice)]


def read_all(unit: NetworkUnit, packets: Iterable[bytes]) -> set[bytes]:
    """Return the texts of all messages that a unit opens."""
    return {text for packet in packets if packet[:1] == bytes([_CAPSULE]) for text in _read(unit, packet)}


def _notices(packets: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each notice with its generation, in the order of generations."""
    bundles: list[Bundle] = []
    for packet in packets:
        try:
            bundles += [Bundle.parse(packet)] if packet[:1] == bytes([BUNDLE]) else []
        except BadBundle:
            continue
    for bundle in sorted(bundles, key=lambda bundle: bundle.g):
        for _, notice in bundle.notices:
            yield bundle.g, notice


def _takes(unit: NetworkUnit, g: int, notice: bytes) -> bool:
    try:
        unit.notice(g, notice)
    except DeviceError:
        return False
    return True


def _read(unit: NetworkUnit, capsule: bytes) -> Iterator[bytes]:
    for vouched in (False, True):
        try:
            opened = unit.open(capsule, vouched=vouched)
        except DeviceError:
            continue
        if opened.kind == MESSAGE:
            yield parse_message(opened.data).data


if __name__ == "__main__":
    main(*sys.argv[1:])
