# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The parent of both sides: provisions the units, parts the sides, waits, and compares only when both have ended."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import ndks
from ndks.laptop.bindings import Binding, BindingStore
from ndks.network.network_file import Network
from ndks_laboratory.outcome import Check
from ndks_laboratory.stages.cage import find_cage, namespace

from .plan import SideFiles
from .processes import require_success, start, wait

SIDES = ("alice", "bob")
_ALTERED_DECIMAL = 5  # the paper's own example: 0.52 and 0.52001


@dataclass(frozen=True)
class SharedKey:
    """One key as the two sides got it; a fingerprint is the first 8 bytes of SHA-256, "" for a key that is missing."""

    index: int
    bits: int
    fingerprints: tuple[str, str]

    @property
    def same(self) -> bool:
        return bool(self.fingerprints[0]) and self.fingerprints[0] == self.fingerprints[1]


@dataclass(frozen=True)
class StageResult:
    """All that the stage has shown."""

    network: Network
    cage: list[str]
    namespace: str
    serial_numbers: tuple[str, ...]
    evidence: tuple[dict[str, Any], ...]
    keys: tuple[SharedKey, ...]
    checks: tuple[Check, ...]


def run_stage(directory: Path, *, alter_p1: bool, tell: Callable[[str], object]) -> StageResult:
    """Run the no-channel stage in an empty directory. CheckFailed when a side could not do its part."""
    network = Network.new("demo")
    sides = [SideFiles(directory / name) for name in SIDES]
    serial_numbers: list[str] = []
    bindings: list[Binding] = []
    for side, name in zip(sides, SIDES, strict=True):
        side.directory.mkdir(mode=0o700)
        own = _altered(network) if alter_p1 and name == "bob" else network
        network, serial_number, binding = _provision(network, own, side, name)
        serial_numbers.append(serial_number)
        bindings.append(binding)
    _introduce(sides, bindings)
    cage = find_cage()
    tell(f"units provisioned; parting them: {' '.join(cage) or 'no cage can be had here'}")
    statuses = wait([start(side, "side", cage=cage) for side in sides])
    tell("both sides have ended; comparing")
    for side, status in zip(sides, statuses, strict=True):
        require_success(side, status, side.evidence)
    evidence = tuple(json.loads(side.evidence.read_text()) for side in sides)
    keys = _compare_keys(sides)
    here = namespace()
    checks = (*_cage_checks(sides, evidence, bool(cage), here), *_key_checks(evidence, keys))
    return StageResult(network, cage, here, tuple(serial_numbers), evidence, keys, checks)


def _provision(network: Network, own: Network, side: SideFiles, label: str) -> tuple[Network, str, Binding]:
    with ndks.open(f"emulator:{side.unit}", create=True, bindings=BindingStore(side.laptop)) as unit:
        network, lane = network.admit(unit.hello.serial_number, label)
        binding = unit.bind(unit.provision(own, lane))
        return network, unit.hello.serial_number, binding


def _introduce(sides: list[SideFiles], bindings: list[Binding]) -> None:
    """Tell each unit which laptop the other one is bound to."""
    others = ((2, bindings[1]), (1, bindings[0]))  # lanes are given in order
    for side, (lane, binding) in zip(sides, others, strict=True):
        with ndks.open(f"emulator:{side.unit}", bindings=BindingStore(side.laptop)) as unit:
            unit.trust(lane, binding.binding_id)


def _altered(network: Network) -> Network:
    """Return the network with one decimal of p1 changed."""
    whole, _, decimals = network.p1.partition(".")
    place = _ALTERED_DECIMAL - 1
    digit = (int(decimals[place]) + 1) % 10
    return replace(network, p1=f"{whole}.{decimals[:place]}{digit}{decimals[place + 1 :]}")


def _compare_keys(sides: list[SideFiles]) -> tuple[SharedKey, ...]:
    names = sorted({path.name for side in sides for path in side.keys.iterdir()})
    return tuple(_shared_key(sides, name) for name in names)


def _shared_key(sides: list[SideFiles], name: str) -> SharedKey:
    index, bits = map(int, name.removesuffix(".key").split("-"))
    paths = [side.keys / name for side in sides]
    alice, bob = (sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else "" for path in paths)
    return SharedKey(index, bits, (alice, bob))


def _cage_checks(
    sides: list[SideFiles], evidence: tuple[dict[str, Any], ...], caged: bool, here: str
) -> tuple[Check, ...]:
    if not caged:
        why = "this system gives no network namespaces (unshare): nothing kept the sides from talking"
        return (Check("each side in a network namespace of its own", None, why),)
    namespaces = {side["namespace"] for side in evidence} | {here}
    interfaces = {name for side in evidence for name in side["interfaces"]}
    strangers = [
        target
        for side, files in zip(evidence, sides, strict=True)
        for number, target in side["descriptors"].items()
        if target != ("/dev/null" if number == "0" else str(files.log))
    ]
    return (
        Check("each side in a network namespace of its own", len(namespaces) == 3),
        Check("no interface but its own loopback on either side", interfaces <= {"lo"}),
        Check("no descriptor inherited but /dev/null and its own log", not strangers, ", ".join(strangers)),
    )


def _key_checks(evidence: tuple[dict[str, Any], ...], keys: tuple[SharedKey, ...]) -> tuple[Check, ...]:
    different = [str(key.index) for key in keys if not key.same]
    alone = {key.fingerprints[0] for key in keys}
    indices = [key.index for key in keys]
    pulled = {side["interrupted"] for side in evidence}
    return (
        Check(
            "both sides hold the same keys", not different, f"different: {', '.join(different)}" if different else ""
        ),
        Check("no key was given twice", len(alone) == len(keys) and indices == list(range(1, len(keys) + 1))),
        Check("the key that was cut off by the unplugging came again", len(pulled) == 1 and pulled <= set(indices)),
    )
