# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Documents of a homologation: report.html, report.json, certificate.json, tap.pcap, and findings of experts."""

import importlib.metadata
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist
from typing import Any

import ndks
from ndks.whole_file import whole_file
from ndks_laboratory.outcome import Check
from ndks_laboratory.stages.sides import NAMES

from .attack import Finding
from .certificate import describe, write_certificate
from .experts.expert_finding import ExpertFinding
from .laboratory import Homologation
from .material import KEY_BITS
from .networks.evidence import NetworkEvidence
from .paper_tables import tables
from .plan import PCAP
from .report import Plot, autocorrelation, hamming, key_raster, spectrum, write_report
from .statistics import correlation, spectral
from .verdict import ALPHA, Attacked, Judged, asked_of

_PACKAGES = ("numpy", "scipy", "numba", "cryptography", "pyserial")
_OF_NETWORK = ("name", "suite", "digits", "network_id", "cipher", "p1", "p2")
_PARTS = {True: "attacked", False: "keys compared"}  # of a unit in the test
_PLOTTED = 1 << 20  # elements of the long key


def write(homologation: Homologation, command: str, warning: dict[str, str]) -> dict[str, Any]:
    """Write the documents to the plan's directory and return the content of report.json. OSError, FileError."""
    directory = homologation.plan.directory
    report = {**values(homologation, command), **warning}
    copies = _copies(directory, homologation.experts)
    report["files"] = [describe(path) for path in (directory / PCAP, *copies)]
    write_report(directory, report, plots(homologation))
    write_certificate(directory, report)
    return report


def _copies(directory: Path, experts: Sequence[ExpertFinding]) -> list[Path]:
    """Write down what the experts recorded, as it was."""
    paths = [directory / f"expert-{number}.json" for number in range(1, len(experts) + 1)]
    for path, finding in zip(paths, experts, strict=True):
        with whole_file(path, private=False) as file:
            file.write(finding.content)
    return paths


def values(homologation: Homologation, command: str) -> dict[str, Any]:
    """Return the report as plain values."""
    evidence, plan, verdict = homologation.evidence, homologation.plan, homologation.verdict
    seconds, seconds_to_provision = homologation.seconds
    threshold = evidence.attacks.threshold
    return {
        "schema": 1,
        "product": f"ndks {ndks.__version__}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "command": command,
        "verdict": verdict.word,
        "judged_as": asked_of(len(homologation.units)),
        "reasons": list(verdict.reasons),
        # p1 and p2 are included, because the network is used only once.
        "network": {name: getattr(plan.network, name) for name in _OF_NETWORK},
        "units": [
            {**asdict(unit), "part": _part(homologation, number)} for number, unit in enumerate(homologation.units)
        ],
        "requirements": [_requirement(judged) for judged in verdict.judged],
        "experts": [_expert(finding) for finding in homologation.experts],
        "targets": [_target(attacked, plan.network.suite) for attacked in verdict.attacked],
        "statistics": _statistics(evidence.attacks.findings["S"], threshold),
        "threshold": {"alpha": ALPHA, "tests": round(ALPHA / threshold), "p": threshold},
        "stages": {
            "no_channel": _no_channel(homologation),
            "regular_channel": _regular(homologation),
            **_network(evidence.of_network),
        },
        "tables": tables(evidence, seconds_to_provision),
        "environment": {
            "python": sys.version.split()[0],
            "system": platform.platform(),
            "packages": {name: _version(name) for name in _PACKAGES},
            "seed": plan.seed,
        },
    }


def _part(homologation: Homologation, number: int) -> str:
    part = _PARTS[number < len(NAMES)]
    return f"{part}, in a network" if homologation.evidence.of_network else part


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # not installed by pip
        return "unknown"


def plots(homologation: Homologation) -> list[Plot]:
    """Return the report's plots."""
    measured, threshold = homologation.evidence.keys.sensitivity, homologation.evidence.attacks.threshold
    bits = homologation.long_key[:_PLOTTED]
    power, sigmas = spectral.spectrum(bits)[1:], correlation.autocorrelation(bits)[1 : len(bits) // 2 + 1]
    low, high = measured.limits
    parts = {name: found / KEY_BITS for name, found in measured.distances.items()}
    return [
        key_raster(bits),
        spectrum(power, spectral.power_limit(threshold / len(power))),
        autocorrelation(sigmas, -NormalDist().inv_cdf(threshold / len(sigmas) / 2)),
        hamming(parts, low / KEY_BITS, high / KEY_BITS),
    ]


def _requirement(judged: Judged) -> dict[str, Any]:
    asked = {name: getattr(judged.requirement, name) for name in ("id", "text", "source", "test")}
    return {**asked, "evidence": judged.outcome.reason, "verdict": judged.verdict}


def _target(attacked: Attacked, suite: str) -> dict[str, Any]:
    as_expected = attacked.expected.in_json
    name = f"the units, suite {suite}" if as_expected is None else attacked.name
    findings = [{"label": label, **finding.row()} for label, finding in attacked.findings.items()]
    return {"name": name, "role": attacked.role, "as_expected": as_expected, "findings": findings}


def _statistics(finding: Finding, threshold: float) -> list[dict[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = finding.details.get("statistics", ())
    return [{**row, "n": row["size"], "passed": 10.0 ** row["log10_p"] >= threshold} for row in rows]


def _no_channel(homologation: Homologation) -> dict[str, Any]:
    stage = homologation.evidence.no_channel
    return {
        "checks": _checks([*stage.cages.checks, *stage.keys, *stage.deletion]),
        "keys": [{"index": row.index, "bits": max(row.bits), "same": row.same} for row in stage.rows],
        "cages": [found["namespace"] for found in stage.cages.evidence],
        "probes": [asdict(probe) for probe in stage.cages.probes],
    }


def _regular(homologation: Homologation) -> dict[str, Any]:
    stage = homologation.evidence.regular
    messages = [
        {
            "number": c.letter.number,
            "sender": c.letter.sender,
            "receiver": c.letter.receiver,
            "cipher": c.letter.cipher,
            "sealed_in": c.letter.sealed_in,
            "opened_in": c.letter.opened_in,
            "bytes": len(c.letter.text),
            "same": c.same,
        }
        for c in stage.carried
    ]
    return {"checks": _checks(stage.checks), "messages": messages}


def _network(evidence: NetworkEvidence | None) -> dict[str, Any]:
    if evidence is None:
        return {}
    checks = _checks([check for part in evidence.checks.values() for check in part])
    size = {"ticks": evidence.ticks, "packets": evidence.packets, "bytes": evidence.size}
    return {"network": {"checks": checks, **size}}


def _checks(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [check.row() for check in checks]


def _expert(finding: ExpertFinding) -> dict[str, Any]:
    return {
        "expert": finding.expert,
        "date": finding.date,
        "given": list(finding.given),
        "hours": finding.hours,
        "claims": len(finding.claims),
    }
