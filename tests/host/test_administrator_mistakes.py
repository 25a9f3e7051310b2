# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Mistakes of administrators, and files that somebody altered: nothing happens that nobody asked for."""

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from host.administering import Administering, admit, answer, change, done, office
from host.running import Finished, assert_refused, command_line, environment, run_at_terminal
from support.authority import Authority
from support.emulate_process import PATIENCE

from ndks.agent.running.membership import Membership
from ndks.laptop.homes import HOME
from ndks.network import administrator_file
from ndks.network.commitments import commit
from ndks.network.generation import State
from ndks.network.join_request import load_request
from ndks.network.network_file import Network

__all__ = ["office"]  # a fixture


def test_an_empty_name_names_no_unit(office: Administering) -> None:
    admit(office, "alice", "")
    for command in ("revoke", "retire"):
        refused = office.admin("network", command, office.file, "", "--yes")
        assert_refused(refused, "USAGE", 2)
    assert len(office.state.present) == 2


def test_a_retired_unit_that_was_not_erased_is_revoked(office: Administering) -> None:
    admit(office, "alice", "bob", "alice")
    retire, revoke = (("network", name, office.file) for name in ("retire", "revoke"))
    done(office.admin(*retire, 4, "--yes"))
    assert_refused(office.admin(*retire, 4, "--yes"), "USAGE", 2)
    told = office.admin(*revoke, 4, "--yes", "--json")
    assert "Generation 8 begins for 2 members" in told.stderr
    assert answer(told)["revoked_count"] == 1
    assert office.state.member(4).state == State.REVOKED
    assert_refused(office.admin(*revoke, 4, "--yes"), "USAGE", 2)
    done(office.admin(*retire, 12, "--yes"))
    done(office.admin(*revoke, "alice", "--yes"))
    assert office.state.revoked == (4, 12)


def test_who_is_in_goes_before_who_was(office: Administering) -> None:
    admit(office, "alice", "bob", "alice")
    done(office.admin("network", "retire", office.file, 4, "--yes"))
    assert "lane 12" in done(office.admin("network", "revoke", office.file, "alice", "--yes")).text
    assert office.state.revoked == (12,)


@pytest.mark.parametrize("authority", ["", " ", "ssh-ed25519 AAAA\nssh-ed25519 BBBB"])
def test_an_authority_that_is_none(authority: str, office: Administering, tmp_path: Path) -> None:
    other, old = tmp_path / "other.ndksadmin", tmp_path / "old.ndksnet"
    Network.new("old").save(old)
    new = ("network", "new", "other", "--administered", "-o", other)
    for command in (new, ("network", "upgrade", old, "-o", other, "--yes")):
        refused = office.admin(*command, "--authority", authority)
        assert_refused(refused, "USAGE", 2)
        assert not other.exists()


def test_an_authority_on_several_lines(office: Administering, tmp_path: Path) -> None:
    line = Authority(tmp_path).public_path.read_text().strip()
    other = tmp_path / "other.ndksadmin"
    for text in (f"{line}\n{line}", f"{line} \x1b[2J"):
        refused = office.admin("network", "new", "o", "--administered", "-o", other, "--authority", text)
        assert_refused(refused, "USAGE", 2)
    several = tmp_path / "several.pub"
    several.write_text(f"{line}\n{line}\n")
    refused = office.admin("network", "new", "o", "--administered", "-o", other, "--authority", several)
    assert_refused(refused, "USAGE", 2)


def test_a_signature_that_nobody_checks(office: Administering, tmp_path: Path) -> None:
    office.request("alice")
    (tmp_path / "signature").write_text("-----BEGIN SSH SIGNATURE-----")
    refused = office.approve("alice", "--signature", tmp_path / "signature")
    assert_refused(refused, "USAGE", 2)
    assert "no authority" in refused.stderr
    assert office.state.members == ()


def test_a_request_does_not_write_on_the_screen(office: Administering) -> None:
    request, key = office.request("alice"), bytes(32)
    opening = request.with_suffix(".ndksrequest.opening")
    screen = "mac\nwords        zoo zoo zoo zoo zoo zoo\x1b[8m"
    change(request, commitments=commit(key, [(screen, screen)]))
    shown = {"request": sha256(request.read_bytes()).hexdigest(), "key": key.hex()}
    change(opening, **shown, characteristics=[(screen, screen)])
    text = done(office.admin("join", "inspect", request, "--opened", opening)).text
    assert "\x1b" not in text
    assert len([line for line in text.splitlines() if line.startswith("words ")]) == 1


