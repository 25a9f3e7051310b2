# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1 (section 4.1.1): no-channel key sharing, each side in a cage that was probed from inside and outside."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ndks.files import write_private
from ndks.network.network_file import Network
from ndks_laboratory import faraday
from ndks_laboratory.homologation.correspondence import FROM_CAGE
from ndks_laboratory.outcome import Check

from .cage import find_cage, namespace
from .processes import Processes, Side, SideProcess

Hole = Callable[[int, int], object]  # is told the process ids of both sides, when they are in their cages

_LOOPBACK = {"lo"}


@dataclass(frozen=True)
class Probe:
    """One knock of one side at a door of the other."""

    who: str
    door: str
    caged: bool
    answered: bool


@dataclass(frozen=True)
class NoChannel:
    """All that stage 1 has shown."""

    cage: str
    evidence: tuple[dict[str, Any], ...]
    probes: tuple[Probe, ...]
    records: tuple[faraday.Record, faraday.Record]
    cage_checks: tuple[Check, ...]
    key_checks: tuple[Check, ...]
    deletion_checks: tuple[Check, ...]


def run_no_channel(
    sides: Sequence[Side], network: Network, keys: int, bits: int, message: bytes, hole: Hole | None = None
) -> NoChannel:
    """Run stage 1; Alice writes the message in her cage. CheckFailed when a side could not do its part."""
    cage = find_cage()
    write_private(sides[0].letter(FROM_CAGE), message)
    plan = {"salt": secrets.token_hex(faraday.SALT_SIZE), "keys": keys, "bits": bits}
    outside = _probe_only(sides)
    inside = _take_keys(sides, cage, plan, hole)
    evidence = tuple(json.loads(side.evidence.read_text()) for side in sides)
    records = faraday.Record.load(sides[0].record), faraday.Record.load(sides[1].record)
    return NoChannel(
        " ".join(cage),
        evidence,
        (*outside, *inside),
        records,
        _cage_checks(sides, evidence, outside, inside, caged=bool(cage)),
        tuple(faraday.compare_records(*records, _keys(records, network))),
        _deleted(sides[0], records[0]),
    )


def _probe_only(sides: Sequence[Side]) -> list[Probe]:
    """Do as in the cages, without cages: what does not reach the other side here shows nothing there."""
    with Processes([_start(side, None, ()) for side in sides]) as processes:
        probes = _probe(processes, caged=False)
        for process in processes:
            process.part()
        processes.finish()
    return probes


def _take_keys(sides: Sequence[Side], cage: Sequence[str], plan: dict[str, Any], hole: Hole | None) -> list[Probe]:
    with Processes([_start(side, plan, cage) for side in sides]) as processes:
        for process in processes:
            process.ask("describe")  # it is in its cage
        if hole:
            hole(processes[0].pid, processes[1].pid)
        probes = _probe(processes, caged=bool(cage))
        for process in processes:
            process.part()
        processes.finish()
    return probes


def _start(side: Side, plan: dict[str, Any] | None, cage: Sequence[str]) -> SideProcess:
    arguments = (side.name, side.port, str(side.directory), json.dumps(plan))
    return SideProcess(side, "in_cage", *arguments, cage=cage)


def _probe(processes: Sequence[SideProcess], *, caged: bool) -> list[Probe]:
    doors = [process.ask("describe") for process in processes]
    return [
        Probe(process.side.name, knock["door"], caged, knock["answered"])
        for process, other in zip(processes, reversed(doors), strict=True)
        for knock in process.ask("knock", other)
    ]


def _cage_checks(
    sides: Sequence[Side], evidence: Sequence[dict[str, Any]], outside: list[Probe], inside: list[Probe], *, caged: bool
) -> tuple[Check, ...]:
    reached = _kinds([probe for probe in outside if probe.answered])
    works = Check(
        "without cages the probe reaches the other side, by every kind of door",
        bool(reached) and reached == _kinds(outside),
        f"reached by {', '.join(sorted(reached)) or 'none'}",
    )
    if not caged:
        why = "this system gives no network namespaces (unshare): nothing kept the sides from talking"
        return (works, Check("each side is in a cage of its own", None, why))
    through = [f"{probe.who} by {probe.door}" for probe in inside if probe.answered]
    interfaces = {name for side in evidence for name in side["interfaces"]} - _LOOPBACK
    strangers = [
        target
        for side, found in zip(sides, evidence, strict=True)
        for target in found["descriptors"].values()
        if target not in ("/dev/null", str(side.log))
    ]
    namespaces = {found["namespace"] for found in evidence} | {namespace()}
    return (
        works,
        Check("each side is in a cage of its own", len(namespaces) == len(sides) + 1),
        Check("inside the cages the same probe reaches nobody", not through, "; ".join(through)),
        Check("no interface but its own loopback on either side", not interfaces, ", ".join(sorted(interfaces))),
        Check("no descriptor left but /dev/null and its own log", not strangers, ", ".join(strangers)),
    )


def _kinds(probes: Sequence[Probe]) -> set[str]:
    return {probe.door.partition(" ")[0] for probe in probes}


def _keys(records: Sequence[faraday.Record], network: Network) -> faraday.KeySource | None:
    """Return what authenticates the records, if they are of the network; if they are not, that is found as it is."""
    ids = {record.network_id for record in records}
    return faraday.keys_of_network(network) if ids == {network.network_id} else None


def _deleted(sender: Side, record: faraday.Record) -> tuple[Check, ...]:
    message = record.message
    sealed = message is not None and sender.capsule(FROM_CAGE).exists()
    deleted = sealed and message is not None and message.deleted and not sender.letter(FROM_CAGE).exists()
    return (
        Check("the message was encrypted in the cage", sealed),
        Check("the original message was deleted", deleted),
    )
