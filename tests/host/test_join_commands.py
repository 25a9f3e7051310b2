# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining an administered network with `ndks join` and `ndks provision`: members, their files, and units of before."""

import json
import stat
from pathlib import Path

from host.administering import AGREED, Administering, answer, done, office
from host.running import assert_refused
from support.authority import Authority
from support.emulate_process import emulated, wait_until
from support.serve_process import served

from ndks.agent.running.membership import Membership
from ndks.network.administrator_keys import AdministratorKeys
from ndks.network.generation import State
from ndks.network.join_request import load_request
from ndks.network.member_package import MemberPackage
from ndks.network.network_file import Network

__all__ = ["office"]  # a fixture


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
