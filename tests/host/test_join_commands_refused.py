# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests, agreements, words and packages that `ndks join` refuses, and what is confirmed on the way."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from host.administering import AGREED, Administering, answer, change, done, office
from host.joining import WRONG_WORDS
from host.running import assert_refused, run_at_terminal
from support.authority import Authority

import ndks
from ndks.laptop.homes import HOME
from ndks.network.join_request import load_request
from ndks.network.member_package import MemberPackage
from ndks.network.network_file import Network

__all__ = ["office"]  # a fixture


def test_what_a_candidate_shows_is_checked(office: Administering, tmp_path: Path) -> None:
    request = office.request("alice")
    opening = request.with_suffix(".ndksrequest.opening")
    shown = answer(office.admin("join", "inspect", request, "--opened", opening, "--json"))
    assert sorted(name for name, _ in shown["shown"]) == shown["committed"]
    values = json.loads(opening.read_text())
    change(opening, characteristics=[*values["characteristics"], ["mac", "00:00:00:00:00:01"]])
    refused = office.admin("join", "inspect", request, "--opened", opening)
    assert_refused(refused, "CHECK_FAILED", 1)
    assert "mac" in refused.stderr
    for damage in ({"key": "00"}, {"more": 1}, {"characteristics": [1]}):
        opening.write_text(json.dumps(values | damage))
        assert_refused(office.admin("join", "inspect", request, "--opened", opening), "JOINING_FILE", 1)
    other = tmp_path / "other"
    done(office.candidate("bob", "join", "request", "-o", other))
    opening.write_text(json.dumps(values))
    assert_refused(office.admin("join", "inspect", other, "--opened", opening), "CHECK_FAILED", 1)
    plain = tmp_path / "plain"
    done(office.candidate("bob", "join", "request", "--plain", "-o", plain))
    assert not plain.with_name("plain.opening").exists()
    assert_refused(office.admin("join", "inspect", plain, "--opened", opening), "CHECK_FAILED", 1)


