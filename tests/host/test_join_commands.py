# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining an administered network with `ndks join` and `ndks provision`, and everything that is refused on the way."""

import json
import shutil
import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from host.administering import AGREED, Administering, answer, done, office
from host.running import assert_refused, run_at_terminal, run_signalled
from support.authority import Authority
from support.emulate_process import emulated, wait_until
from support.serve_process import served

import ndks
from ndks.agent.running import accepting
from ndks.agent.running.membership import Membership
from ndks.driver.unit import Unit
from ndks.laptop.homes import HOME
from ndks.network.administrator_keys import AdministratorKeys
from ndks.network.generation import State
from ndks.network.join_request import load_request
from ndks.network.member_package import MemberPackage
from ndks.network.network_file import Network

__all__ = ["office"]  # a fixture

WRONG_WORDS = "zoo zoo zoo zoo zoo zoo"


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_unit_joins_with_the_authoritys_signature(office: Administering, tmp_path: Path) -> None:
    office.file.unlink()
    authority = Authority(tmp_path)
    office.found("--authority", authority.public_path)
    request, agreement = office.request("alice", "--network", "office"), tmp_path / "agreement.json"
    inspected = answer(
        office.admin("join", "inspect", request, "--network", office.file, *AGREED, "-o", agreement, "--json")
    )
    assert inspected["words"] == load_request(request).words
    assert inspected["problem"] is None
    assert len(inspected["agreement_words"].split()) == 6
    assert json.loads(agreement.read_text())["who"] == "Carol Chief"
    signature = authority.sign(agreement)
    signed = ("--agreement", agreement, "--signature", signature)
    told = answer(office.approve("alice", "--json", agreed=signed))
    assert (told["generation"], told["lane"], told["member_count"]) == (0, 4, 1)
    joined = answer(office.accept("alice", "--json"))
    assert (joined["lane"], joined["generation"], joined["network"]) == (4, 0, "office")
    assert not office.package_of("alice").exists()
    (member,) = office.state.members
    assert (member.admission.who, member.admission.why) == ("Carol Chief", "a desk of hers")
    assert "Carol Chief agreed" in office.admin("network", "show", office.file).text
    shown = json.loads(office.admin("network", "show", office.file, "--json").text)
    assert shown["authority"].startswith("ssh-ed25519 ")


def test_messages_of_all_generations_open_with_the_administrators_file(office: Administering, tmp_path: Path) -> None:
    for name, generation in (("alice", 0), ("bob", 4)):
        assert office.join(name)["generation"] == generation
        letter = tmp_path / f"{name}.txt"
        letter.write_text(f"from {name}")
        done(office.candidate(name, "encrypt", letter))
    for name in ("alice", "bob"):
        capsule, opened = tmp_path / f"{name}.txt.ndks", tmp_path / f"{name}.opened"
        told = office.admin("decrypt", capsule, "--network", office.file, "-o", opened)
        assert f"({name})" in done(told).text
        assert opened.read_text() == f"from {name}"
        seen = answer(office.admin("inspect", capsule, "--network", office.file, "--json"))["member"]
        assert seen["sender"] == name


