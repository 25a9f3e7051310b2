# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests that an administrator refuses, and files that no request or package goes to."""

import pytest
from host.conftest import Call
from host.joining import LOW_ORDER, WRONG_WORDS, Joining, joining, members
from host.running import Finished, assert_refused, run

import ndks
from ndks.network.admission import admit_by_request
from ndks.network.join_request import JoinRequest, load_request

__all__ = ["joining"]  # a fixture


def refused_request(joining: Joining, finished: Finished, code: str, status: int) -> None:
    assert_refused(finished, code, status)
    assert not joining.package_file.exists()
    assert members(joining) == []


@pytest.mark.parametrize("words", ["", "zoo", f"{WRONG_WORDS} zoo", "zoo zoo zoo zoo zoo zzzz"])
def test_what_is_not_six_words(words: str, joining: Joining) -> None:
    joining.request()
    refused_request(joining, joining.answer(words=words), "USAGE", 2)


def test_nobody_to_ask(joining: Joining) -> None:
    joining.request()
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    refused = run(*ask)
    refused_request(joining, refused, "USAGE", 2)
    assert '--words "SIX WORDS"' in refused.advice
    assert load_request(joining.request_file).words not in refused.stderr


@pytest.mark.parametrize("low", LOW_ORDER)
def test_a_request_with_a_public_key_of_low_order(
    low: str, joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = JoinRequest.new("0123456789ABCDEF", bytes.fromhex(low))
    request.save(joining.request_file)
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    refused_request(joining, call(*ask, "--words", request.words), "PUBLIC_KEY", 5)


def test_a_request_for_another_network(joining: Joining) -> None:
    joining.request("--network", "lecture")
    refused = joining.answer()
    refused_request(joining, refused, "CHECK_FAILED", 1)
    assert "lecture" in refused.stderr
    assert "office" in refused.stderr


def test_a_request_of_another_version(joining: Joining) -> None:
    joining.request()
    joining.change(joining.request_file, lambda values: values.update(ndks_join_request=3))
    refused = joining.answer(words=WRONG_WORDS)
    refused_request(joining, refused, "JOINING_FILE", 1)
    assert "of another version" in refused.stderr
    assert "upgrade" in refused.advice


def test_a_unit_that_has_a_lane_already(joining: Joining) -> None:
    joining.until_package()
    package = joining.package_file.read_bytes()
    joining.package_file.unlink()
    refused = joining.answer()
    assert_refused(refused, "PROVISIONED", 4)
    assert "on lane 1" in refused.stderr
    assert "--again" in refused.advice
    assert not joining.package_file.exists()
    assert joining.answer("--again", "--label", "again").status == 0
    assert members(joining) == [(2, "again")]
    assert joining.package_file.read_bytes() != package
    assert joining.use("--bind").status == 0


@pytest.mark.parametrize("there", ["file", "directory", "link", "no directory", "name too long"])
def test_a_file_that_is_there_is_never_overwritten(there: str, joining: Joining) -> None:
    path = joining.directory / {"no directory": "no/file", "name too long": "n" * 300}.get(there, "there")
    if there == "file":
        path.write_text("kept")
    elif there == "directory":
        path.mkdir()
    elif there == "link":
        path.symlink_to(joining.directory / "nowhere")
    assert joining.request().status == 0
    for refused in (joining.answer("-o", path), joining.request("-o", path)):
        assert_refused(refused, "FILE", 1)
        assert "--force" not in refused.advice
    assert there != "file" or path.read_text() == "kept"
    assert not (joining.directory / "nowhere").exists()
    assert members(joining) == []
    with ndks.open(joining.port) as unit:  # its key is still the one of the request
        admit_by_request(joining.network_file, load_request(joining.request_file)).save(joining.package_file)
        assert unit.join_package(joining.package_file).lane == 1


def test_stdout_is_no_place_for_them(joining: Joining) -> None:
    joining.request()
    for refused in (joining.answer("-o", "-"), joining.request("-o", "-")):
        assert_refused(refused, "USAGE", 2)
    assert members(joining) == []
