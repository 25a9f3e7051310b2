# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands that change an administrator's file, what they refuse, and how members hear of it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host.administering import Administering, admit, answer, done, office
from host.running import assert_refused, command_line, environment, run_at_terminal
from support import broker
from support.answers import complaints
from support.authority import Authority
from support.emulate_process import PATIENCE, wait_until
from support.forks import ndks_process
from support.ports import free_udp_port

from ndks.cli import fields
from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS
from ndks.network import administrator_file
from ndks.network.administrator import Administrator
from ndks.network.generation import State

__all__ = ["office"]  # a fixture


def test_founding(office: Administering, tmp_path: Path) -> None:
    state = office.state
    assert (state.number, state.g, state.members, state.authority) == (0, -1, (), "")
    assert stat.S_IMODE(office.file.stat().st_mode) == 0o600
    new = ("network", "new", "office", "--administered", "-o", office.file)
    assert_refused(office.admin(*new), "FILE", 1)
    assert_refused(office.admin(*new, "--force"), "USAGE", 2)
    assert office.state == state
    other = tmp_path / "other.ndksadmin"
    for key in ("ssh-rsa AAAA", "ssh-ed25519 AAAA", tmp_path / "missing.pub", office.file):
        refused = office.admin("network", "new", "other", "--administered", "--authority", key, "-o", other)
        assert refused.error_code in ("USAGE", "FILE"), key
        assert not other.exists()
    authority = Authority(tmp_path)
    told = answer(
        office.admin(
            "network", "new", "other", "--administered", "--authority", authority.public_path, "-o", other, "--json"
        )
    )
    assert told["authority"] == authority.public_path.read_text().strip()
    assert_refused(office.admin("network", "new", "plain", "--authority", "x", "-o", tmp_path / "p"), "USAGE", 2)
    assert "no generation yet" in office.admin("network", "show", other).text
    assert state.network.p1 not in office.admin("network", "show", other).text


def test_revoked_and_retired(office: Administering) -> None:
    admit(office, "alice", "bob", "carol", "dave")
    revoke, retire = ("network", "revoke", office.file), ("network", "retire", office.file)
    told = office.admin(*revoke, "bob", "0000000000abc002", "--yes", "--json")
    assert "lane 8, bob" in told.stderr
    assert "Generation 4 begins for 2 members" in told.stderr
    assert [unit["label"] for unit in answer(told)["units"]] == ["bob", "carol"]
    assert answer(told)["revoked_count"] == 2
    assert "is retired" in done(office.admin(*retire, 4, "--yes")).text
    assert [member.state for member in office.state.members] == [State.RETIRED, State.REVOKED, State.REVOKED, State.IN]
    state = office.state
    for who in (8, 99, "erin", "0000000000ABCFFF", "99999"):
        for command in (revoke, retire):
            assert_refused(office.admin(*command, who, "--yes"), "USAGE", 2)
    unconfirmed = office.admin(*revoke, "dave")
    assert_refused(unconfirmed, "USAGE", 2)
    assert "lane 16, dave" in unconfirmed.stderr
    declined = run_at_terminal(b"no\n", *revoke, "dave")
    assert_refused(declined, "DECLINED", 1)
    assert office.state == state
    done(run_at_terminal(b"yes\n", *revoke, "dave"))
    assert office.state.present == ()


def test_several_units_of_one_label(office: Administering) -> None:
    admit(office, "alice", "alice")
    refused = office.admin("network", "revoke", office.file, "alice", "--yes")
    assert_refused(refused, "USAGE", 2)
    assert "several" in refused.stderr


def test_refreshed(office: Administering) -> None:
    refresh = ("network", "refresh", office.file, "--yes")
    assert_refused(office.admin(*refresh), "USAGE", 2)  # nobody is there
    admit(office, "alice")
    told = answer(office.admin(*refresh, "-d", 4, "--f1", "hyperbolic", "--json"))
    assert (told["generation"], told["digits"], told["f1"], told["f2"]) == (4, 4, "hyperbolic", "cosine")
    assert office.state.operators[0] == 4
    for wrong in (("-d", 13), ("-d", 0), ("--f1", "tangent")):
        assert_refused(office.admin(*refresh, *wrong), "USAGE", 2)
    assert answer(office.admin(*refresh, "--json"))["digits"] == 4
    secrets = {each.secret for each in office.state.generations}
    assert len(secrets) == 3


