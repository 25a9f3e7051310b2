# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SKIP (draft-cisco-skip-02): its methods, and who may not use them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ndks_gateways.keys import refusals
from ndks_gateways.serving import answers

from .fakes import FakeKeys
from .key_servers import Running, running


@pytest.fixture(scope="module")
def sites(certificates: Path) -> Iterator[tuple[Running, Running]]:
    keys, saes = FakeKeys(), {"here": ["SAE_A", "SAE_B"], "there": ["SAE_C"]}
    a = {"local": "Alice", "remote": ["Bob", "Carol"], "clients": ["ENC_A", "SAE_A"]}
    b = {"local": "Bob", "remote": ["Alice"], "clients": ["ENC_B"]}
    with running(certificates, keys, skip=a, sae=saes) as first, running(certificates, keys, skip=b, sae=saes) as other:
        yield first, other


@pytest.mark.parametrize(
    ("query", "size"), [("", 32), ("&size=128", 16), ("&size=8192", 1024), ("&unknown=1", 32)], ids=repr
)
def test_keys_of_both_ends(sites: tuple[Running, Running], query: str, size: int) -> None:
    a, b = sites[0].client("ENC_A"), sites[1].client("ENC_B")
    new = a.get(f"/key?remoteSystemID=Bob{query}").values
    assert (len(bytes.fromhex(new["keyId"])), len(bytes.fromhex(new["key"]))) == (16, size)
    path = f"/key/{new['keyId'].upper()}?remoteSystemID=Alice"
    assert b.get(path).values == new
    assert b.get(path).values == {"message": refusals.NOT_FOUND, "details": [{"reason": refusals.TAKEN}]}


def test_entropy(sites: tuple[Running, Running]) -> None:
    client = sites[0].client("ENC_A")
    first, second = client.get("/entropy").values, client.get("/entropy").values
    assert first["minentropy"] == 256
    assert len(bytes.fromhex(first["randomStr"])) == 32
    assert first != second
    for asked, given in ((64, 64), (1, 8), (100, 104), (8192, 8192)):  # at least as much as it is asked for
        said = client.get(f"/entropy?minentropy={asked}").values
        assert (said["minentropy"], 8 * len(bytes.fromhex(said["randomStr"]))) == (given, given)


def test_an_address_may_end_with_a_slash(sites: tuple[Running, Running]) -> None:
    assert sites[0].client("ENC_A").get("//capabilities").values["localSystemID"] == "Alice"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/key", 400, refusals.FORMAT),
        ("/key?remoteSystemID=", 400, refusals.FORMAT),
        ("/key?remoteSystemID=Eve", 400, refusals.FORMAT),
        ("/key?remoteSystemID=Alice", 400, refusals.FORMAT),
        ("/key?remoteSystemID=Bob&remoteSystemID=Carol", 400, refusals.FORMAT),
        ("/key?remoteSystemID=Bob&size=x", 400, refusals.FORMAT),
        ("/key?remoteSystemID=Bob&size=12", 400, refusals.SIZE_OF_BYTES),
        ("/key?remoteSystemID=Bob&size=9000", 400, refusals.SIZE),
        ("/entropy?minentropy=0", 400, refusals.SIZE),
        (f"/key/{'0' * 31}?remoteSystemID=Bob", 400, refusals.FORMAT),
        (f"/key/{'0' * 32}?remoteSystemID=Bob", 400, refusals.NOT_FOUND),
        (f"/key/{'0' * 32}", 400, refusals.FORMAT),
        ("/key/0/1", 404, answers.NO_PATH),
        ("/capabilities/", 404, answers.NO_PATH),
        ("/key/?remoteSystemID=Bob", 400, refusals.FORMAT),
        ("/api/v1/keys/SAE_B/enc_keys", 404, answers.NO_PATH),
    ],
)
def test_refusals(sites: tuple[Running, Running], path: str, status: int, message: str) -> None:
    said = sites[0].client("ENC_A").get(path)
    assert (said.status, said.values) == (status, {"message": message})


def test_only_get_and_only_encryptors(sites: tuple[Running, Running]) -> None:
    said = sites[0].client("ENC_A").post("/key?remoteSystemID=Bob")
    assert (said.status, said.values, said.headers["Allow"]) == (405, {"message": answers.NO_METHOD}, "GET")
    assert sites[0].client("SAE_B").get("/capabilities").status == 404
    assert sites[0].client("ENC_B").get("/capabilities").status == 401
    both = sites[0].client("SAE_A")
    assert both.get("/capabilities").status == both.get("/api/v1/keys/SAE_B/status").status == 200


def test_the_key_of_another_pair_of_systems_is_refused(sites: tuple[Running, Running]) -> None:
    new = sites[0].client("ENC_A").get("/key?remoteSystemID=Carol").values
    said = sites[1].client("ENC_B").get(f"/key/{new['keyId']}?remoteSystemID=Alice")
    assert (said.status, said.values) == (400, {"message": refusals.NOT_FOUND})


def test_a_sae_gets_no_key_of_systems(sites: tuple[Running, Running]) -> None:
    new = sites[0].client("ENC_A").get("/key?remoteSystemID=Bob").values
    digits = new["keyId"]
    uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    said = sites[1].client("SAE_B").get(f"/api/v1/keys/Alice/dec_keys?key_ID={uuid}")
    assert said.status == 401
