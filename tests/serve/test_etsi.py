# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""ETSI GS QKD 014 V1.1.1 over HTTP: what is answered, and each error with its message."""

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ndks_gateways.keys import refusals
from ndks_gateways.keys.refusals import BadRequest, NotNow
from ndks_gateways.serving import answers

from .key_servers import Client, Running, running

ENC, DEC = "/api/v1/keys/SAE_B/enc_keys", "/api/v1/keys/SAE_A/dec_keys"


@pytest.fixture(scope="module")
def server(certificates: Path) -> Iterator[Running]:
    """One server for SAEs of both sites, so that both ends of a key can ask it."""
    sae = {"here": ["SAE_A", "SAE_B", "SAE_C", "SAE_D"], "there": []}
    with running(certificates, sae=sae, limits={"wrong_ids": 1_000_000, "requests": 1_000_000}) as found:
        yield found


@pytest.fixture(scope="module")
def a(server: Running) -> Client:
    return server.client("SAE_A")


@pytest.fixture(scope="module")
def b(server: Running) -> Client:
    return server.client("SAE_B")


def ids(*said: dict[str, Any]) -> dict[str, Any]:
    return {"key_IDs": [{"key_ID": key["key_ID"]} for each in said for key in each["keys"]]}


def test_status_says_what_is_configured(a: Client) -> None:
    said = a.get("/api/v1/keys/SAE_B/status")
    assert said.status == 200
    assert said.headers["Content-Type"] == "application/json"
    assert said.values == {
        "source_KME_ID": "KME_A",
        "target_KME_ID": "KME_B",
        "master_SAE_ID": "SAE_A",
        "slave_SAE_ID": "SAE_B",
        "key_size": 256,
        "stored_key_count": 100_000,
        "max_key_count": 100_000,
        "max_key_per_request": 128,
        "max_key_size": 8192,
        "min_key_size": 64,
        "max_SAE_ID_count": 1,
    }


def test_both_ends_get_the_same_keys_and_only_once(a: Client, b: Client) -> None:
    new = a.keys("SAE_B", "enc_keys", {"number": 3, "size": 128})
    assert new.status == 200
    for key in new.values["keys"]:
        assert str(uuid.UUID(key["key_ID"])) == key["key_ID"]
        assert len(base64.b64decode(key["key"], validate=True)) == 16
    assert b.keys("SAE_A", "dec_keys", ids(new.values)).values == new.values
    again = b.keys("SAE_A", "dec_keys", ids(new.values))
    assert again.status == 400
    assert again.values == {"message": refusals.NOT_FOUND, "details": [{"reason": refusals.TAKEN}]}


@pytest.mark.parametrize("reason", [refusals.TAKEN, refusals.TOO_OLD, refusals.REVOKED])
def test_a_key_that_is_gone_has_the_message_of_the_standard(server: Running, b: Client, reason: str) -> None:
    server.keys.problem = BadRequest(reason)
    try:
        said = b.get(f"{DEC}?key_ID={uuid.UUID(int=1)}")
    finally:
        server.keys.problem = None
    assert (said.status, said.values["message"], said.reason) == (400, refusals.NOT_FOUND, reason)
    assert f'reason="{reason}"' in server.monitor("/metrics")[1]


