# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of generator.json, operators.json and paper.json: key bits and invalid parameters."""

from harness import expect, expect_value_error, run

from ndks_protocol.generator import Generator


def check_bits(case: dict) -> None:
    keystream = Generator(case["p1"], case["p2"], case["d"]).key(int(case["k"]))
    expect(keystream.read(case["first"], case["count"]).hex(), case["key"])


def check_operators(case: dict) -> None:
    keystream = Generator(case["p1"], case["p2"], case["d"], case["f1"], case["f2"]).key(int(case["k"]))
    expect(keystream.read(case["first"], case["count"]).hex(), case["key"])


def check_paper(case: dict) -> None:
    bits = case["bits"]
    key = Generator(case["p1"], case["p2"], case["d"]).key(case["k"]).read(0, len(bits))
    expect("".join([f"{byte:08b}" for byte in key]), bits)


def check_worked_example(case: dict) -> None:
    key = Generator(case["p1"], case["p2"], case["d"]).key(case["k"]).read(case["e"], 1)
    expect(key[0] >> 7, case["bit"])


def check_refused(case: dict) -> None:
    expect_value_error(Generator, case["p1"], case["p2"], case["d"], *case.get("operators", ()))


run(
    {
        "generator": check_bits,
        "operators": check_operators,
        "paper": check_paper,
        "worked_example": check_worked_example,
        "refused": check_refused,
    }
)
