# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks generate`: equation 7 alone, with the paper's keys and far beyond."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.running import assert_refused, run
from support.reference import load_vectors, packed, paper_bits

import ndks
from ndks_protocol.generator import F1, F2

KEYS = load_vectors("paper")["keys"]
FIRST = ("--p1", "0.52", "--p2", "25")


@pytest.fixture
def generate(call: Call) -> Call:
    return functools.partial(call, "generate")


@pytest.mark.parametrize("printed", KEYS, ids=lambda key: f"p1={key['p1']},k={key['k']}")
def test_printed_keys_of_the_paper(printed: dict[str, Any]) -> None:
    parameters = ("--p1", printed["p1"], "--p2", printed["p2"], "--digits", printed["d"], "--key-index", printed["k"])
    finished = run("generate", *parameters, "--bits", len(printed["bits"]))
    assert finished.text == printed["bits"] + "\n"


def test_default_is_the_first_printed_key(generate: Call) -> None:
    assert generate(*FIRST).text == KEYS[0]["bits"] + "\n"


@pytest.mark.parametrize(("first", "bits"), [(1, 100), (8, 64), (65_530, 20), (10**12, 64), ((1 << 40) - 9, 9)])
def test_first_element_may_lie_anywhere(generate: Call, first: int, bits: int) -> None:
    expected = "".join(map(str, paper_bits("0.52", "25", 3, 1, first, bits)))
    assert generate(*FIRST, "--first", first, "--bits", bits).text == expected + "\n"


@pytest.mark.parametrize("digits", [1, 6, 12])
def test_other_decimal_places(generate: Call, digits: int) -> None:
    expected = "".join(map(str, paper_bits("-0.123456789", "99.5", digits, 3, 0, 64)))
    parameters = ("--p1=-0.123456789", "--p2", "99.5", "-d", digits, "--key-index", 3)
    assert generate(*parameters, "--bits", 64).text == expected + "\n"


@pytest.mark.parametrize("bits", [1, 13, 1024, (1 << 16) + 3])
def test_formats_agree(generate: Call, bits: int) -> None:
    text = generate(*FIRST, "--bits", bits, "--format", "bits").text.strip()
    raw = packed([int(bit) for bit in text])
    assert len(text) == bits
    assert generate(*FIRST, "--bits", bits, "--format", "hex").text == raw.hex() + "\n"
    assert generate(*FIRST, "--bits", bits, "--format", "raw").output == raw


def test_raw_into_a_file(generate: Call, tmp_path: Path) -> None:
    file = tmp_path / "key.bin"
    finished = generate(*FIRST, "--format", "raw", "-o", file)
    assert finished.text == f"{file}: 1024 bits\n"
    assert file.read_bytes() == int(KEYS[0]["bits"], 2).to_bytes(128)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key.bin"]


def test_existing_file_is_kept(generate: Call, tmp_path: Path) -> None:
    file = tmp_path / "key.bin"
    file.write_text("mine")
    assert_refused(generate(*FIRST, "-o", file), "FILE", 1)
    assert file.read_text() == "mine"
    assert generate(*FIRST, "-o", file, "--force").status == 0
    assert file.read_text() == KEYS[0]["bits"] + "\n"


def test_interrupted_stream_beside_the_file_is_kept(generate: Call, tmp_path: Path) -> None:
    part = tmp_path / "key.bin.part"
    part.write_text("hours of work")
    generate(*FIRST, "-o", tmp_path / "key.bin")
    assert part.exists()
    assert part.read_text() == "hours of work"


def test_json_is_one_object(generate: Call) -> None:
    values = json.loads(generate(*FIRST, "--bits", 64, "--first", 8, "--json").text)
    expected = {"schema": 1, "index": 1, "first": 8, "bits": 64, "format": "bits", "key": KEYS[0]["bits"][8:72]}
    assert "not for protection" in values.pop("warning")
    assert values == expected


def test_stderr_says_that_this_protects_nothing(generate: Call) -> None:
    assert "not for protection" in generate(*FIRST).stderr


@pytest.mark.parametrize(
    "p1", ["", "0", "0.000", "half", "1e3", "0,52", ".5", "5.", "+1", " 1", "0x1", "\u0661", "nan", "9" * 81]
)
def test_bad_decimals(generate: Call, p1: str) -> None:
    assert_refused(generate(f"--p1={p1}", "--p2", "25"), "USAGE", 2)


@pytest.mark.parametrize(
    "options",
    [
        ["--first", "-1"],
        ["--first", str(1 << 40), "--bits", "1"],
        ["--first", str((1 << 40) - 1), "--bits", "2"],
        ["--key-index", "0"],
        ["--key-index", "-1"],
        ["--key-index", str((1 << 64) + 1)],
        ["--digits", "0"],
        ["--digits", "13"],
        ["--json", "--format", "raw"],
    ],
)
def test_numbers_out_of_range(generate: Call, options: list[str]) -> None:
    assert_refused(generate(*FIRST, *options), "USAGE", 2)


def test_largest_key_index(generate: Call) -> None:
    expected = "".join(map(str, paper_bits("0.52", "25", 3, 1 << 64, 0, 32)))
    assert generate(*FIRST, "--key-index", 1 << 64, "--bits", 32).text == expected + "\n"


@pytest.mark.parametrize("f1", F1)
@pytest.mark.parametrize("f2", F2)
def test_operators(generate: Call, f1: str, f2: str) -> None:
    expected = "".join(map(str, paper_bits("0.52", "25", 3, 2, 70, 200, f1, f2)))
    options = ("--f1", f1, "--f2", f2, "--key-index", 2, "--first", 70, "--bits", 200)
    assert generate(*FIRST, *options).text == expected + "\n"


def test_parameters_of_a_network_file(generate: Call, tmp_path: Path) -> None:
    network = ndks.Network.new("office", digits=5, f1="hyperbolic", f2="cosine_cube")
    path = tmp_path / "office.ndksnet"
    network.save(path)
    expected = "".join(map(str, paper_bits(network.p1, network.p2, 5, 3, 0, 100, network.f1, network.f2)))
    finished = generate("--network", path, "--key-index", 3, "--bits", 100)
    assert finished.text == expected + "\n"
    assert network.secret.hex() not in finished.stderr


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--p1", "0.52"],
        ["--p2", "25"],
        [*FIRST, "--f1", "cosine"],
        [*FIRST, "--f2", "sinusoid"],
        ["--p1", "1000.1", "--p2", "25", "--f1", "hyperbolic"],
        ["--network", "none.ndksnet", "--p1", "0.52"],
        ["--network", "none.ndksnet", "-d", "3"],
        ["--network", "none.ndksnet", "--f2", "cosine"],
    ],
)
def test_parameters_that_make_no_generator(generate: Call, options: list[str]) -> None:
    assert_refused(generate(*options), "USAGE", 2)