def test_no_client_keeps_an_answer_in_a_cache(a: Client, b: Client) -> None:
    for said in (a.get(ENC), b.get(f"{DEC}?key_ID={uuid.UUID(int=1)}")):
        assert said.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "body", "number", "size"),
    [
        ("GET", ENC, None, 1, 32),
        ("GET", f"{ENC}?number=2&size=64", None, 2, 8),
        ("GET", f"{ENC}?unknown=1", None, 1, 32),
        ("POST", ENC, None, 1, 32),
        ("POST", ENC, b"", 1, 32),
        ("POST", ENC, b" \r\n", 1, 32),
        ("POST", ENC, {}, 1, 32),
        ("POST", ENC, {"number": 128, "size": 8192}, 128, 1024),
        ("POST", ENC, {"number": "2", "size": "512"}, 2, 64),
        ("POST", ENC, {"number": None, "size": None, "extension_mandatory": None}, 1, 32),
        ("POST", ENC, {"extension_mandatory": [], "additional_slave_SAE_IDs": []}, 1, 32),
        ("POST", ENC, {"extension_optional": [{"a": {"b": [1.5]}}], "unknown": {"c": None}}, 1, 32),
        ("POST", ENC, {"number": 1, "size": 256, "additional_target_sae_ids": []}, 1, 32),  # etsi014-client sends it
        ("GET", f"{ENC}?extension_optional=%7B%22a%22%3A+1%7D", None, 1, 32),  # QKD_Mate
        ("GET", f"{ENC}/?number=2", None, 2, 32),
        ("GET", f"/{ENC}", None, 1, 32),  # after an address that ends with a slash
        ("POST", f"{ENC}?number=2&size=64", None, 2, 8),
        ("POST", f"{ENC}?number=2", {"size": 64}, 1, 8),
        ("POST", "/api/v1/keys//SAE_B/enc_keys", b'\xef\xbb\xbf{"number": 2}', 2, 32),  # .NET begins texts so
    ],
)
def test_forms_of_enc_keys(a: Client, method: str, path: str, body: Any, number: int, size: int) -> None:
    said = a.ask(method, path, body)
    assert said.status == 200
    assert [len(base64.b64decode(each["key"])) for each in said.values["keys"]] == [size] * number


def test_forms_of_dec_keys(a: Client, b: Client) -> None:
    keys = a.keys("SAE_B", "enc_keys", {"number": 5}).values["keys"]
    assert b.get(f"{DEC}?key_ID={keys[0]['key_ID']}").values == {"keys": keys[:1]}
    extended = {"key_IDs": [{"key_ID": keys[1]["key_ID"].upper(), "key_ID_extension": {}}], "key_IDs_extension": {}}
    assert b.post(DEC, extended).values == {"keys": keys[1:2]}
    assert b.get(f"{DEC}?key_ID={keys[2]['key_ID'].replace('-', '')}").values == {"keys": keys[2:3]}
    assert b.post(f"{DEC}?key_ID={keys[3]['key_ID']}").values == {"keys": keys[3:4]}
    assert b.ask("POST", DEC, ids({"keys": keys[4:]}), **{"Content-Type": "text/plain"}).values == {"keys": keys[4:]}


@pytest.mark.parametrize(
    "query", ["key_ID={0}&key_ID={1}", "key_IDs={0},{1}", "key_IDs={0}", "key_IDs={0}&key_IDs={1}"]
)
def test_several_ids_in_a_query_are_refused_and_stay(a: Client, b: Client, query: str) -> None:
    """The standard has GET for one key_ID only (6.4). Clients that ask so for more get no key, and can ask by POST."""
    keys = a.keys("SAE_B", "enc_keys", {"number": 2}).values
    said = b.get(f"{DEC}?{query.format(*(each['key_ID'] for each in keys['keys']))}")
    assert (said.status, said.values) == (400, {"message": refusals.FORMAT})
    assert b.post(DEC, ids(keys)).values == keys


