# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of requests to join and packages, with the words by which people compare them."""

import hashlib
import json
import random
from typing import Any

from conversation import MEMBER, OWN_LANE, UID
from mnemonic import Mnemonic
from package_vectors import Package

SEED = 20261129
DATE = "2026-11-28T16:04:13+00:00"
HEX_UID = UID.hex().upper()
# What is changed, and to what; None takes a field away.
OF_ANY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("no date", {"date": "yesterday"}),
    ("a date on two lines", {"date": "2026-11-28\n16:04:13+00:00"}),
    ("a date that is a number", {"date": 20261128}),
    ("a name on two lines", {"network": "of\nfice"}),
    ("a name with an escape", {"network": "\x1b[2J"}),
    ("a name of 33 bytes", {"network": "é" * 16 + "x"}),
    ("a slash in the name", {"network": "a/b"}),
    ("a name that is a list", {"network": []}),
    ("a uid too short", {"uid": HEX_UID[:-1]}),
    ("a uid with a letter that is no digit", {"uid": f"{HEX_UID[:-1]}G"}),
    ("a uid in lower case", {"uid": "0123456789abcdef"}),
    ("a uid and a new line", {"uid": f"{HEX_UID}\n"}),
    ("a uid that is a number", {"uid": 123456789}),
    ("a field that nobody knows", {"commitments": []}),
    *((f"without {name}", {name: None}) for name in ("date", "network", "uid")),
)
OF_REQUESTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"version {version!r}", {"ndks_join_request": version}) for version in (0, 2, "1", [1], True)),
    ("a label on two lines", {"label": "a\nb"}),
    ("a label of 65 characters", {"label": "l" * 65}),
    ("a label that is a number", {"label": 1}),
    ("a key of 31 bytes", {"public_key": "09" * 31}),
    ("a key of 33 bytes", {"public_key": "09" * 33}),
    ("a key with a letter that is no digit", {"public_key": "09" * 31 + "0g"}),
    ("a key after a space", {"public_key": " " + "09" * 32}),
    ("a key in upper case", {"public_key": "AB" * 32}),
    ("a key that is a list", {"public_key": [9]}),
    *((f"without {name}", {name: None}) for name in ("ndks_join_request", "label", "public_key")),
)
OF_PACKAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"version {version!r}", {"ndks_join_package": version}) for version in (0, 2, "1", [1], True)),
    ("no network", {"network": ""}),
    ("lane 0", {"lane": 0}),
    ("lane 65536", {"lane": 65536}),
    ("a lane that is true", {"lane": True}),
    ("a lane that is a text", {"lane": "3"}),
    ("sealed has letters that are no digits", {"sealed": "xy" * 100}),
    ("sealed ends in half a byte", {"sealed": "ab" * 100 + "a"}),
    ("sealed is a number", {"sealed": 3}),
    *((f"without {name}", {name: None}) for name in ("ndks_join_package", "lane", "sealed")),
)


def spoken(text: str) -> str:
    """Return the words of a file: six times 11 bits, from the first ones of its SHA-256 on."""
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256(text.encode()).digest())
    return " ".join(Mnemonic("english").wordlist[int(bits[start : start + 11], 2)] for start in range(0, 66, 11))


def make_joining_files() -> dict[str, Any]:
    rng = random.Random(SEED)
    sealed = Package(rng.randbytes(32), rng.randbytes(32), MEMBER).described()
    head = {"date": DATE, "network": "demo", "uid": HEX_UID}
    request = {"ndks_join_request": 1, **head, "label": "Alice", "public_key": sealed["joining_key"]}
    package = {"ndks_join_package": 1, **head, "lane": OWN_LANE, "sealed": sealed["sealed"]}
    for_any = request | {"network": "", "label": ""}
    limits = request | {"network": "é" * 16, "label": "é" * 64}
    texts = [json.dumps(values, indent=2) + "\n" for values in (request, for_any, package)]
    texts += [json.dumps(values, ensure_ascii=False) for values in (limits, package | {"lane": 65535, "sealed": ""})]
    return {
        "about": "requests to join and packages (PROTOCOL.md section 8): the text of good ones with their six words,"
        " and bad ones; the first package answers the first request: it brings fields, PROVISION's after the binding,"
        " to the unit with private_key",
        "private_key": sealed["private_key"],
        "fields": sealed["fields"],
        "good": [{"kind": kind_of(text), "text": text, "words": spoken(text)} for text in texts],
        "bad": [
            *bad("request", request, (*OF_ANY, *OF_REQUESTS)),
            *bad("package", package, (*OF_ANY, *OF_PACKAGES)),
        ],
    }


def kind_of(text: str) -> str:
    return next(kind for kind in ("request", "package") if f"ndks_join_{kind}" in text)


def bad(kind: str, good: dict[str, Any], changes: tuple[tuple[str, dict[str, Any]], ...]) -> list[dict[str, str]]:
    """Return what a reader of this kind refuses."""
    refused = [
        (why, json.dumps({n: v for n, v in (good | change).items() if v is not None})) for why, change in changes
    ]
    whole = json.dumps(good)
    refused += [("a field twice", whole[:-1] + f', "date": "{DATE}"}}'), ("cut short", whole[:-20])]
    refused += [("empty", ""), ("no JSON", "{"), ("a list", "[]")]
    return [{"kind": kind, "why": why, "text": text} for why, text in refused]