def test_what_the_host_keeps(office: Administering) -> None:
    joined = office.join("alice")
    keys = AdministratorKeys(office.state.root)
    office.candidate("alice", "version")  # in its home
    assert Membership.load(joined["serial_number"]) == Membership("office", 1, keys.public)
    for path in office.home_of("alice").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    request = office.request_of("alice")
    for path in (office.file, request, request.with_suffix(".ndksrequest.opening")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_message_has_a_secret(office: Administering) -> None:
    opening = office.request("alice").with_suffix(".ndksrequest.opening")
    said = [office.admin("join", "inspect", office.request_of("alice"), "--opened", opening, "--verbose")]
    said += [office.approve("alice", "--verbose"), office.approve("alice", "--verbose")]
    said += [office.accept("alice", "--verbose", "--json")]
    said += [office.admin("network", "refresh", office.file, "--yes", "--verbose")]
    said += [office.admin("network", "show", office.file, "--json")]
    text = "".join(each.text + each.stderr for each in said).lower()
    state = office.state
    secrets = [state.root, *(each.secret for each in state.generations), AdministratorKeys(state.root).member_key(4, 0)]
    secrets += [bytes.fromhex(json.loads(opening.read_text())["key"])]
    assert [secret for secret in secrets if secret.hex() in text] == []
    assert state.network.p1 not in text


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


def test_a_package_that_is_used_again(office: Administering) -> None:
    office.request("alice")
    done(office.approve("alice"))
    copy = office.package_of("alice").read_bytes()
    first = answer(office.accept("alice", "--json"))
    office.package_of("alice").write_bytes(copy)
    assert answer(office.accept("alice", "--json")) == first  # nothing is done twice
    done(office.candidate("alice", "zeroize", "--yes"))
    office.package_of("alice").write_bytes(copy)
    assert_refused(office.accept("alice"), "NO_JOINING_KEY", 4)


def test_a_unit_that_is_a_member_elsewhere(office: Administering, tmp_path: Path) -> None:
    office.request("alice")
    done(office.approve("alice"))
    Network.new("plain").save(tmp_path / "plain.ndksnet")
    done(office.candidate("alice", "provision", tmp_path / "plain.ndksnet", "--bind"))
    refused = office.accept("alice")
    assert_refused(refused, "PROVISIONED", 4)
    assert "network plain" in refused.stderr


def test_a_former_agents_store_is_set_aside(office: Administering) -> None:
    serial_number = office.join("alice")["serial_number"]
    done(office.candidate("alice", "zeroize", "--yes"))
    done(office.admin("network", "retire", office.file, "alice", "--yes"))
    office.forget_request("alice")
    assert office.join("alice")["lane"] == 8
    agents = office.home_of("alice") / "agents"
    assert sorted(path.name for path in agents.iterdir()) == [serial_number, f"{serial_number}.old"]


class Interrupted(KeyboardInterrupt):
    """What a signal does at this place."""


def interrupt(*_: object, **__: object) -> None:
    raise Interrupted


STEPS: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "before it is bound": lambda patch: patch.setattr(Unit, "bind", interrupt),
    "before the notice": lambda patch: patch.setattr(Unit, "notice", interrupt),
    "before member.json": lambda patch: patch.setattr(Membership, "save", interrupt),
    "before the store": lambda patch: patch.setattr(accepting, "Store", interrupt),
    "before the package is erased": lambda patch: patch.setattr(Path, "unlink", interrupt),
}


@pytest.mark.parametrize("step", STEPS)
def test_accept_goes_on_where_it_was_interrupted(step: str, office: Administering) -> None:
    office.request("alice")
    done(office.approve("alice"))
    with pytest.MonkeyPatch.context() as patch:
        STEPS[step](patch)
        stopped = office.accept("alice")
        assert stopped.error_code == "INTERRUPTED"
        assert "goes on" in stopped.advice
    joined = answer(office.accept("alice", "--json"))
    assert (joined["lane"], joined["generation"]) == (4, 0)
    assert not office.package_of("alice").exists()
    done(office.candidate("alice", "info"))


@pytest.mark.parametrize("request_name", ["ENROL", "BIND", "NOTICE"])
def test_accept_is_killed_while_it_talks_to_a_unit_behind_a_line(request_name: str, office: Administering) -> None:
    with emulated(office.directory / "alice") as unit:
        office.patch.setattr(Administering, "port_of", lambda *_: unit.port)
        office.request("alice")
        done(office.approve("alice"))
        package = office.package_of("alice")
        words = MemberPackage.load(package).words
        done(office.candidate("alice", "info"))  # in its home
        accept = ("join", "accept", package, "--words", words, "--yes", "--unit", unit.port)
        assert run_signalled(signal.SIGKILL, request_name, *accept).status == -signal.SIGKILL
        assert answer(office.accept("alice", "--json"))["generation"] == 0
        assert not package.exists()


def test_the_administrators_own_unit(office: Administering) -> None:
    provision = ("provision", office.file, "--bind", "--label", "mine", "--yes")
    told = answer(office.candidate("alice", *provision, "--json"))
    assert (told["lane"], told["generation"], told["member_count"]) == (4, 0, 1)
    (member,) = office.state.members
    assert (member.admission.label, member.admission.who) == ("mine", "administrator 0")
    assert_refused(office.candidate("alice", *provision), "PROVISIONED", 4)
    assert_refused(office.candidate("bob", "provision", office.file), "USAGE", 2)
    assert_refused(office.candidate("bob", "provision", office.file, "--bind"), "USAGE", 2)  # not confirmed
    assert len(office.state.members) == 1


def test_the_administrators_own_unit_is_interrupted(office: Administering) -> None:
    provision = ("provision", office.file, "--bind", "--yes")
    for step in STEPS.values():
        with pytest.MonkeyPatch.context() as patch:
            step(patch)
            assert office.candidate("alice", *provision).error_code == "INTERRUPTED"
    assert answer(office.candidate("alice", *provision, "--json"))["lane"] == 4
    assert len(office.state.members) == 1
    assert not list((office.home_of("alice") / "agents").glob("*.ndkspackage"))


