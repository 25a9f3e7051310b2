# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# ruff: noqa: E501 (rows of tables)
"""Example reports for the tests of the page. Their figures are invented."""

from typing import Any

import numpy as np

from ndks.keys.generator import VectorGenerator
from ndks_laboratory.homologation.report import Plot, autocorrelation, hamming, key_raster, spectrum

N = 1 << 17  # elements of the long key here
CLAIMS = (  # text, source, test, evidence
    ("Both units give the same key for the same index.", "4.1.1", "keys of several sizes, compared when both sides had ended", "8 of 8 keys are the same, 128 to 65,537 bits"),
    ("No channel was open while the keys were given.", "4.1.1", "a probe from inside each cage, and the same probe without it", "inside: no route to host; outside: connected in 0.2 ms"),
    ("The sending laptop keeps the encrypted message only.", "4.1.1", "the file of the original", "deleted before the capsule was sent"),
    ("What was written is what came out.", "4.1.2", "texts compared by the expert", "24 of 24 messages"),
    ("The receiver is disconnected when it decrypts.", "4.1.2", "interfaces of the receiver's cage at that time", "no interface but lo, 24 of 24 times"),
    ("Roles swap with no switch of any kind.", "4.1.2", "messages in both directions, one after the other", "12 from A to B, 12 from B to A, alternating"),
    ("The adversaries read nothing.", "4.1.2", "adversaries A1 to A9, S1", "none of 10 attacks succeeded"),
    ("What goes in and out of a unit is encrypted frames.", "4.1", "bytes on the cable", "41,312 bytes, 7.996 bits of entropy a byte"),
    ("A stolen unit does not work at another laptop.", "4.1", "the unit, at a laptop with another secret", "LOCKED, 3 of 3 times; keys given: 0"),
    ("The sync word is renewed in each transmission.", "4.1", "first bytes of 4,096 frames", "4,096 different ones"),
    ("A message that was altered does not open.", "4.1", "every bit of a capsule of 86 bytes flipped in turn", "688 of 688 refused with AUTH"),
    ("A message opens once.", "4.1", "replay, reordering, reflection", "each opened once; 3 of 3 replays refused with DUPLICATE"),
    ("The keys show no regular patterns.", "4.1", "statistics S1 to S8 on 1,048,576 elements", "smallest p 0.0031 of 1,048,640 tests"),
    ("A repeated symbol gets another encoding each time.", "3", "3,072 times the letter A", "251 different bytes, the most frequent 0.62 %"),
    ("One decimal changes half of the key.", "3", "one digit of p1 and p2 at each of 40 decimal places, 16 keys of 1,024 bits each", "from place 1 to 3: 49.8 % on the average; from place 9 on nothing changes in 1,024 elements at d = 3"),
    ("A primal key of 192,000,000 bits.", "table 2", "ndks stream", "192,000,000 bits in 6.1 s"),
    ("The eavesdropper sees random characteristics.", "4.1", "entropy of the record", "7.9998 bits a byte of 1,048,576; random bytes: 7.9998"),
    ("The key can change for each symbol.", "4.1", "cipher vernam: elements used", "8 elements a byte, none twice"),
    ("Any type of encryption can be used.", "4.1", "ciphers vernam and aes, modes a and b", "4 of 4 combinations, each opened by the other mode"),
    ("Errors of the unit and of the channel are told apart.", "4.1", "a flipped bit; a unit with one other decimal", "AUTH; DIVERGED"),
    ("A unit that is opened erases itself.", "4.1", "case switch", "this unit has none"),
    ("The generator alone withstands the adversaries.", "3", "adversaries A1 to A9 against the bare paper suite", "A1 read message 1 in 0.013 s"),
)  # fmt: skip
ATTACKS = (  # label, name, seconds and summary against the units, and against the bare paper suite
    ("A1", "ciphertext only, ASCII", 0.412, "0 of 24 texts read; best score 0.31", 0.013, "24 of 24 texts read, the first in 0.013 s: “Dear Bob, this is my message number 1.”"),
    ("A2", "branch and bound on the angular frequency", 1.93, "no frequency explains 64 bits; 5,340 nodes", 0.008, "w = 1.20853 from 32 bits; the next 65,504 bits predicted, all of them right"),
    ("A3", "autocorrelation and continued fractions", 0.087, "largest lag 5.1 sigma", 0.061, "lag 71, 990 sigma; w = 1.20853"),
    ("A4", "decimal grid of p1 and p2", 12.4, "no pair of 10,000,000", 3.17, "p1 = 0.52, p2 = 25"),
    ("A5", "p1 and p2 from five keys", 0.45, "no pair explains five keys", 0.052, "p1 = 0.52, p2 = 25; all other keys predicted"),
    ("A6", "exhaustion of float units", 1.7, "no frequency of 2^24", 0.31, "the unit computes with exact integers"),
    ("A7", "bit flips, replay, truncation, reordering, splicing, reflection", 4.8, "0 of 702 altered capsules opened", None, ""),
    ("A8", "correlation and shared prefixes over key indices", 0.22, "longest shared prefix of 2,000 keys: 24 bits", 0.2, "6 keys share 64 bits with another"),
    ("A9", "wrong laptop, stolen unit, flash dump", 2.6, "LOCKED; nothing in 262,144 bytes of flash", None, ""),
)  # fmt: skip
STATISTICS = (  # name, tests, log10 p and sigmas of hybrid and of paper, where
    ("monobit", 1, -0.21, 0.49, -28.4, 11.2, None),
    ("runs", 1, -0.55, 1.1, -31.0, 11.6, None),
    ("serial, 8 bits", 1, -0.08, 0.2, -912.0, 64.0, None),
    ("spectral", N // 2, -0.9, 14.1, -5120.4, 11803.0, "0.1923 cycles an element"),
    ("autocorrelation, all lags", N - 1, -0.31, 4.7, -9000.2, 355.0, "lag 71"),
)


def example_report(suite: str = "hybrid") -> dict[str, Any]:
    """Return the report of a network that was approved (`hybrid`) or not (`paper`)."""
    is_paper = suite == "paper"
    return {
        "schema": 1,
        "product": "ndks 1.0.0",
        "date": "2026-11-23T16:00:00+00:00",
        "seconds": 93.1,
        "command": "ndks homologate --unit emulator:alice --unit emulator:bob --seed 1 -o homologation",
        "verdict": "NOT APPROVED" if is_paper else "APPROVED",
        "judged_as": "network",
        "reasons": _reasons(is_paper),
        "network": {"name": "office", "suite": suite, "digits": 3, "network_id": "7f3a90c1d2e4b586", "cipher": "vernam"},
        "units": [_unit("A", "5385F270FB3B58EB", "alice", 1), _unit("B", "A56F7AB76EE88114", "bob", 2)],
        "requirements": [_requirement(i, claim, is_paper) for i, claim in enumerate(CLAIMS, 1)],
        "experts": [
            {"expert": "Ada Example", "date": "2026-11-28", "given": ["tap.pcap"], "hours": 16.5, "claims": 1}
        ],
        "targets": _targets(suite, is_paper),
        "statistics": [_statistic(row, is_paper) for row in STATISTICS],
        "threshold": {"alpha": 1e-6, "tests": 2 * N, "p": 1e-6 / (2 * N)},
        "stages": {"no_channel": _no_channel(), "regular_channel": _regular_channel(), "network": _network()},
        "tables": _tables(),
        "environment": {
            "python": "CPython 3.11.2",
            "system": "Linux 6.1.0-28-amd64, x86_64, 2 cores",
            "packages": {"numpy": "2.4.6", "scipy": "1.17.1", "numba": "0.63.1", "matplotlib": "3.10.8"},
            "seed": 20261123,
        },
        "files": [
            {"name": "report.json", "bytes": 48211, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
            {"name": "tap.pcap", "bytes": 214033, "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"},
        ],
    }  # fmt: skip


def example_plots(suite: str = "hybrid") -> list[Plot]:
    """Return the plots of a key of eq. 7, or of random bits."""
    random = np.random.default_rng(7)
    if suite == "paper":
        bits = np.unpackbits(np.frombuffer(VectorGenerator("0.52", "25", 3).key(1).read(0, N), np.uint8))
    else:
        bits = random.integers(0, 2, N, dtype=np.uint8)
    signs = 1.0 - 2.0 * bits
    transform = np.fft.rfft(signs)
    correlations = np.fft.irfft(np.abs(np.fft.rfft(signs, 2 * N)) ** 2)[1:N] / np.sqrt(np.arange(N - 1, 0, -1))
    # Element e changes where its angle does by more than 10^-d: as the paper's parameters do with 1,024 elements.
    places = np.arange(1, 41)[:, None]
    reach = np.clip(10.0 ** (6.0 - places), 0, 0.5)
    return [
        key_raster(bits),
        spectrum(np.abs(transform[1:]) ** 2 / N, 25.6),
        autocorrelation(correlations, 6.7),
        hamming({name: random.binomial(1024, reach, (40, 8)) / 1024 for name in ("p1", "p2")}, 0.42, 0.58),
    ]


def _reasons(is_paper: bool) -> list[str]:
    if not is_paper:
        return ["21 of 22 requirements are met; R21 could not be shown: these units have no case switch."]
    return [
        "A1, ciphertext only, read message 1 in 0.013 s: “Dear Bob, this is my message number 1.”",
        "A2, branch and bound, predicted 65,504 bits of key 1 from 32 of them in 0.008 s.",
        "R13: the keys show regular patterns (autocorrelation of 355 sigma at lag 71).",
    ]


def _unit(label: str, serial_number: str, name: str, lane: int) -> dict[str, Any]:
    return {
        "label": label,
        "serial_number": serial_number,
        "firmware": "1.0.0",
        "protocol": 1,
        "port": f"emulator:/home/laboratory/2026-11-23/{name}",
        "lane": lane,
        "part": "attacked",
    }


def _requirement(index: int, claim: tuple[str, str, str, str], is_paper: bool) -> dict[str, Any]:
    text, source, test, evidence = claim
    verdict = {21: "not shown", 22: "not met"}.get(index, "not met" if is_paper and index in (7, 13, 17) else "met")
    if index == 22 and not is_paper:
        verdict = "not shown"
    source = source if source.startswith("table") else f"section {source}"
    return {"id": f"R{index}", "text": text, "source": f"paper, {source}", "test": test, "evidence": evidence, "verdict": verdict}  # fmt: skip


def _targets(suite: str, is_paper: bool) -> list[dict[str, Any]]:
    units = {
        "name": f"the units, suite {suite}",
        "role": "units",
        "as_expected": None,
        "findings": [_finding(row, fell=is_paper and row[4] is not None and row[0] != "A6") for row in ATTACKS],
    }
    paper = {
        "name": "control: bare paper",
        "role": "must fall",
        "as_expected": True,
        "findings": [_finding(row, fell=None if row[4] is None else row[0] != "A6") for row in ATTACKS],
    }
    random = {
        "name": "control: random bits",
        "role": "must stand",
        "as_expected": True,
        "findings": [_finding(row, fell=None if row[4] is None else False) for row in ATTACKS],
    }
    return [units, paper, random]


def _finding(row: tuple[Any, ...], *, fell: bool | None) -> dict[str, Any]:
    label, adversary, stood_seconds, stood_summary, fell_seconds, fell_summary = row
    if fell is None:
        return {"label": label, "adversary": adversary, "succeeded": None, "summary": "not run: needs the system itself", "seconds": 0.0, "p_value": None, "tests": 0, "details": {}}  # fmt: skip
    chance = label in ("A2", "A3", "A8")
    return {
        "label": label,
        "adversary": adversary,
        "succeeded": fell,
        "summary": fell_summary if fell else stood_summary,
        "seconds": fell_seconds if fell else stood_seconds,
        "p_value": (3.1e-14 if fell else 0.43) if chance else None,
        "tests": 1024 if chance else 0,
        "details": {"frequency": 1.2085318, "bits_used": 32, "candidates": [1.2085318, 1.9330609], "at": {"lag": 71}}
        if chance
        else {},
    }


def _statistic(row: tuple[Any, ...], is_paper: bool) -> dict[str, Any]:
    name, tests, log10_p, sigmas, paper_log10_p, paper_sigmas, where = row
    return {
        "name": name,
        "tests": tests,
        "log10_p": paper_log10_p if is_paper else log10_p,
        "where": where,
        "sigmas": paper_sigmas if is_paper else sigmas,
        "n": N,
        "passed": not is_paper,
    }


def _no_channel() -> dict[str, Any]:
    return {
        "checks": [
            {"name": "each side has its own network namespace", "held": True, "detail": "net:[4026532246], net:[4026532245]"},
            {"name": "a probe from inside does not reach the other side", "held": True, "detail": "Network is unreachable"},
            {"name": "the same probe without the cage does", "held": True, "detail": "connected in 0.2 ms"},
            {"name": "Wi-Fi and Bluetooth are off", "held": None, "detail": "one machine: both sides share its controllers"},
        ],
        "keys": [{"index": i, "bits": bits, "same": True} for i, bits in enumerate((128, 256, 1000, 8192, 65537), 1)],
        "cages": [{"side": "A", "namespace": "net:[4026532246]", "interfaces": ["lo"], "descriptors": [0, 1, 2]}],
        "probes": ["A to B by TCP: Network is unreachable", "A to B by TCP, without cages: connected"],
    }  # fmt: skip


def _regular_channel() -> dict[str, Any]:
    messages = [
        {
            "number": i + 1,
            "sender": "AB"[i % 2],
            "receiver": "BA"[i % 2],
            "cipher": ("vernam", "aes")[i // 4],
            "sealed_in": "ba"[i // 2 % 2],
            "opened_in": "ab"[i // 2 % 2],
            "bytes": 3197,
            "same": True,
        }
        for i in range(8)
    ]
    checks = [
        {"name": "every message was decrypted correctly", "held": True, "detail": "8 of 8"},
        {"name": "the eavesdropper recorded every byte that was sent", "held": True, "detail": "25,576 bytes"},
    ]
    return {"checks": checks, "messages": messages}


def _network() -> dict[str, Any]:
    checks = [
        {"name": "no unit joins without a signature", "held": True, "detail": ""},
        {"name": "the master is gone: another leads", "held": True, "detail": "after 41 ticks"},
        {"name": "the unit whose case was opened is erased", "held": None, "detail": "no case can be opened"},
    ]
    return {"checks": checks, "ticks": 665, "packets": 390, "bytes": 54766}


def _tables() -> list[dict[str, Any]]:
    return [
        {
            "title": "NDKS technology and the ground and space versions of QKD",
            "source": "paper, table 1",
            "columns": ["Attribute", "Ground QKD", "Space QKD", "NDKS", "these units"],
            "rows": [
                ["Dynamic or static coding", "static", "static", "dynamic", "dynamic: 251 different bytes for one letter"],
                ["Key size in bits", "small after distillation", "small after distillation", "unlimited", "up to 2^40"],
                ["Keys in each operating cycle", "less than one", "less than one", "unlimited", "up to 2^64"],
                ["Legal procedures", "Too many", "Too many", "None", None],
            ],
        },
        {
            "title": "NDKS technology and the mission QUESS/Micius",
            "source": "paper, table 2",
            "columns": ["Parameters", "QUESS/Micius", "NDKS units", "these units"],
            "rows": [
                ["Launch year", "2016", "2022", None],
                ["Primal key", "300,000 bits", "192,000,000 bits", "192,000,000 bits in 6.1 s"],
                ["Efficiency", "at night, without clouds, much less than 100 %", "100%", "100 %: 24 of 24 messages"],
            ],
        },
    ]  # fmt: skip
