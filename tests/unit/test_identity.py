# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the answers to HELLO and STATUS."""

import pytest
from support.public_network import public_network

import ndks
from ndks.line.transport import SERVICE
from ndks.network.network_file import Network


def test_hello(unit: ndks.Unit) -> None:
    hello = unit.hello
    held = ["held by a service"] if unit.port.startswith(SERVICE) else []
    assert (hello.major, hello.state, hello.flags) == (3, "locked", held)
    assert len(bytes.fromhex(hello.serial_number)) == 8
    assert unit.is_bound_here


def test_status_names_the_network_but_no_secret(unit: ndks.Unit) -> None:
    unit.unlock()
    status, network = unit.status(), public_network()
    assert (status.network, status.suite, status.cipher, status.digits) == (network.name, "hybrid", "vernam", 3)
    assert (status.state, status.epoch, status.lane) == ("provisioned", 0, 1)
    assert status.flags == []
    assert 0 < status.log_used <= status.log_size
    assert network.secret.hex() not in repr(status)


def test_a_member_is_not_provisioned_again(unit: ndks.Unit) -> None:
    with pytest.raises(ndks.DeviceError) as refused:
        unit.provision(Network.new("other"), 2)
    assert refused.value.code == "PROVISIONED"
    unit.unlock()
    assert unit.status().network == public_network().name


def test_the_same_unit_answers_after_reopening(port: str) -> None:
    with ndks.open(port) as first:
        hello = first.hello
    with ndks.open(port) as second:
        assert second.hello == hello