def test_a_package_of_another_network_of_the_same_name(office: Administering) -> None:
    """A member of a network does not take the key of another one, which would cut it off."""
    serial_number = office.join("alice")["serial_number"]
    office.candidate("alice", "version")
    member = Membership.load(serial_number)
    assert member
    office.file.rename(office.directory / "former.ndksadmin")
    office.found()
    request, package = office.request_of("alice"), office.package_of("alice")
    office.forget_request("alice")
    other = office.request("bob")
    change(other, uid=serial_number)
    other.rename(request)
    done(office.approve("alice"))
    refused = office.accept("alice")
    assert_refused(refused, "PROVISIONED", 4)
    assert "another network" in refused.stderr
    office.candidate("alice", "version")
    assert Membership.load(serial_number) == member
    assert package.exists()


def test_a_member_file_without_a_store_does_not_hinder(office: Administering) -> None:
    serial_number = office.join("alice")["serial_number"]
    directory = office.home_of("alice") / "agents" / serial_number
    (directory / "store.sqlite").unlink()
    change(directory / "member.json", signing_key="00" * 32)
    done(office.candidate("alice", "zeroize", "--yes"))
    done(office.admin("network", "retire", office.file, 4, "--yes"))
    office.forget_request("alice")
    assert office.join("alice")["lane"] == 8


def upgrade(office: Administering, old: Path, *options: object) -> Finished:
    return office.admin("network", "upgrade", old, "-o", office.file, "--yes", *options)


@pytest.fixture
def old(office: Administering, tmp_path: Path) -> Path:
    """Return the file of a network of before, with a unit."""
    path = tmp_path / "lab.ndksnet"
    done(office.admin("network", "new", "lab", "-o", path))
    done(office.candidate("alice", "provision", path, "--bind", "--label", "alice"))
    office.file.unlink()
    return path


def test_a_network_file_that_was_upgraded_gives_no_lane(office: Administering, old: Path, tmp_path: Path) -> None:
    done(upgrade(office, old))
    refused = office.candidate("bob", "provision", old, "--bind")
    assert_refused(refused, "USAGE", 2)
    assert "upgraded" in refused.stderr
    letter = tmp_path / "letter"
    letter.write_text("still here")
    done(office.candidate("alice", "encrypt", letter))
    done(office.admin("decrypt", tmp_path / "letter.ndks", "--network", old, "-o", tmp_path / "opened"))
    again = office.admin("network", "upgrade", old, "-o", tmp_path / "second", "--yes")
    assert_refused(again, "USAGE", 2)
    assert "upgraded" in again.stderr
    assert not (tmp_path / "second").exists()
    assert office.state.free_lane() == 8


def test_an_upgrade_is_killed_before_the_network_file_is_closed(
    office: Administering, old: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "save", _interrupt)
        assert upgrade(office, old).error_code == "INTERRUPTED"
    state, other = office.state, tmp_path / "other.ndksnet"
    told = answer(upgrade(office, old, "--json"))
    assert [unit["lane"] for unit in told["units"]] == [4]
    assert office.state == state
    assert_refused(office.candidate("bob", "provision", old, "--bind"), "USAGE", 2)
    assert_refused(upgrade(office, old), "USAGE", 2)
    Network.new("other").save(other)
    assert_refused(upgrade(office, other), "FILE", 1)


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