def test_agreements_and_signatures_that_are_refused(office: Administering, tmp_path: Path) -> None:
    office.file.unlink()
    authority = Authority(tmp_path)
    office.found("--authority", authority.public_path.read_text())
    request, agreement = office.request("alice"), tmp_path / "agreement.json"
    done(office.admin("join", "inspect", request, "--network", office.file, *AGREED, "-o", agreement))
    good = agreement.read_text()
    day = timedelta(days=1)
    now = datetime.now(UTC).date()

    def refused(what: str, signature: Path | None, code: str = "CHECK_FAILED") -> None:
        signed = ("--signature", signature) if signature else ()
        finished = office.approve("alice", agreed=("--agreement", agreement, *signed))
        assert_refused(finished, code, 2 if code == "USAGE" else 1)
        assert what in finished.stderr
        assert not office.package_of("alice").exists()
        assert office.state.members == ()

    refused("wants its authority's signature", None)
    refused("another key", Authority(tmp_path, "thief").sign(agreement))
    refused("namespace", authority.sign(agreement, "file"))
    signature = authority.sign(agreement)
    kept = signature.read_text()
    signature.write_text(kept[: len(kept) // 2])
    refused("damaged", signature)
    signature.write_text(kept)
    agreement.write_text(good.replace("a desk of hers", "no reason"))
    refused("does not fit", signature)
    agreement.write_text(good[:-3])
    refused("altered", signature)
    for when, what in ((now - 9 * day, "before the request"), (now + 9 * day, "not come yet")):
        values = json.loads(good) | {"when": when.isoformat()}
        agreement.write_text(json.dumps(values, indent=2) + "\n")
        refused(what, authority.sign(agreement))
    other = office.request("bob")
    agreement.unlink()
    done(office.admin("join", "inspect", other, "--network", office.file, *AGREED, "-o", agreement))
    refused("another request", authority.sign(agreement))
    assert_refused(office.approve("alice"), "CHECK_FAILED", 1)  # --who alone is no signature


def test_requests_that_are_refused(office: Administering) -> None:
    request = office.request("alice", "--network", "elsewhere")
    assert_refused(office.approve("alice"), "CHECK_FAILED", 1)
    inspected = answer(office.admin("join", "inspect", request, "--network", office.file, "--json"))
    assert "for network elsewhere" in inspected["problem"]
    office.forget_request("alice")
    office.request("alice")
    content = request.read_text()
    assert_refused(office.approve("alice", words=WRONG_WORDS), "WORDS", 1)
    assert_refused(office.approve("alice", agreed=()), "USAGE", 2)
    for damaged in (content[: len(content) // 2], content.replace("public_key", "key"), "{}", ""):
        request.write_text(damaged)
        assert_refused(office.approve("alice", words=WRONG_WORDS), "JOINING_FILE", 1)
    change_of_key = json.loads(content) | {"public_key": "00" * 32}
    request.write_text(json.dumps(change_of_key))
    assert_refused(office.approve("alice"), "PUBLIC_KEY", 5)
    request.write_text(content)
    assert office.state.members == ()
    done(office.approve("alice"))
    office.package_of("alice").unlink()
    again = office.approve("alice")
    assert_refused(again, "USAGE", 2)
    assert "approved before" in again.stderr
    office.forget_request("alice")
    office.request("alice")
    again = office.approve("alice")
    assert_refused(again, "USAGE", 2)
    assert "a member already, on lane 4" in again.stderr
    done(office.admin("network", "retire", office.file, 4, "--yes"))
    done(office.approve("alice"))
    assert answer(office.accept("alice", "--json"))["lane"] == 8


def test_a_request_that_is_not_confirmed_changes_nothing(office: Administering) -> None:
    words = load_request(office.request("alice")).words
    where = ("--network", office.file, "-o", office.package_of("alice"), "--words", words)
    refused = office.admin("join", "approve", office.request_of("alice"), *where, *AGREED)
    assert_refused(refused, "USAGE", 2)
    assert "will be a member of network office, lane 4" in refused.stderr
    assert office.state.members == ()


def test_words_and_confirmation_at_the_terminal(office: Administering) -> None:
    words = load_request(office.request("alice")).words
    approve = ("join", "approve", office.request_of("alice"), "--network", office.file, *AGREED)
    approve = (*approve, "-o", office.package_of("alice"))
    assert_refused(run_at_terminal(f"{WRONG_WORDS}\n".encode(), *approve), "WORDS", 1)
    assert_refused(run_at_terminal(f"{words}\nno\n".encode(), *approve), "DECLINED", 1)
    assert office.state.members == ()
    told = done(run_at_terminal(f"{words}\nyes\n".encode(), *approve))
    assert words not in told.text
    assert told.text.splitlines()[-1] == MemberPackage.load(office.package_of("alice")).words
    accept = ("join", "accept", office.package_of("alice"), "--unit", office.port_of("alice"))
    typed = f"{told.text.splitlines()[-1]}\nyes\n".encode()
    done(run_at_terminal(typed, *accept, **{HOME: str(office.home_of("alice"))}))


def test_packages_that_are_refused(office: Administering, tmp_path: Path) -> None:
    office.request("alice")
    done(office.approve("alice"))
    package = office.package_of("alice")
    content = package.read_text()
    words = MemberPackage.load(package).words
    assert_refused(office.accept("alice", words=WRONG_WORDS), "WORDS", 1)
    bundle = json.loads(content)["bundle"]
    altered = bundle[:-1] + ("1" if bundle[-1] == "0" else "0")  # the last byte of a signature is 00 once in 16 times
    damages = [content[:500], "", "{}", content.replace(bundle, altered)]
    for damaged in damages:
        package.write_text(damaged)
        assert_refused(office.accept("alice", words=words), "JOINING_FILE", 1)
    shutil.copy(office.request_of("alice"), package)
    assert_refused(office.accept("alice", words=words), "USAGE", 2)
    package.write_text(content)
    office.request("bob")
    assert_refused(
        office.candidate("bob", "join", "accept", package, "--words", words, "--yes"), "PACKAGE", 5
    )  # another unit
    office.forget_request("alice")
    office.request("alice")  # makes the former key void
    assert_refused(office.accept("alice"), "PACKAGE", 5)
    assert package.exists()
    with ndks.open(office.port_of("alice")) as unit:
        assert unit.hello.state == "blank"
    assert_refused(office.candidate("alice", "provision", package, "--bind"), "USAGE", 2)
    plain = tmp_path / "plain.ndkspackage"
    Network.new("plain").save(tmp_path / "plain.ndksnet")
    answers = ("--for", office.request_of("alice"), "--words", load_request(office.request_of("alice")).words)
    done(office.admin("provision", tmp_path / "plain.ndksnet", *answers, "-o", plain))
    assert_refused(office.candidate("alice", "join", "accept", plain), "USAGE", 2)
    refused = office.admin("provision", office.file, *answers, "-o", tmp_path / "no")
    assert_refused(refused, "USAGE", 2)
    assert "ndks join approve" in refused.advice
