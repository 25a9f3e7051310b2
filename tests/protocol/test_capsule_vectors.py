# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests with capsules.json and suite.json, by the reference implementation and by the protocol package."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from support.public_network import public_network
from support.reference import clear_header, data_of, load_vectors, message

from ndks.network.network_file import Network
from ndks_protocol.capsule import HeaderKeys, MessageKeys, Opener, Window, header_keys
from ndks_protocol.commands import CIPHERS, SUITES
from ndks_protocol.errors import UnitError
from protocol.capsules import chunks_of, keys_of, new_header, opened, sealed
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("capsules")
SUITE_CAPSULES = load_vectors("suite")["capsules"]


def network_of(case: dict[str, Any]) -> Network:
    values = VECTORS["networks"][case.get("network", 0)]
    operators = {name: values[name] for name in ("f1", "f2") if name in values}
    parameters = {"p1": values["p1"], "p2": values["p2"], "digits": values["d"], **operators}
    network = replace(public_network(), secret=bytes.fromhex(values["secret"]), **parameters)
    return replace(network, suite=SUITES[case["suite"]], cipher=CIPHERS[case.get("cipher", 0)])


def test_the_first_network_is_that_of_suite_json() -> None:
    assert VECTORS["networks"][0] == load_vectors("suite")["network"]


def test_good_capsules() -> None:
    for case in VECTORS["good"]:
        network, binding_id = network_of(case), bytes.fromhex(case["binding_id"])
        data = bytes(i % 251 for i in range(case["size"]))
        header = new_header(network, case["lane"], case["n"], bytes.fromhex(case["salt"]))
        capsule = sealed(network, header, data, keys_of(network, header, binding_id))
        if "capsule" in case:
            assert capsule.hex() == case["capsule"]
        else:
            assert hashlib.sha256(capsule).hexdigest() == case["sha256"]
        if case["lane"] != 1:
            assert opened(network, capsule, binding_id) == data


def test_capsules_of_another_implementation() -> None:
    for case in SUITE_CAPSULES:
        network = network_of(case)
        capsule, data = bytes.fromhex(case["capsule"]), bytes.fromhex(case["data"])
        salt, binding_id = bytes.fromhex(case["salt"]), bytes.fromhex(case["binding_id"])
        sent = message(network, case["lane"], case["n"], data, salt=salt, binding_id=binding_id)
        assert sent.capsule == capsule
        assert data_of(network, capsule, binding_id) == data
        header = new_header(network, case["lane"], case["n"], salt)
        assert header.clear == clear_header(network, capsule)
        assert sealed(network, header, data, keys_of(network, header, binding_id)) == capsule
        assert opened(network, capsule, binding_id) == data


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: case["why"])
def test_bad_capsules(case: dict[str, Any]) -> None:
    assert case["own_lane"] == 1
    with pytest.raises(UnitError, match=f"^{case['error']}$"):
        opened(network_of(case), bytes.fromhex(case["capsule"]), bytes.fromhex(case["binding_id"]))


def test_an_unknown_binding_is_not_checked() -> None:
    cases = [case for case in VECTORS["bad"] if case["error"] == "BINDING"]
    for case in cases:
        assert opened(network_of(case), bytes.fromhex(case["capsule"]), b"") is not None
    assert cases


def test_another_generator_is_found_before_another_binding() -> None:
    """A wrong key check value says nothing about the laptop, because the sync word of a wrong key is meaningless."""
    (case,) = [case for case in VECTORS["bad"] if case["why"] == "vernam: a paper bit, another laptop"]
    network, capsule = network_of(case), bytes.fromhex(case["capsule"])
    header = HeaderKeys(CRYPTO, header_keys(CRYPTO, network.secret)).unmask(capsule[:37])
    with pytest.raises(UnitError, match="DIVERGED"):
        Opener(CRYPTO, keys_of(network, header, bytes(15) + b"\1")).open(0, 1, chunks_of(capsule)[0])


@pytest.mark.parametrize("steps", VECTORS["windows"])
def test_windows(steps: list[tuple[int, int, str]]) -> None:
    window = Window()
    for number, allow_jump, expected in steps:
        window = Window(window.pack())
        try:
            window.check_unseen(number)
            if not allow_jump:
                window.check_near(number)
            window.accept(number)
            result = "OK"
        except UnitError as error:
            result = str(error)
        assert result == expected, number


def test_all_errors_of_a_capsule_itself_are_in_the_vectors() -> None:
    expected = {"VERSION", "HEADER", "SUITE", "REFLECTED", "AUTH", "DIVERGED", "BINDING"}
    assert {case["error"] for case in VECTORS["bad"]} == expected
    results = {result for steps in VECTORS["windows"] for _, _, result in steps}
    assert results == {"OK", "DUPLICATE", "TOO_OLD", "TOO_FAR"}


def test_message_keys_differ_by_every_part_of_the_header() -> None:
    network = replace(public_network(), cipher="aes")
    headers = [new_header(network, 2, 1), new_header(network, 3, 1), new_header(network, 2, 2)]
    headers += [new_header(network, 2, 1, b"8bytes.."), new_header(replace(network, cipher="vernam"), 2, 1)]
    keys: list[MessageKeys] = [keys_of(network, header) for header in headers]
    assert len({bytes(key.tag_key) for key in keys}) == len({key.sync for key in keys}) == len(keys)
    assert len({key.check(0) for key in keys[:-1]}) == len(keys) - 1
