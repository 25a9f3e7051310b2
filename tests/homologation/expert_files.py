# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Findings of human experts, as files of their laboratories."""

import json
from pathlib import Path
from typing import Any

NETWORK_ID = "00112233445566aa"


def text_claim(number: int, text: str, *, confirmed: bool | None = None) -> dict[str, Any]:
    return {"kind": "text", "message": number, "text": text, "confirmed": confirmed}


def key_claim(index: int, bits: str, *, first: int = 0, confirmed: bool | None = None) -> dict[str, Any]:
    return {"kind": "key", "index": index, "first": first, "bits": bits, "confirmed": confirmed}


def other_claim(claim: str, *, confirmed: bool | None = None) -> dict[str, Any]:
    return {"kind": "other", "claim": claim, "confirmed": confirmed}


def values_of(*claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the fields of a file."""
    return {
        "ndks_expert_finding": 1,
        "expert": "Ada Example, Laboratory of Examples",
        "date": "2026-11-28",
        "units": [],
        "network_id": None,
        "given": ["tap.pcap", "the source code"],
        "hours": 16.5,
        "claims": list(claims),
        **changes,
    }


def write(path: Path, *claims: dict[str, Any], **changes: Any) -> Path:
    path.write_text(json.dumps(values_of(*claims, **changes)))
    return path
