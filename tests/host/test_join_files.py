# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests and packages are read strictly, and their six words are those of the file."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic
from support.reference import load_vectors

import ndks
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import JoinRequest
from ndks.word_list import check_spoken_words, spoken_words

DATE = "2026-11-28T16:04:13+00:00"
UID = "0123456789ABCDEF"
PUBLIC_KEY = "09" + "00" * 31
REQUEST: dict[str, Any] = {"ndks_join_request": 1, "date": DATE, "network": "office", "uid": UID}
REQUEST |= {"label": "Alice's unit", "public_key": PUBLIC_KEY}
PACKAGE: dict[str, Any] = {"ndks_join_package": 1, "date": DATE, "network": "office", "uid": UID}
PACKAGE |= {"lane": 3, "sealed": "ab" * 100}
KINDS = {"request": (JoinRequest, REQUEST), "package": (JoinPackage, PACKAGE)}
OF_ANY = {
    "no date": {"date": "yesterday"},
    "a date on two lines": {"date": "2026-11-28\n16:04:13+00:00"},
    "a date that is a number": {"date": 20261128},
    "a name on two lines": {"network": "of\nfice"},
    "a name with an escape": {"network": "\x1b[2J"},
    "a name of 33 bytes": {"network": "é" * 16 + "x"},
    "a slash in the name": {"network": "a/b"},
    "a name that is none": {"network": None},
    "a serial number too short": {"uid": UID[:-1]},
    "a serial number in lower case": {"uid": UID.lower()},
    "a serial number and a line": {"uid": f"{UID}\n"},
    "a serial number that is a number": {"uid": 123456789},
    "a field that nobody knows": {"commitments": []},
}
OF_REQUESTS = {
    "a label on two lines": {"label": "a\nb"},
    "a label that is too long": {"label": "l" * 65},
    "a label that is none": {"label": None},
    "a key too short": {"public_key": PUBLIC_KEY[:-2]},
    "a key too long": {"public_key": PUBLIC_KEY + "00"},
    "a key of other digits": {"public_key": PUBLIC_KEY[:-1] + "g"},
    "a key with spaces": {"public_key": f" {PUBLIC_KEY}"},
    "a key in upper case": {"public_key": "AB" * 32},
    "a key that is a list": {"public_key": [9]},
}
OF_PACKAGES = {
    "no network": {"network": ""},
    "lane 0": {"lane": 0},
    "a lane too high": {"lane": 65536},
    "a lane that is true": {"lane": True},
    "a lane that is a text": {"lane": "3"},
    "sealed in other digits": {"sealed": "xy" * 100},
    "half a byte": {"sealed": "ab" * 100 + "a"},
    "sealed is a number": {"sealed": 3},
}
BAD = [
    *((kind, why, {**KINDS[kind][1], **change}) for kind in KINDS for why, change in OF_ANY.items()),
    *(("request", why, {**REQUEST, **change}) for why, change in OF_REQUESTS.items()),
    *(("package", why, {**PACKAGE, **change}) for why, change in OF_PACKAGES.items()),
    *(
        (kind, f"without {name}", {other: KINDS[kind][1][other] for other in KINDS[kind][1] if other != name})
        for kind in KINDS
        for name in KINDS[kind][1]
    ),
    *(
        (kind, f"version {version!r}", KINDS[kind][1] | {f"ndks_join_{kind}": version})
        for kind in KINDS
        for version in (0, 2, "1", None, [1])
    ),
]
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


@pytest.mark.parametrize(
    ("kind", "values"), [pytest.param(kind, values, id=f"{kind} {why}") for kind, why, values in BAD]
)
def test_bad_fields(kind: str, values: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ndks.JoiningFileError) as refused:
        KINDS[kind][0].load(written(tmp_path, json.dumps(values).encode()))
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


def test_published_spoken_words() -> None:
    for case in load_vectors("words")["spoken"]:
        assert spoken_words(bytes.fromhex(case["content"])) == case["words"]


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
        assert str(refused.value) == f"the words of this file are others: {place + 1} of 6 differ"


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
