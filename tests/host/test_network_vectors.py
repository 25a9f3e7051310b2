# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The vectors network_files.json and words.json: valid files and words are read, others are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.reference import load_vectors

from ndks.exceptions import NetworkFileError, UsageError
from ndks.laptop.words import from_words, to_words
from ndks.network.network_file import Network

FILES = load_vectors("network_files")
WORDS = load_vectors("words")


def load(folder: Path, text: str) -> Network:
    path = folder / "demo.ndksnet"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return Network.load(path)


@pytest.mark.parametrize("case", FILES["good"])
def test_published_network_files(case: dict[str, str], tmp_path: Path) -> None:
    network, values = load(tmp_path, case["text"]), json.loads(case["text"])
    assert network.network_id == case["network_id"]
    known = {name: getattr(network, name) for name in ("name", "suite", "cipher", "p1", "p2", "epoch", "next_lane")}
    assert known | {"d": network.digits, "secret": network.secret.hex()} == {
        name: values[name] for name in (*known, "d", "secret")
    }
    assert {"f1": network.f1, "f2": network.f2} == values.get("operators", {"f1": "sinusoid", "f2": "cosine"})
    assert [vars(member) for member in network.members] == values["members"]


@pytest.mark.parametrize("case", FILES["bad"], ids=lambda case: case["why"])
def test_bad_network_files(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(NetworkFileError):
        load(tmp_path, case["text"])


def test_published_words() -> None:
    for case in WORDS["good"]:
        assert to_words(bytes.fromhex(case["code"])) == case["words"]
        assert from_words(case["words"]).hex() == case["code"]


@pytest.mark.parametrize("case", WORDS["bad"], ids=lambda case: case["why"])
def test_words_that_make_no_code(case: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        from_words(case["words"])