def test_a_package_of_the_own_unit_that_fits_no_more(office: Administering) -> None:
    provision = ("provision", office.file, "--bind", "--yes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accepting, "accept", interrupt)
        assert office.candidate("alice", *provision).error_code == "INTERRUPTED"
    office.request("alice")  # makes the key of the package void
    refused = office.candidate("alice", *provision)
    assert_refused(refused, "PACKAGE", 5)
    assert "ndks network retire" in refused.advice
    (package,) = (office.home_of("alice") / "agents").glob("*.ndkspackage")
    package.unlink()
    done(office.admin("network", "retire", office.file, 4, "--yes"))
    assert answer(office.candidate("alice", *provision, "--json"))["lane"] == 8


def test_the_authority_is_not_passed_over(office: Administering, tmp_path: Path) -> None:
    office.file.unlink()
    office.found("--authority", Authority(tmp_path).public_path)
    refused = office.candidate("alice", "provision", office.file, "--bind", "--yes")
    assert_refused(refused, "USAGE", 2)
    assert "ndks join approve" in refused.advice
    assert office.state.members == ()


def test_a_network_of_before(office: Administering, tmp_path: Path) -> None:
    old = tmp_path / "lab.ndksnet"
    done(office.admin("network", "new", "lab", "-o", old))
    for name in ("alice", "bob"):
        done(office.candidate(name, "provision", old, "--bind", "--label", name))
    office.file.unlink()
    told = answer(office.admin("network", "upgrade", old, "-o", office.file, "--yes", "--json"))
    assert [unit["lane"] for unit in told["units"]] == [4, 8]
    assert told["generation"] == 0
    done(office.candidate("alice", "zeroize", "--yes"))
    assert office.join("alice")["lane"] == 4
    letter, capsule = tmp_path / "letter", tmp_path / "letter.ndks"
    letter.write_text("still here")
    done(office.candidate("bob", "encrypt", letter))
    opened = office.candidate("alice", "decrypt", capsule, "-o", tmp_path / "opened")
    assert "message 1 of lane 2" in done(opened).text
    office.forget_request("alice")
    done(office.candidate("alice", "zeroize", "--yes"))
    office.request("alice")
    assert_refused(office.approve("alice"), "USAGE", 2)  # the lane waits no longer
    done(office.admin("network", "refresh", office.file, "--yes"))
    done(office.candidate("bob", "zeroize", "--yes"))
    assert office.join("bob")["generation"] == 4
    assert [member.state for member in office.state.members] == [State.IN, State.IN]


def test_a_unit_that_a_service_holds_joins_at_its_port_only(office: Administering, tmp_path: Path) -> None:
    old = tmp_path / "old.ndksnet"
    with emulated(tmp_path / "bob", "--link", str(tmp_path / "port")) as unit:
        port = ("--unit", unit.port)
        done(office.at("bob", "network", "new", "old", "-o", old))
        done(office.at("bob", "provision", old, "--bind", *port))
        serial_number = answer(office.at("bob", "info", "--json", *port))["hello"]["serial_number"]
        package = office.package_of("bob")
        with served(unit.port, home=office.home_of("bob")) as service:
            through = ("--unit", service.port("admin"))
            done(office.at("bob", "service", "release", "10", *through))
            done(office.at("bob", "zeroize", "--yes", *port))
            done(office.at("bob", "join", "request", "-o", office.request_of("bob"), *port))
            done(office.approve("bob"))
            wait_until(lambda: "BLANK" in service.log.read_text(), "the service has seen the unit")
            accept = ("join", "accept", package, "--words", MemberPackage.load(package).words, "--yes")
            for command in (accept, ("join", "request", "-o", tmp_path / "another")):
                refused = office.at("bob", *command, *through)
                assert_refused(refused, "DENIED", 4)
                assert refused.stderr.startswith(
                    f"ndks: DENIED: unit {serial_number} is held by ndks service, and joins"
                )
                assert refused.advice.startswith("repeat with --unit PORT")
            kept = package.read_bytes()
            done(office.at("bob", *accept, *port))
        package.write_bytes(kept)
        with served(unit.port, home=office.home_of("bob")):
            refused = office.at("bob", *accept, *port)
            assert_refused(refused, "BUSY", 4)
            assert f"ndks service release --unit {serial_number}" in refused.advice
            done(office.at("bob", "service", "release", "--unit", serial_number))
            done(office.at("bob", *accept, *port))  # it goes on