def test_administrators_apart_are_merged(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob", "carol")
    second = tmp_path / "second.ndksadmin"
    told = answer(office.admin("network", "another", office.file, "-o", second, "--yes", "--json"))
    assert (told["administrator"], told["revocations"], office.state.revocations) == (1, 24, 72)
    assert stat.S_IMODE(second.stat().st_mode) == 0o600
    done(office.admin("network", "revoke", office.file, "alice", "--yes"))
    done(office.admin("network", "revoke", second, "bob", "--yes"))
    told = answer(office.admin("network", "merge", office.file, second, "--yes", "--json"))
    assert (told["merged"], told["revoked_count"]) == (True, 2)
    told = office.admin("network", "merge", office.file, second, "--yes")
    assert "nothing was new" in done(told).text
    told = answer(office.admin("network", "merge", second, office.file, "--yes", "--json"))
    assert (told["merged"], told["generation"], told["revoked_count"]) == (False, office.state.g, 2)
    assert_refused(office.admin("network", "another", second, "-o", tmp_path / "third", "--yes"), "USAGE", 2)
    for name in ("third", "fourth"):
        done(office.admin("network", "another", office.file, "-o", tmp_path / name, "--yes"))
    assert_refused(office.admin("network", "another", office.file, "-o", tmp_path / "fifth", "--yes"), "USAGE", 2)
    assert not (tmp_path / "fifth").exists()


def test_bundles_that_are_refused(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    merge = ("network", "merge", office.file)
    other = tmp_path / "other.ndksadmin"
    done(office.admin("network", "new", "other", "--administered", "-o", other))
    assert_refused(office.admin(*merge, other, "--yes"), "CHECK_FAILED", 1)  # it has none
    with administrator_file.opened(other) as administrator:
        administrator.admit("0000000000ABC000")
        foreign = administrator.issue().content
    own = office.state.bundles[-1].content
    altered = own[:-1] + bytes([own[-1] ^ 1])
    files = {"foreign": foreign, "cut": own[:-9], "altered": altered, "empty": b"", "text": b"hi"}
    state = office.state
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert_refused(office.admin(*merge, path, "--yes"), "CHECK_FAILED", 1)
    assert_refused(office.admin(*merge, other, "--yes"), "CHECK_FAILED", 1)
    assert_refused(office.admin(*merge, tmp_path / "missing", "--yes"), "FILE", 1)
    assert_refused(office.admin(*merge, "--yes"), "USAGE", 2)
    assert office.state == state


def test_files_that_are_damaged_or_shown_to_others(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    content = office.file.read_text()
    values: dict[str, Any] = json.loads(content)
    plain = tmp_path / "plain.ndksnet"
    done(office.admin("network", "new", "plain", "-o", plain))
    damages = [content[: len(content) // 2], "", "[]", json.dumps(values | {"more": 1}), plain.read_text()]
    damages += [json.dumps(values | {"ndks_administrator": 2})]
    commands = (("show",), ("revoke", 4, "--yes"), ("refresh", "--yes"), ("another", "-o", tmp_path / "x", "--yes"))
    for damaged in damages:
        office.file.write_text(damaged)
        for name, *more in commands:
            finished = office.admin("network", name, office.file, *more)
            if name == "show" and damaged == plain.read_text():
                continue
            assert_refused(finished, "NETWORK_FILE", 1)
            assert values["root"] not in finished.stderr
        assert office.file.read_text() == damaged
    office.file.write_text(content)
    office.file.chmod(0o644)
    for name, *more in commands:
        assert_refused(office.admin("network", name, office.file, *more), "FILE", 1)
    assert_refused(office.admin("network", "refresh", tmp_path / "missing.ndksadmin", "--yes"), "FILE", 1)
    assert_refused(office.admin("network", "publish", plain, "--carrier", "dir:."), "NETWORK_FILE", 1)


def test_published_in_a_folder(office: Administering, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    publish = ("network", "publish", office.file, "--carrier", f"dir:{stick}")
    assert_refused(office.admin(*publish), "USAGE", 2)  # there is nothing yet
    admit(office, "alice", "bob")
    told = answer(office.admin(*publish, "--json"))
    assert (told["heard"], told["retained"], told["generation"]) == (False, True, 0)
    assert len(list(stick.iterdir())) == 1
    old = tmp_path / "backup.ndksadmin"
    shutil.copy(office.file, old)
    told = answer(office.admin("network", "revoke", office.file, "bob", "--yes", "--carrier", f"dir:{stick}", "--json"))
    assert (told["generation"], told["retained"]) == (4, True)
    # An old copy learns what the folder has before it acts: it gives no generation twice.
    told = answer(office.admin("network", "refresh", old, "--yes", "--carrier", f"dir:{stick}", "--json"))
    assert (told["generation"], told["revoked_count"]) == (8, 1)
    assert_refused(office.admin(*publish[:-1], "dir:/nowhere"), "USAGE", 2)
    assert_refused(office.admin(*publish[:-1], "ftp://x"), "USAGE", 2)


def test_an_old_copy_of_a_file(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    old = tmp_path / "copy.ndksadmin"
    shutil.copy(office.file, old)
    done(office.admin("network", "revoke", office.file, "bob", "--yes"))
    kept = old.read_bytes()
    for command in (("refresh", old), ("revoke", old, "alice"), ("another", old, "-o", tmp_path / "other")):
        refused = office.admin("network", *command, "--yes")
        assert_refused(refused, "FILE", 1)
        assert "an old copy: it has generation 0, and 4 was made here since" in refused.stderr
        assert "ndks network merge" in refused.advice
    own_unit = ("provision", old, "--bind", "--yes", "--unit", office.port_of("carol"))
    assert_refused(office.admin(*own_unit), "FILE", 1)
    assert old.read_bytes() == kept
    stick = tmp_path / "stick"
    stick.mkdir()
    done(office.admin("network", "publish", office.file, "--carrier", f"dir:{stick}"))
    done(office.admin("network", "merge", old, "--carrier", f"dir:{stick}", "--yes"))
    assert answer(office.admin("network", "refresh", old, "--yes", "--json"))["generation"] == 8


def test_a_broker_that_is_away(office: Administering) -> None:
    admit(office, "alice", "bob")
    url = "mqtt://127.0.0.1:1/ndks/office"
    refused = office.admin("network", "revoke", office.file, "bob", "--yes", "--carrier", url, "--seconds", "0.5")
    assert_refused(refused, "CARRIER", 6)
    assert "ndks network publish" in refused.advice
    assert office.state.g == 4  # the file has it


@pytest.mark.skipif(not broker.PROGRAM, reason="needs mosquitto")
def test_published_by_a_broker(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    second = tmp_path / "second.ndksadmin"
    done(office.admin("network", "another", office.file, "-o", second, "--yes"))
    with broker.running(tmp_path / "broker") as running:
        carrier = ("--carrier", f"mqtt://127.0.0.1:{running.port}/ndks/office", "--json", "--yes")
        told = answer(office.admin("network", "revoke", office.file, "bob", *carrier))
        assert (told["generation"], told["retained"]) == (4, True)
        told = answer(office.admin("network", "revoke", second, "alice", *carrier))
        assert (told["generation"], told["revoked_count"]) == (5, 2)
        told = answer(office.admin("network", "merge", office.file, *carrier))
        assert (told["generation"], told["revoked_count"]) == (5, 2)


@contextlib.contextmanager
def agent(office: Administering, name: str, *options: object) -> Iterator[None]:
    """Run an agent at the laptop of a member, until the block ends."""
    words = ("agent", "--unit", office.port_of(name), "--json", "--tick", "0.1", *options)
    at_home = environment({HOME: str(office.home_of(name)), SOCKETS: os.environ[SOCKETS]})
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with ndks_process(*words, env=at_home, **pipes) as process:
        try:
            assert process.stdout
            assert process.stdout.readline()
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_the_life_of_a_network(office: Administering, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    carrier = ("--carrier", f"dir:{folder}")
    serial_numbers = {
        "alice": answer(office.candidate("alice", "provision", office.file, "--bind", "--yes", "--json"))[
            "serial_number"
        ],
        "bob": office.join("bob")["serial_number"],
    }

    def ask(name: str, *arguments: object) -> dict[str, Any]:
        """Run a command with a member's agent; its answer has the fields of the table."""
        said = answer(office.at(name, *arguments, "--unit", serial_numbers[name], "--json"))
        form = next(form for form in (f"{arguments[0]} {arguments[1]}", str(arguments[0])) if form in fields.ANSWERS)
        known = fields.fields_of(fields.ANSWERS[form])
        assert list(complaints({field: value for field, value in said.items() if field != "schema"}, known)) == []
        return said

    def is_in(name: str, generation: int) -> bool:
        return ask(name, "network", "status")["unit"].get("generation") == generation

    other = tmp_path / "other.ndksadmin"
    done(office.admin("network", "new", "other", "--administered", "-o", other))
    refused = office.candidate("alice", "agent", *carrier, "--network", other)
    assert_refused(refused, "USAGE", 2)
    with agent(office, "alice", *carrier, "--network", office.file), agent(office, "bob", *carrier):
        wait_until(lambda: is_in("alice", 4) and is_in("bob", 4), "both are in generation 4")
        done(office.admin("network", "refresh", office.file, "--yes"))
        wait_until(lambda: is_in("alice", 8) and is_in("bob", 8), "the agent publishes what a command did")
        assert ask("bob", "role", "relay", "--yes") == {"schema": 1, "role": "relay"}
        assert ask("bob", "network", "renew", "--yes")["number"] == 1
        ask("alice", "send", "--text", "noon")
        wait_until(lambda: ask("bob", "network", "status")["arrivals"], "the message arrives")
        assert ask("bob", "receive", "--json")["kind"] == "message"
        ask("alice", "send", "--symbols", "--text", "01..1")
        wait_until(lambda: ask("bob", "network", "status")["arrivals"], "the symbols arrive")
        assert ask("bob", "receive", "--json")["symbols"] == "01..1"
        done(office.admin("network", "revoke", office.file, "bob", "--yes"))
        wait_until(lambda: is_in("alice", 12), "the others go on")
        assert is_in("bob", 8)
    assert_refused(office.at("bob", "network", "renew", "--yes"), "NO_UNIT", 3)


def test_published_by_datagrams_until_a_member_is_heard(office: Administering) -> None:
    done(office.candidate("alice", "provision", office.file, "--bind", "--yes"))
    one, two = free_udp_port(), free_udp_port()
    there, here = (f"udp://127.0.0.1:{a}?peer=127.0.0.1:{b}" for a, b in ((one, two), (two, one)))
    with agent(office, "alice", "--carrier", there):
        told = answer(office.admin("network", "refresh", office.file, "--yes", "--carrier", here, "--json"))
    assert (told["heard"], told["generation"]) == (True, 4)
    silent = ("--carrier", here, "--seconds", "0.3")
    told = done(office.admin("network", "refresh", office.file, "--yes", *silent))
    assert "no member was heard yet" in told.text


def test_a_damaged_member_file_is_named(office: Administering, tmp_path: Path) -> None:
    joined = answer(office.candidate("alice", "provision", office.file, "--bind", "--yes", "--json"))
    path = office.home_of("alice") / "agents" / joined["serial_number"] / "member.json"
    content = path.read_text()
    for damaged in ("", "[]", content[:30], content.replace(": 1,", ": 2,"), content.replace('"tick": 1', '"tick": 0')):
        path.write_text(damaged)
        refused = office.candidate("alice", "agent", "--carrier", f"dir:{tmp_path}")
        assert_refused(refused, "FILE", 1)
        assert "member.json is damaged" in refused.stderr


def test_a_killed_command_leaves_the_file_whole(office: Administering) -> None:
    admit(office, "alice")
    generations = office.state.g
    for _ in range(5):
        words = command_line("network", "refresh", office.file, "--yes")
        with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stderr
            process.stderr.readline()  # it has said what it will do
            process.kill()
        assert office.state.g in (generations, generations + 4)
        generations = office.state.g
    Administrator(office.state).issue()


def old_copy(office: Administering, directory: Path) -> Path:
    """Return a copy of the file, in which a generation was made since."""
    admit(office, "alice")
    old = directory / "copy.ndksadmin"
    shutil.copy(office.file, old)
    done(office.admin("network", "refresh", office.file, "--yes"))
    return old


@pytest.mark.parametrize("command", [("refresh",), ("revoke", "alice"), ("retire", "alice"), ("another", "-o", "new")])
def test_an_old_copy_is_refused_before_anything_is_said(
    command: tuple[str, ...], office: Administering, tmp_path: Path
) -> None:
    old, (name, *more) = old_copy(office, tmp_path), command
    refused = office.admin("network", name, old, *more, "--yes")
    assert_refused(refused, "FILE", 1)
    assert refused.stderr.startswith("ndks: FILE: ")


def test_an_old_copy_admits_nobody_and_asks_for_no_words(office: Administering, tmp_path: Path) -> None:
    old, request = old_copy(office, tmp_path), office.request("bob")
    refused = office.admin(
        "join", "approve", request, "--network", old, "--who", "Dora", "-o", tmp_path / "package", "--yes"
    )
    assert_refused(refused, "FILE", 1)
    assert "an old copy" in refused.stderr
    assert refused.stderr.startswith("ndks: FILE: ")
    provision = office.admin("provision", old, "--bind", "--yes", "--unit", office.port_of("carol"))
    assert_refused(provision, "FILE", 1)
    assert provision.stderr.startswith("ndks: FILE: ")


def test_what_cannot_be_merged_is_refused_before_anything_is_said(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    other = tmp_path / "other.ndksadmin"
    done(office.admin("network", "new", "other", "--administered", "-o", other))
    done(office.candidate("zoe", "provision", other, "--bind", "--yes"))
    refused = office.admin("network", "merge", office.file, other, "--yes")
    assert_refused(refused, "CHECK_FAILED", 1)
    assert refused.stderr.startswith("ndks: CHECK_FAILED: ")


def test_only_a_member_is_heard(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    second, folder = tmp_path / "second.ndksadmin", tmp_path / "folder"
    folder.mkdir()
    carrier = ("--carrier", f"dir:{folder}", "--yes", "--json")
    done(office.admin("network", "another", office.file, "-o", second, "--yes"))
    done(office.admin("network", "refresh", second, *carrier))
    told = answer(office.admin("network", "merge", office.file, *carrier))
    assert (told["generation"], told["heard"], told["retained"]) == (1, False, True)


@contextlib.contextmanager
def silence() -> Iterator[str]:
    """Yield a carrier by whose datagrams nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        yield f"udp://127.0.0.1:{free_udp_port()}?peer=127.0.0.1:{peer.getsockname()[1]}"


def test_nobody_is_awaited_where_nobody_can_be_heard(office: Administering) -> None:
    office.request("alice")
    began = time.monotonic()
    with silence() as url:
        approved = done(office.approve("alice", "--carrier", url, "--seconds", str(PATIENCE)))
    assert time.monotonic() - began < PATIENCE / 2
    assert "no other member is there that could be heard" in approved.text
    assert "Ctrl-C" not in approved.stderr


def test_ctrl_c_ends_only_the_publication(office: Administering) -> None:
    admit(office, "alice")
    at_home = environment({HOME: str(office.home_of("administrator"))})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with silence() as url:
        words = ("network", "refresh", office.file, "--yes", "--carrier", url)
        with ndks_process(*words, env=at_home, **pipes) as process:
            assert process.stderr
            lines = [process.stderr.readline().decode() for _ in range(2)]
            until = "until a member is heard in it, for 60 s at most; Ctrl-C ends that, and takes nothing back"
            assert f"generation 4 is published {until}" in lines[1]
            process.send_signal(signal.SIGINT)
            said = process.stderr.read().decode()
            assert process.wait(PATIENCE) == 130
    assert "INTERRUPTED" in said
    assert "the file has it: ndks network publish" in said
    assert office.state.g == 4
