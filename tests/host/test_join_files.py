# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests and packages are read strictly, and their six words are those of the file."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic
from support.reference import load_vectors

import ndks
from ndks.crypto import CRYPTO
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import JoinRequest
from ndks.word_list import check_spoken_words, spoken_words
from ndks_protocol.sealed_package import ephemeral_of, unseal

DATE = "2026-11-28T16:04:13+00:00"
UID = "0123456789ABCDEF"
PUBLIC_KEY = "09" + "00" * 31
REQUEST: dict[str, Any] = {"ndks_join_request": 1, "date": DATE, "network": "office", "uid": UID}
REQUEST |= {"label": "Alice's unit", "public_key": PUBLIC_KEY}
PACKAGE: dict[str, Any] = {"ndks_join_package": 1, "date": DATE, "network": "office", "uid": UID}
PACKAGE |= {"lane": 3, "sealed": "ab" * 100}
VECTORS = load_vectors("joining_files")
KINDS = {"request": (JoinRequest, REQUEST), "package": (JoinPackage, PACKAGE)}
TEXTS = {
    "empty": b"",
    "no JSON": json.dumps(PACKAGE).encode()[:-20],
    "no UTF-8": b"\xff",
    "a list": b"[]",
    "nested without end": b"[" * 100_000,
    "a field twice": json.dumps(PACKAGE)[:-1].encode() + b', "lane": 4}',
    "not a number": json.dumps(PACKAGE).replace("3", "NaN").encode(),
}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_good_files(kind: str, tmp_path: Path) -> None:
    read, values = KINDS[kind]
    file = read.load(written(tmp_path, json.dumps(values).encode()))
    assert (file.serial_number, file.date, file.network) == (UID, DATE, "office")
    assert file.words == spoken_words(json.dumps(values).encode())
    copy = tmp_path / "copy"
    file.save(copy)
    assert copy.read_bytes() == (tmp_path / "file").read_bytes()
    assert read.load(str(copy)) == file


def test_what_a_request_and_a_package_say(tmp_path: Path) -> None:
    request = JoinRequest.load(written(tmp_path, json.dumps(REQUEST).encode()))
    assert (request.label, request.public_key.hex()) == ("Alice's unit", PUBLIC_KEY)
    package = JoinPackage.load(written(tmp_path, json.dumps(PACKAGE).encode()))
    assert (package.lane, package.sealed.hex()) == (3, PACKAGE["sealed"])


@pytest.mark.parametrize("case", VECTORS["good"])
def test_published_files(case: dict[str, str], tmp_path: Path) -> None:
    file = KINDS[case["kind"]][0].load(written(tmp_path, case["text"].encode()))
    values = json.loads(case["text"])
    assert file.words == case["words"]
    assert (file.serial_number, file.date, file.network) == (values["uid"], values["date"], values["network"])


def test_published_package_opens_with_the_key_of_the_published_request() -> None:
    request, _, package = (
        KINDS[case["kind"]][0].parsed(case["text"].encode(), "the file") for case in VECTORS["good"][:3]
    )
    assert isinstance(request, JoinRequest)
    assert isinstance(package, JoinPackage)
    private_key = X25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["private_key"]))
    shared = private_key.exchange(X25519PublicKey.from_public_bytes(ephemeral_of(package.sealed)))
    assert unseal(CRYPTO, shared, request.public_key, package.sealed).hex() == VECTORS["fields"]


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: f"{case['kind']} {case['why']}")
def test_bad_files(case: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ndks.JoiningFileError) as refused:
        KINDS[case["kind"]][0].load(written(tmp_path, case["text"].encode()))
    assert (refused.value.code, refused.value.exit_status) == ("JOINING_FILE", 1)
    assert str(refused.value).isprintable()
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_bad_texts(kind: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ndks.JoiningFileError):
        KINDS[kind][0].load(written(tmp_path, content))


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_cannot_be_read(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ndks.FileError, match="there is no"):
        KINDS[kind][0].load(tmp_path / "none")
    with pytest.raises(ndks.FileError):
        KINDS[kind][0].load(tmp_path)
    with pytest.raises(ndks.FileError, match="too large"):
        KINDS[kind][0].load(written(tmp_path, b" " * ((1 << 20) + 1)))


def test_one_kind_is_not_the_other(tmp_path: Path) -> None:
    with pytest.raises(ndks.JoiningFileError, match="is no package"):
        JoinPackage.load(written(tmp_path, json.dumps(REQUEST).encode()))
    with pytest.raises(ndks.JoiningFileError, match="is no request"):
        JoinRequest.load(written(tmp_path, json.dumps(PACKAGE).encode()))


# Six words


def reference_words(content: bytes) -> str:
    """Return the words as bits of text: 11 for each word."""
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256(content).digest())
    return " ".join(Mnemonic("english").wordlist[int(bits[11 * place : 11 * place + 11], 2)] for place in range(6))


@given(st.binary())
def test_words_are_those_of_the_first_66_bits(content: bytes) -> None:
    assert spoken_words(content) == reference_words(content)
    check_spoken_words(content, spoken_words(content), "this file")


@given(st.binary(), st.randoms(use_true_random=False))
def test_words_as_people_type_them(content: bytes, chance: random.Random) -> None:
    typed = ""
    for word in spoken_words(content).split():
        part = word[: chance.randint(4, 8)]
        typed += chance.choice([part, part.upper(), part.title()]) + chance.choice([" ", "\n", "\t "])
    check_spoken_words(content, f" {typed}", "this file")


@given(st.binary(), st.integers(0, 5), st.integers(0, 2047))
def test_one_other_word_is_enough(content: bytes, place: int, other: int) -> None:
    words = spoken_words(content).split()
    word = Mnemonic("english").wordlist[other]
    changed = [*words[:place], word, *words[place + 1 :]]
    if changed != words:
        with pytest.raises(ndks.WordsDiffer) as refused:
            check_spoken_words(content, " ".join(changed), "this file")
        assert str(refused.value) == f"the words of this file are others, at place {place + 1} of 6"


@given(st.binary(min_size=1), st.data())
def test_one_other_bit_of_the_file_is_enough(content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 8 * len(content) - 1))
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    with pytest.raises(ndks.WordsDiffer):
        check_spoken_words(bytes(changed), spoken_words(content), "this file")


@pytest.mark.parametrize("typed", ["", "zoo", "zoo " * 7, "zoo zoo zoo zoo zoo zzzz"])
def test_what_is_not_six_words(typed: str) -> None:
    with pytest.raises(ndks.UsageError):
        check_spoken_words(b"", typed, "this file")
