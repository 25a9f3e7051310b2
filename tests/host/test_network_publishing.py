# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How members hear of what was changed in an administrator's file: folders, brokers, datagrams, agents."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host.administering import Administering, admit, answer, done, office
from host.running import assert_refused, environment
from support import broker
from support.answers import complaints
from support.emulate_process import PATIENCE, wait_until
from support.forks import ndks_process
from support.ports import free_port

from ndks.cli import fields
from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS

__all__ = ["office"]  # a fixture


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
    one, two = free_port(), free_port()
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
        yield f"udp://127.0.0.1:{free_port()}?peer=127.0.0.1:{peer.getsockname()[1]}"


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
