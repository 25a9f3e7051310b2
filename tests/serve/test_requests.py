# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What clients send: values, or the error of the standard."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_gateways.keys import refusals, requests
from ndks_gateways.keys.refusals import BadRequest
from ndks_gateways.keys.requests import KeyRequest, Sizes

SIZES = Sizes()
ID = "550e8400-e29b-41d4-a716-446655440000"
GOOD: tuple[tuple[dict[str, Any], KeyRequest], ...] = (
    ({}, KeyRequest(1, 32)),
    ({"number": 3, "size": 128}, KeyRequest(3, 16)),
    ({"number": "3", "size": "0128"}, KeyRequest(3, 16)),
    ({"number": 128, "size": 8192}, KeyRequest(128, 1024)),
    ({"number": 1, "size": 64}, KeyRequest(1, 8)),
    ({"number": None, "size": None, "extension_mandatory": None, "additional_slave_SAE_IDs": None}, KeyRequest(1, 32)),
    ({"extension_mandatory": [], "extension_optional": [{"x": 1}], "unknown": {}}, KeyRequest(1, 32)),
    ({"additional_slave_SAE_IDs": ["C", "é"]}, KeyRequest(1, 32, ("C", "é"))),
)
BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"number": 0}, refusals.NUMBER),
    ({"number": -1}, refusals.NUMBER),
    ({"number": 129}, refusals.NUMBER),
    ({"number": 10**30}, refusals.NUMBER),
    ({"number": "-1"}, refusals.FORMAT),
    ({"number": "1e1"}, refusals.FORMAT),
    ({"number": "٣"}, refusals.FORMAT),
    ({"number": " 1"}, refusals.FORMAT),
    ({"number": ""}, refusals.FORMAT),
    ({"number": True}, refusals.FORMAT),
    ({"number": 1.0}, refusals.FORMAT),
    ({"number": [1]}, refusals.FORMAT),
    ({"size": 100}, refusals.SIZE_OF_BYTES),
    ({"size": 56}, refusals.SIZE),
    ({"size": 8200}, refusals.SIZE),
    ({"size": 0}, refusals.SIZE),
    ({"extension_mandatory": [{"x": 1}]}, refusals.MANDATORY),
    ({"extension_mandatory": {}}, refusals.FORMAT),
    ({"additional_slave_SAE_IDs": "C"}, refusals.FORMAT),
    ({"additional_slave_SAE_IDs": [1]}, refusals.FORMAT),
    ({"additional_slave_SAE_IDs": [""]}, refusals.FORMAT),
    ({"additional_slave_SAE_IDs": ["\ud800"]}, refusals.FORMAT),
)
BAD_IDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, refusals.FORMAT),
    ({"key_IDs": []}, refusals.FORMAT),
    ({"key_IDs": ID}, refusals.FORMAT),
    ({"key_IDs": [ID]}, refusals.FORMAT),
    ({"key_IDs": [{}]}, refusals.FORMAT),
    ({"key_IDs": [{"key_ID": ID.replace("-", "", 1)}]}, refusals.FORMAT),
    ({"key_IDs": [{"key_ID": "{" + ID + "}"}]}, refusals.FORMAT),
    ({"key_IDs": [{"key_ID": ID + "\n"}]}, refusals.FORMAT),
    ({"key_IDs": [{"key_ID": 5}]}, refusals.FORMAT),
    ({"key_IDs": [{"key_ID": ID}, {"key_ID": ID.upper()}]}, refusals.TWICE),
    ({"key_IDs": [{"key_ID": ID}, {"key_ID": ID.replace("-", "")}]}, refusals.TWICE),
    ({"key_IDs": [{"key_ID": f"{n:08x}{ID[8:]}"} for n in range(129)]}, refusals.NUMBER),
)


@pytest.mark.parametrize(("values", "expected"), GOOD)
def test_a_request_for_new_keys(values: dict[str, Any], expected: KeyRequest) -> None:
    assert requests.key_request(values, SIZES) == expected


@pytest.mark.parametrize(("values", "why"), BAD)
def test_a_bad_request_for_new_keys(values: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRequest) as refused:
        requests.key_request(values, SIZES)
    assert (str(refused.value), refused.value.status) == (why, 400)


@pytest.mark.parametrize(("values", "why"), BAD_IDS)
def test_a_bad_request_for_keys_by_id(values: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRequest) as refused:
        requests.ids_request(values, SIZES)
    assert str(refused.value) == why


def test_ids_of_get_and_of_post_are_the_same() -> None:
    expected = [bytes.fromhex(ID.replace("-", ""))]
    assert requests.ids_request({"key_ID": ID}, SIZES) == expected
    assert requests.ids_request({"key_IDs": [{"key_ID": ID.upper(), "key_ID_extension": {}}]}, SIZES) == expected
    assert requests.ids_request({"key_ID": ID.replace("-", "")}, SIZES) == expected


def test_a_body_is_an_object_or_nothing() -> None:
    assert requests.from_body(b"") == requests.from_body(b" \r\n") == requests.from_body(b"{}") == {}
    for body in (b"[]", b"1", b"null", b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff", b"[" * 100_000):
        with pytest.raises(BadRequest, match=refusals.FORMAT):
            requests.from_body(body)
    with pytest.raises(BadRequest, match=refusals.FORMAT):
        requests.from_body(b'{"number": ' + b"9" * 5000 + b"}")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key_ID", "x"]), inner, max_size=2),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["number", "size", "key_ID", "key_IDs", "extension_mandatory", "extension_optional", "additional_slave_SAE_IDs"]
)


@given(st.dictionaries(_NAMES, _VALUES, max_size=4))
def test_whatever_is_sent_gets_an_answer_or_a_bad_request(values: dict[str, Any]) -> None:
    for read in (requests.key_request, requests.ids_request):
        try:
            read(values, SIZES)
        except BadRequest:
            continue
