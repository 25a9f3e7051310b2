# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of the files by which a unit joins a network with an administrator (PROTOCOL.md section 8)."""

import base64
import hashlib
import hmac
import json
import random
from typing import Any

from bundle_vectors import issues, made
from capsule_reference import HYBRID
from enrolment_vectors import Enrolment
from host_vectors import network_file
from join_file_vectors import DATE, HEX_UID, OF_ANY, bad, spoken
from network_reference import signing_key
from network_vectors import GENERATIONS, ROOT
from package_vectors import Package

SEED = 20261201
KEY = hashlib.sha256(b"the key of the commitments").digest()
CHARACTERISTICS = (
    ("board", "ACME 1"),
    ("gateway_mac", "52:54:00:00:00:01"),
    ("mac", "52:54:00:12:34:56"),
    ("mac", "52:54:00:12:34:57"),
    ("subnet", "192.0.2.0/24"),
)
NEVER = {"commitments", "bundle"}  # what OF_ANY adds to other files as unknown

OF_REQUESTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"version {version!r}", {"ndks_join_request": version}) for version in (0, 1, 3, "2", True)),
    ("a commitment of 15 bytes", {"commitments": [["mac", "00" * 15]]}),
    ("a commitment of 17 bytes", {"commitments": [["mac", "00" * 17]]}),
    ("a commitment in upper case", {"commitments": [["mac", "AB" * 16]]}),
    ("a commitment without a name", {"commitments": ["00" * 16]}),
    ("a commitment whose name is a number", {"commitments": [[1, "00" * 16]]}),
    ("commitments that are a number", {"commitments": 1}),
    *((f"without {name}", {name: None}) for name in ("ndks_join_request", "label", "public_key", "commitments")),
)
OF_PACKAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"version {version!r}", {"ndks_join_package": version}) for version in (0, 1, 3, "2", True)),
    ("lane 0", {"lane": 0}),
    ("a tick of 0 seconds", {"tick": 0}),
    ("a tick that is no whole number", {"tick": 1.5}),
    ("a tick that is true", {"tick": True}),
    ("another signing key", {"signing_key": signing_key(bytes(32)).hex()}),
    ("a signing key of 31 bytes", {"signing_key": signing_key(ROOT).hex()[:-2]}),
    ("no bundle", {"bundle": ""}),
    ("a bundle that is a number", {"bundle": 3}),
    *((f"without {name}", {name: None}) for name in ("ndks_join_package", "tick", "signing_key", "bundle", "sealed")),
)


def commitments() -> list[tuple[str, str]]:
    values = ((name, hmac.digest(KEY, f"{name}={value}".encode(), hashlib.sha256)) for name, value in CHARACTERISTICS)
    return sorted((name, value[:16].hex()) for name, value in values)


def make_member_files() -> dict[str, Any]:
    rng = random.Random(SEED)
    enrolment = Enrolment(1, GENERATIONS[1].g)
    sealed = Package(rng.randbytes(32), rng.randbytes(32), enrolment.fields).described()
    bundles = [made(issue) for issue in list(issues())[:2]]
    head = {"date": DATE, "network": "demo", "uid": HEX_UID}
    request = {"ndks_join_request": 2, **head, "label": "Alice", "public_key": sealed["joining_key"]}
    request["commitments"] = commitments()
    package = {"ndks_join_package": 2, **head, "lane": 1, "tick": 1, "signing_key": signing_key(ROOT).hex()}
    package |= {"bundle": bundles[1]["bundle"], "sealed": sealed["sealed"]}
    texts = [json.dumps(request, indent=2) + "\n", json.dumps(request | {"network": "", "commitments": []})]
    texts += [json.dumps(package, indent=2) + "\n", json.dumps(package | {"lane": 0xFFEF, "tick": 65535})]
    agreement = agreement_of(texts[0])
    common = tuple((why, change) for why, change in OF_ANY if not change.keys() & NEVER)
    return {
        "about": "requests and packages of version 2, agreements, and the file of an administrator (PROTOCOL.md section"
        " 8), for the network of network_keys.json: texts of good ones with their six words, and bad ones. The first"
        " package brings fields to the unit with private_key; the commitments are made with key",
        "key": KEY.hex(),
        "characteristics": CHARACTERISTICS,
        "private_key": sealed["private_key"],
        "fields": sealed["fields"],
        "good": [{"kind": kind_of(text), "text": text, "words": spoken(text)} for text in texts],
        "bad": [
            *bad("request", request, (*common, *OF_REQUESTS)),
            *bad("package", package, (*common, *OF_PACKAGES)),
        ],
        "agreement": json.dumps(agreement, indent=2) + "\n",
        "bad_agreements": bad_agreements(agreement),
        "administrator": json.dumps(administrator(bundles), indent=1) + "\n",
    }


def kind_of(text: str) -> str:
    return next(kind for kind in ("request", "package") if f"ndks_join_{kind}" in text)


def agreement_of(request: str) -> dict[str, Any]:
    digest = hashlib.sha256(request.encode()).hexdigest()
    said = {"who": "Carol, head of security", "when": "2026-11-28", "why": "she replaces Bob"}
    return {
        "ndks_join_agreement": 1,
        "request": digest,
        "network": "demo",
        "signing_key": signing_key(ROOT).hex(),
    } | said


def bad_agreements(agreement: dict[str, Any]) -> list[dict[str, str]]:
    changed = {
        "version 2": {"ndks_join_agreement": 2},
        "nobody agreed": {"who": ""},
        "a reason on two lines": {"why": "a\nb"},
        "a field that nobody knows": {"where": "here"},
    }
    texts = {why: json.dumps(agreement | change, indent=2) + "\n" for why, change in changed.items()}
    texts["without a network"] = json.dumps({n: v for n, v in agreement.items() if n != "network"}, indent=2) + "\n"
    texts["other white space"] = json.dumps(agreement) + "\n"
    texts["empty"] = ""
    return [{"why": why, "text": text} for why, text in texts.items()]


def administrator(bundles: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the fields of the file of administrator 0 after the first two bundles of bundles.json."""
    states = ("in", "retired", "revoked")
    nobody = {"label": "", "request": "", "commitments": [], "who": "", "when": "", "why": ""}
    last = bundles[-1]
    return {
        "ndks_administrator": 1,
        "network": network_file(HYBRID, GENERATIONS[0].network(0)) | {"next_lane": 1, "members": []},
        "root": ROOT.hex(),
        "number": 0,
        "numbers": 2,
        "next_lane": 8,
        "revocations": 96 - 24 - 1,  # number 1 got 24 with its file
        "g": last["g"],
        "authority": "",
        "members": [
            {"lane": lane, "uid": uid.upper(), "state": states[state], "joined": joined} | nobody
            for lane, uid, joined, state in last["members"]
        ],
        "generations": [
            {
                "g": each["g"],
                "operators": [each["d"], each["f1"], each["f2"]],
                "secret": each["secret"],
                "revoked": each["revoked"],
                "members": [lane for lane, _, _ in each["notices"]],
            }
            for each in bundles
        ],
        "bundles": [base64.b64encode(bytes.fromhex(each["bundle"])).decode() for each in bundles],
    }
