# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packages that a unit refuses: other words, another unit or key, used, altered, cut short."""

from collections.abc import Callable
from typing import Any

import pytest
from host.conftest import Call
from host.joining import LOW_ORDER, WRONG_WORDS, Joining, joining
from host.running import Finished, assert_refused, run
from host.watched_line import watch_lines

import ndks
from ndks.network.admission import admit_by_request
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import JoinRequest, load_request
from ndks.network.network_file import Network

__all__ = ["joining"]  # a fixture

Edit = Callable[[dict[str, Any]], object]


def refused_package(joining: Joining, finished: Finished, code: str, status: int) -> None:
    assert_refused(finished, code, status)
    with ndks.open(joining.port) as unit:
        assert unit.hello.state == "blank"
    assert not list((joining.directory / "candidate").glob("units/*"))


@pytest.mark.parametrize("words", [WRONG_WORDS, None])
def test_other_words(words: str | None, joining: Joining) -> None:
    joining.until_package()
    words = words or load_request(joining.request_file).words
    refused_package(joining, joining.use("--bind", words=words), "WORDS", 1)
    other = joining.directory / "other.ndkspackage"
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", other, "--again", "--words")
    assert_refused(run(*ask, JoinPackage.load(joining.package_file).words), "WORDS", 1)
    assert not other.exists()
    assert Network.load(joining.network_file).next_lane == 2


def test_a_package_for_another_unit(joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    joining.until_package()
    other = f"emulator:{joining.directory / 'other'}"
    with ndks.open(other, create=True) as unit:
        unit.joining_key()
        serial_number = unit.hello.serial_number
    requests = watch_lines(monkeypatch)
    words = JoinPackage.load(joining.package_file).words
    refused = call("provision", joining.package_file, "--words", words, "--bind", "--unit", other)
    assert_refused(refused, "PACKAGE", 5)
    assert serial_number in refused.stderr
    assert requests == ["HELLO"]
    assert not ndks.BindingStore().unit(serial_number).transport_code


def test_a_package_for_another_unit_under_this_ones_name(joining: Joining) -> None:
    joining.until_package()
    with ndks.open(f"emulator:{joining.directory / 'other'}", create=True) as unit:
        request = JoinRequest.new(load_request(joining.request_file).serial_number, unit.joining_key())
    joining.package_file.unlink()
    admit_by_request(joining.network_file, request, again=True).save(joining.package_file)
    refused_package(joining, joining.use("--bind"), "PACKAGE", 5)


def test_a_package_for_a_key_that_is_void(joining: Joining) -> None:
    joining.until_package()
    joining.forget_request()
    joining.request()
    refused_package(joining, joining.use("--bind"), "PACKAGE", 5)
    joining.package_file.unlink()
    joining.answer("--again")
    assert joining.use("--bind").status == 0


def test_a_package_that_was_used(joining: Joining) -> None:
    joining.until_package()
    assert joining.use("--bind").status == 0
    refused = joining.use("--bind")
    assert_refused(refused, "PROVISIONED", 4)
    assert joining.candidate("zeroize", "--yes").status == 0
    refused = joining.use("--bind")
    refused_package(joining, refused, "NO_JOINING_KEY", 4)
    assert f"ndks join request --unit {joining.port}" in refused.advice


def test_a_package_for_a_unit_without_a_joining_key(joining: Joining) -> None:
    joining.until_package()
    assert joining.candidate("zeroize", "--yes").status == 0
    refused_package(joining, joining.use("--bind"), "NO_JOINING_KEY", 4)


def altered(values: dict[str, Any]) -> None:
    sealed = bytearray.fromhex(values["sealed"])
    sealed[40] ^= 1
    values["sealed"] = sealed.hex()


def short(digits: int) -> Edit:
    return lambda values: values.update(sealed=values["sealed"][:digits])


@pytest.mark.parametrize(
    ("edit", "code", "is_asked"),
    [
        (altered, "PACKAGE", True),
        (short(-2), "PACKAGE", True),
        (short(200), "PACKAGE", True),
        (short(94), "PACKAGE", False),
        (short(0), "PACKAGE", False),
        *(
            (lambda values, low=low: values.update(sealed=low + values["sealed"][64:]), "PUBLIC_KEY", False)
            for low in LOW_ORDER[:4]
        ),
    ],
)
def test_a_package_that_was_altered(
    edit: Edit, code: str, is_asked: bool, joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ndks.open(joining.port, create=True) as unit:
        request = unit.join_request()
    admit_by_request(joining.network_file, request).save(joining.package_file)
    joining.change(joining.package_file, edit)
    words = JoinPackage.load(joining.package_file).words  # as if the administrator had sent it so
    requests = watch_lines(monkeypatch)
    refused = call("provision", joining.package_file, "--words", words, "--bind", "--unit", joining.port)
    refused_package(joining, refused, code, 5)
    assert ("PROVISION_SEALED" in requests) == is_asked
    assert not ndks.BindingStore().unit(request.serial_number).transport_code


def test_a_package_that_was_altered_on_its_way(joining: Joining) -> None:
    joining.until_package()
    words = JoinPackage.load(joining.package_file).words
    joining.change(joining.package_file, altered)
    refused_package(joining, joining.use("--bind", words=words), "WORDS", 1)


def test_a_package_of_another_version(joining: Joining) -> None:
    joining.until_package()
    joining.change(joining.package_file, lambda values: values.update(ndks_join_package=3))
    refused = joining.use(words=WRONG_WORDS)
    refused_package(joining, refused, "JOINING_FILE", 1)
    assert "upgrade" in refused.advice


def test_a_package_that_was_cut_short(joining: Joining) -> None:
    joining.until_package()
    joining.package_file.write_bytes(joining.package_file.read_bytes()[:300])
    refused = joining.use(words=WRONG_WORDS)
    refused_package(joining, refused, "JOINING_FILE", 1)
    assert "cut short" in refused.stderr
    assert "sent again" in refused.advice
