# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests, packages and agreements of networks with an administrator, and its file: the golden vectors."""

from pathlib import Path

import pytest
from support.reference import load_vectors

from ndks.exceptions import CheckFailed, JoiningFileError, UsageError
from ndks.network import administrator_file
from ndks.network.administrator import Administrator
from ndks.network.agreement import Agreement
from ndks.network.bundle import BadBundle
from ndks.network.commitments import commit, differing
from ndks.network.join_request import CommittedRequest
from ndks.network.joining_file import JoiningFile
from ndks.network.member_package import MemberPackage, membership

VECTORS = load_vectors("member_files")
KINDS: dict[str, type[JoiningFile]] = {"request": CommittedRequest, "package": MemberPackage}
REQUEST, PACKAGE = (VECTORS["good"][number]["text"].encode() for number in (0, 2))


@pytest.mark.parametrize("case", VECTORS["good"], ids=lambda case: case["kind"])
def test_published_files(case: dict[str, str]) -> None:
    parsed = KINDS[case["kind"]].parsed(case["text"].encode(), "it")
    assert parsed.words == case["words"]


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: f"{case['kind']}: {case['why']}")
def test_published_bad_files(case: dict[str, str]) -> None:
    with pytest.raises(JoiningFileError):
        KINDS[case["kind"]].parsed(case["text"].encode(), "it")


def test_published_commitments() -> None:
    request = CommittedRequest.parsed(REQUEST, "it")
    key, shown = bytes.fromhex(VECTORS["key"]), [(name, value) for name, value in VECTORS["characteristics"]]
    assert commit(key, shown) == request.commitments
    assert differing(request.commitments, key, shown) == []
    assert differing(request.commitments, key, shown[1:]) == ["board"]
    assert differing(request.commitments, bytes(32), shown) == sorted({name for name, _ in shown})


def test_published_agreement() -> None:
    agreement = Agreement.parsed(VECTORS["agreement"].encode())
    assert agreement.content.decode() == VECTORS["agreement"]
    agreement.check(REQUEST, "demo", MemberPackage.parsed(PACKAGE, "it").signing_key)
    for request, network, key in ((REQUEST + b" ", "demo", b""), (REQUEST, "other", b""), (REQUEST, "demo", bytes(32))):
        with pytest.raises(CheckFailed):
            agreement.check(request, network, key)


@pytest.mark.parametrize("case", VECTORS["bad_agreements"], ids=lambda case: case["why"])
def test_published_bad_agreements(case: dict[str, str]) -> None:
    with pytest.raises((CheckFailed, UsageError)):
        Agreement.parsed(case["text"].encode())


def test_published_administrator(tmp_path: Path) -> None:
    path, copy = tmp_path / "demo.ndksadmin", tmp_path / "copy.ndksadmin"
    path.write_text(VECTORS["administrator"])
    path.chmod(0o600)
    state = administrator_file.load(path)
    administrator_file.save(state, copy)
    assert copy.read_text() == VECTORS["administrator"]
    package = MemberPackage.parsed(PACKAGE, "it")
    administrator = Administrator(state)
    assert membership(administrator, package.lane, state.g, 0).hex() == VECTORS["fields"]
    assert administrator.keys.public == package.signing_key
    assert state.bundles[-1].content == package.bundle
    assert state.bundles[-1].is_signed_by(package.signing_key)
    with pytest.raises(BadBundle):
        type(state.bundles[-1]).parse(package.bundle[:-1])