WRONG: dict[str, Any] = {
    "numbers": -1,
    "next_lane": 6,
    "g": 3,
    "generations.operators": [99, 9, 9],
    "generations.g": 70000,
    "generations.revoked": [70000],
    "generations.members": [-1],
    "members.joined": 70000,
    "members.uid": "00 00",
    "members.label": "\x1b[2J",
    "members.who": "a\nb",
    "members.commitments": [["mac", "no"]],
    "bundles": ["QgE="],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_cannot_be_is_named(name: str, office: Administering) -> None:
    admit(office, "alice")
    values = json.loads(office.file.read_text())
    table, _, key = name.rpartition(".")
    (values[table][0] if table else values)[key] = WRONG[name]
    office.file.write_text(json.dumps(values))
    for command in ("show", "refresh"):
        refused = office.admin("network", command, office.file, *(() if command == "show" else ("--yes",)))
        assert_refused(refused, "NETWORK_FILE", 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_files_from_a_pipe(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    request, plain = office.request("bob"), tmp_path / "plain.ndksnet"
    Network.new("plain").save(plain)
    assert piped(tmp_path, plain, "network", "show").startswith("network     plain")
    assert piped(tmp_path, office.file, "network", "show").startswith("network     office, administrator 0")
    assert load_request(request).words in piped(tmp_path, request, "join", "inspect")
    assert piped(tmp_path, office.file, "network", "merge", "--yes", office.file).startswith("nothing was new")


def piped(directory: Path, file: Path, *words: object) -> str:
    """Run a command whose last argument is a pipe with the content of a file; return what it says."""
    pipe = directory / "pipe"
    os.mkfifo(pipe, 0o600)
    try:
        with subprocess.Popen(command_line(*words, pipe), env=environment(), stdout=subprocess.PIPE) as process:
            try:
                pipe.write_bytes(file.read_bytes())
                shown, _ = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
    finally:
        pipe.unlink()
    return shown.decode()


@pytest.mark.skipif(os.name != "posix", reason="this system has no pseudo-terminals")
@pytest.mark.parametrize("typed", [b"no\n", b"yea\n"])
def test_no_after_learning_says_what_was_learned(office: Administering, tmp_path: Path, typed: bytes) -> None:
    admit(office, "alice", "bob")
    (folder := tmp_path / "folder").mkdir()
    other = tmp_path / "other.ndksadmin"
    done(office.admin("network", "another", office.file, "-o", other, "--yes"))
    done(office.admin("network", "refresh", other, "--yes", "--carrier", f"dir:{folder}"))
    home = {HOME: str(office.home_of("administrator"))}
    for expected in ("has learned what other administrators did, and nothing else was changed", "nothing was changed"):
        refused = run_at_terminal(typed, "network", "refresh", office.file, "--carrier", f"dir:{folder}", **home)
        assert_refused(refused, "DECLINED", 1)
        assert expected in refused.stderr
    assert office.state.g == 1


def test_an_opening_of_another_request_is_not_overwritten(office: Administering) -> None:
    request = office.request_of("alice")
    taken = request.with_name(f"{request.name}.opening")
    taken.write_text("of another request")
    refused = office.candidate("alice", "join", "request", "-o", request)
    assert_refused(refused, "FILE", 1)
    assert "is not overwritten" in refused.stderr
    assert taken.read_text() == "of another request"
    assert not request.exists()
    done(office.candidate("alice", "join", "request", "-o", request, "--plain"))


def test_a_file_that_changes_while_nobody_has_confirmed_yet(office: Administering) -> None:
    admit(office, "alice", "bob")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ndks.cli.publication.confirm", lambda *_: _refreshed(office))
        refused = office.admin("network", "revoke", office.file, "bob")
        told = office.admin("network", "revoke", office.file, "alice", "--yes")
    assert_refused(refused, "USAGE", 2)
    assert "Generation 12 begins" in done(told).stderr
    assert "changed meanwhile" in refused.stderr
    assert office.state.revoked == (4,)


def _refreshed(office: Administering) -> None:
    with administrator_file.opened(office.file) as administrator:
        administrator.issue()


def test_a_package_that_no_unit_could_have_sealed(office: Administering) -> None:
    office.request("alice")
    done(office.approve("alice"))
    package = office.package_of("alice")
    sealed = json.loads(package.read_text())["sealed"]
    serial_number = load_request(office.request_of("alice")).serial_number
    for wrong in ("", sealed[:40], sealed + "00" * 1000, sealed + "00" * 100_000):
        change(package, sealed=wrong)
        refused = office.accept("alice", words="zoo zoo zoo zoo zoo zoo")
        assert refused.error_code in ("PACKAGE", "JOINING_FILE"), refused.stderr
    assert not (office.home_of("alice") / "agents" / f"{serial_number}.old").exists()
