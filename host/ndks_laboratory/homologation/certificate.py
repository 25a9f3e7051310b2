# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The certificate: which units were tested, what the verdict is, and of which report (paper, section 4.1.2)."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ndks.whole_file import whole_file

from .report.page import JSON

CERTIFICATE = "certificate.json"
SCHEMA = 1
_OF_REPORT = ("date", "product", "verdict", "judged_as")
_OF_UNIT = ("serial_number", "firmware", "protocol", "part")


def write_certificate(directory: Path, report: Mapping[str, Any]) -> None:
    """Write it beside report.json, which already exists. OSError, FileError."""
    text = json.dumps(certificate(report, describe(directory / JSON)), indent=1) + "\n"
    with whole_file(directory / CERTIFICATE, private=False) as file:
        file.write(text.encode("ascii"))


def certificate(report: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """Return it as plain values; `file` describes report.json."""
    return {
        "schema": SCHEMA,
        **{name: report[name] for name in _OF_REPORT},
        "suite": report["network"]["suite"],
        "digits": report["network"]["digits"],
        "units": [{name: unit[name] for name in _OF_UNIT} for unit in report["units"]],
        "report": file,
    }


def describe(path: Path) -> dict[str, Any]:
    """Return name, size and digest of a file."""
    content = path.read_bytes()
    return {"name": path.name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