@pytest.mark.parametrize(
    ("body", "message"),
    [
        *[({"number": each}, refusals.NUMBER) for each in (0, -1, 129, 10**30, "0")],
        *[
            ({"number": each}, refusals.FORMAT)
            for each in (1.0, True, "1.0", "+1", " 1", "", [], {}, "1" * 10, "\u0661")
        ],
        *[({"size": each}, refusals.SIZE_OF_BYTES) for each in (257, 1, "65")],
        *[({"size": each}, refusals.SIZE) for each in (0, 56, 8200, -8, 8 * 10**30)],
        *[({"size": each}, refusals.FORMAT) for each in (256.0, False, "256 ", [256])],
        ({"extension_mandatory": [{"route": "direct"}]}, refusals.MANDATORY),
        ({"extension_mandatory": {"route": "direct"}}, refusals.FORMAT),
        ({"additional_slave_SAE_IDs": ["SAE_D"]}, refusals.GROUP),
        ({"additional_slave_SAE_IDs": ["SAE_C", "SAE_D"]}, refusals.GROUP),
        ({"additional_slave_SAE_IDs": ["SAE_B"]}, refusals.GROUP),
        ({"additional_slave_SAE_IDs": "SAE_C"}, refusals.FORMAT),
        ({"additional_slave_SAE_IDs": [1]}, refusals.FORMAT),
        ({"additional_slave_SAE_IDs": ["\ud800"]}, refusals.FORMAT),
        *[(each, refusals.FORMAT) for each in (b"{", b"[]", b"1", b"null", b'"a"', b"\xff", b"\x1f\x8b\x08\x00")],
        (b'{"number": 1, "number": 2}', refusals.FORMAT),
        (b'{"number": NaN}', refusals.FORMAT),
        (b"[" * 60_000, refusals.FORMAT),
        (b'{"number": ' + b"1" * 50_000 + b"}", refusals.FORMAT),
        (b" " * 70_000, answers.TOO_LARGE),
    ],
)
def test_wrong_requests_for_new_keys(a: Client, body: Any, message: str) -> None:
    said = a.post(ENC, body)
    assert (said.status, said.values) == (400, {"message": message})


@pytest.mark.parametrize("query", ["number=1&number=2", "number=", "number=x", "size=1e3", "size=%00", "number=1.0"])
def test_wrong_queries(a: Client, query: str) -> None:
    said = a.get(f"{ENC}?{query}")
    assert (said.status, said.values) == (400, {"message": refusals.FORMAT})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, refusals.FORMAT),
        ({}, refusals.FORMAT),
        ({"key_IDs": []}, refusals.FORMAT),
        ({"key_IDs": {}}, refusals.FORMAT),
        ({"key_IDs": [str(uuid.UUID(int=1))]}, refusals.FORMAT),
        ({"key_IDs": [{}]}, refusals.FORMAT),
        ({"key_IDs": [{"key_ID": None}]}, refusals.FORMAT),
        ({"key_IDs": [{"key_ID": "g" * 32}]}, refusals.FORMAT),
        ({"key_IDs": [{"key_ID": "0" * 31}]}, refusals.FORMAT),
        ({"key_IDs": [{"key_ID": f"{{{uuid.UUID(int=1)}}}"}]}, refusals.FORMAT),
        ({"key_IDs": [{"key_ID": str(uuid.UUID(int=each))} for each in range(129)]}, refusals.NUMBER),
        ({"key_IDs": [{"key_ID": str(uuid.UUID(int=1))}] * 2}, refusals.TWICE),
        ({"key_IDs": [{"key_ID": str(uuid.UUID(int=1))}]}, refusals.NOT_FOUND),
    ],
)
def test_wrong_requests_for_keys_by_id(b: Client, body: Any, message: str) -> None:
    said = b.post(DEC, body)
    assert (said.status, said.values) == (400, {"message": message})


def test_a_batch_with_a_wrong_id_takes_nothing(a: Client, b: Client) -> None:
    new = a.keys("SAE_B", "enc_keys", {"number": 2}).values
    mixed = ids(new, {"keys": [{"key_ID": str(uuid.UUID(int=7))}]})
    assert b.post(DEC, mixed).values == {"message": refusals.NOT_FOUND}
    assert b.post(DEC, ids(new)).values == new


def test_keys_of_others_are_refused(server: Running, a: Client, b: Client) -> None:
    new = a.keys("SAE_B", "enc_keys").values
    for client, master in ((server.client("SAE_C"), "SAE_A"), (b, "SAE_C"), (a, "SAE_A"), (a, "SAE_B")):
        said = client.keys(master, "dec_keys", ids(new))
        assert (said.status, said.values) == (401, {"message": refusals.NOT_YOURS})
    assert b.post(DEC, ids(new)).values == new


