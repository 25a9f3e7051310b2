# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of a host's files: network files, and secrets as words."""

import hashlib
import json
import random
from typing import Any

from capsule_reference import HYBRID, PAPER, Network
from conversation import Membership
from mnemonic import Mnemonic

SEED = 20261123
MEMBERS = [
    {"lane": 1, "uid": "0011223344556677", "label": "Alice", "binding_id": "00" * 16},
    {"lane": 3, "uid": "8899AABBCCDDEEFF", "label": "", "binding_id": "f0" * 16},
]
NETWORKS = (
    (HYBRID, Network(bytes(range(32)), "0.52", "25", 3)),
    (PAPER, Network(bytes(range(32)), "0.520", "25", 3)),
    (HYBRID, Network(bytes(range(32, 64)), "-999.5", "1." + "0" * 77 + "1", 12, "hyperbolic", "cosine_cube")),
)
# What is changed, and to what; None takes a field away.
REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("another format", {"ndks_network": 2}),
    ("a field that nobody knows", {"renewal": 1}),
    ("a field is missing", {"next_lane": None}),
    ("no name", {"name": ""}),
    ("a name of 33 bytes", {"name": "é" * 16 + "x"}),
    ("a name of two lines", {"name": "a\nb"}),
    ("a slash in the name", {"name": "a/b"}),
    ("a backslash in the name", {"name": "a\\b"}),
    ("an unknown suite", {"suite": "aes"}),
    ("a number for a suite", {"suite": 1}),
    ("an unknown cipher", {"cipher": "hybrid"}),
    ("p1 is a number", {"p1": 0.52}),
    ("p1 is no decimal", {"p1": "52e-2"}),
    ("p2 is zero", {"p2": "0.0"}),
    ("d is 13", {"d": 13}),
    ("d is true", {"d": True}),
    ("epoch 2^32", {"epoch": 1 << 32}),
    ("a secret of 31 bytes", {"secret": "00" * 31}),
    ("the network id of another secret", {"network_id": "00" * 8}),
    ("no next lane", {"next_lane": 0}),
    ("a next lane above 65536", {"next_lane": 65537}),
    ("a lane that was not given yet", {"next_lane": 3}),
    ("a lane of two members", {"members": [MEMBERS[0], MEMBERS[0]]}),
    ("a member without a label", {"members": [{"lane": 1, "uid": "", "binding_id": "00" * 16}]}),
    ("a binding id of 15 bytes", {"members": [MEMBERS[0] | {"binding_id": "00" * 15}]}),
    ("operator f3", {"operators": {"f1": "sinusoid", "f2": "cosine", "f3": "digit"}}),
    ("an unknown operator", {"operators": {"f1": "tangent", "f2": "cosine"}}),
)


def network_file(suite: int, network: Network) -> dict[str, Any]:
    membership = Membership(network, suite)
    values = {
        "ndks_network": 1,
        "name": membership.name,
        "suite": ("paper", "hybrid")[suite],
        "cipher": "vernam",
        "p1": network.p1,
        "p2": network.p2,
        "d": network.digits,
        "epoch": 0,
        "secret": network.secret.hex(),
        "network_id": membership.network_id.hex(),
        "next_lane": 4,
        "members": MEMBERS,
    }
    return values | ({"operators": {"f1": network.f1, "f2": network.f2}} if any(network.operators) else {})


def make_network_files() -> dict[str, Any]:
    good = [network_file(*each) for each in NETWORKS]
    first = good[0]
    without_id = {name: value for name, value in first.items() if name != "network_id"}
    limits = without_id | {"name": "é" * 16, "epoch": (1 << 32) - 1, "next_lane": 65536}
    both = [*good, without_id, limits, first | {"operators": {"f1": "sinusoid", "f2": "cosine"}}]
    refused = [(why, json.dumps(changed(without_id, change))) for why, change in REFUSED]
    refused += [("a field twice", json.dumps(first)[:-1] + ', "d": 3}'), ("no JSON", "{"), ("a list", "[]")]
    return {
        "about": "network files (PROTOCOL.md section 8): the text of good ones, with their network id as STATUS answers"
        " it, and of bad ones",
        "good": [{"text": json.dumps(values), "network_id": id_of(values)} for values in both],
        "bad": [{"why": why, "text": text} for why, text in refused],
    }


def changed(values: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (values | change).items() if value is not None}


def id_of(values: dict[str, Any]) -> str:
    operators = values.get("operators", {}).values()
    network = Network(bytes.fromhex(values["secret"]), values["p1"], values["p2"], values["d"], *operators)
    return Membership(network, ("paper", "hybrid").index(values["suite"])).network_id.hex()


def words_of(code: bytes) -> list[str]:
    """Return the words of a code (BIP-39): 256 bits and the first 8 of their SHA-256 are 24 indices of 11 bits."""
    number = int.from_bytes(code + hashlib.sha256(code).digest()[:1])
    return [Mnemonic("english").wordlist[number >> 11 * (23 - i) & 0x7FF] for i in range(24)]


def make_words() -> dict[str, Any]:
    rng = random.Random(SEED)
    codes = [bytes(32), b"\x7f" * 32, b"\x80" * 32, b"\xff" * 32, *(rng.randbytes(32) for _ in range(4))]
    good = [words_of(code) for code in codes]
    one = good[4]
    bad = {
        "the last word is another": [*one[:-1], "zoo"],
        "two words are exchanged": [one[1], one[0], *one[2:]],
        "23 words": one[:-1],
        "25 words": [*one, one[0]],
        "a word that is none": ["zzzz", *one[1:]],
    }
    return {
        "about": "a transport code as words (BIP-39, English; PROTOCOL.md section 6)",
        "good": [{"code": code.hex(), "words": " ".join(words)} for code, words in zip(codes, good, strict=True)],
        "bad": [{"why": why, "words": " ".join(words)} for why, words in bad.items()],
    }