def test_saes_that_are_not_configured_are_no_masters_and_no_slaves(server: Running, a: Client) -> None:
    before = server.keys.calls
    said = a.keys("SAE_Z", "enc_keys")
    assert (said.status, said.values) == (404, {"message": answers.UNKNOWN_SAE})
    said = a.keys("SAE_Z", "dec_keys", {"key_IDs": [{"key_ID": str(uuid.UUID(int=1))}]})
    assert (said.status, said.values) == (401, {"message": refusals.NOT_YOURS})
    assert server.keys.calls == before


def test_an_sae_may_be_its_own_slave(a: Client) -> None:
    """So qkdsec tests a server, with one certificate."""
    new = a.keys("SAE_A", "enc_keys").values
    assert a.get("/api/v1/keys/SAE_A/status").status == 200
    assert a.keys("SAE_A", "dec_keys", ids(new)).values == new


def test_a_group_shares_keys_and_each_member_gets_them_once(server: Running, a: Client, b: Client) -> None:
    new = a.keys("SAE_B", "enc_keys", {"additional_slave_SAE_IDs": ["SAE_C"]}).values
    c, d = server.client("SAE_C"), server.client("SAE_D")
    assert b.post(DEC, ids(new)).values == c.post(DEC, ids(new)).values == new
    assert [each.post(DEC, ids(new)).status for each in (b, c, d)] == [400, 400, 401]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/api/v1/keys/SAE_Z/status", 404, answers.UNKNOWN_SAE),
        ("GET", "/", 404, answers.NO_PATH),
        ("GET", "/api/v1/keys/SAE_B/", 404, answers.NO_PATH),
        ("GET", "/api/v1/keys//enc_keys", 404, answers.NO_PATH),
        ("GET", "/api/v2/keys/SAE_B/enc_keys", 404, answers.NO_PATH),
        ("GET", "/capabilities", 404, answers.NO_PATH),
        ("POST", "/api/v1/keys/SAE_B/status", 405, answers.NO_METHOD),
        ("DELETE", ENC, 405, answers.NO_METHOD),
        ("PUT", DEC, 405, answers.NO_METHOD),
        ("POST", "/openapi.json", 405, answers.NO_METHOD),
    ],
)
def test_other_paths_and_methods(a: Client, method: str, path: str, status: int, message: str) -> None:
    said = a.ask(method, path)
    assert (said.status, said.values) == (status, {"message": message})
    assert ("Allow" in said.headers) == (status == 405)


def test_names_in_paths_are_decoded(server: Running) -> None:
    name = "SAE \u00e9/%2F"
    changes = {"here": ["SAE_A"], "there": [name]}
    with running(server.directory, sae=changes, groups={"G": [name, "SAE_A"]}) as other:
        said = other.client("SAE_A").get("/api/v1/keys/SAE%20%C3%A9%2F%252F/status")
        assert said.values["slave_SAE_ID"] == name


def test_a_unit_that_is_away_is_503_with_a_time(server: Running, a: Client, b: Client) -> None:
    new = a.keys("SAE_B", "enc_keys").values
    server.keys.problem = NotNow(refusals.UNIT_AWAY, 7)
    try:
        for said in (a.get("/api/v1/keys/SAE_B/status"), a.post(ENC), b.post(DEC, ids(new))):
            assert (said.status, said.values) == (503, {"message": refusals.UNIT_AWAY})
            assert said.headers["Retry-After"] == "7"
    finally:
        server.keys.problem = None
    assert b.post(DEC, ids(new)).values == new


def test_a_bug_is_503_and_says_nothing(server: Running, a: Client) -> None:
    server.keys.problem = ZeroDivisionError("secret")
    try:
        said = a.post(ENC)
    finally:
        server.keys.problem = None
    assert (said.status, said.values) == (503, {"message": answers.BROKEN})
