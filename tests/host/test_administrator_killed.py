# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SIGKILL between an administrator's file and what is written after it: no lane is given twice, and all goes on."""

import signal
import subprocess
import sys

import pytest
from host.administering import AGREED, Administering, answer, done, office
from host.running import PATIENCE, assert_refused, environment

from ndks.network.join_request import load_request
from ndks.network.network_file import Network

__all__ = ["office"]  # a fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGKILL")

_KILLED_AT = """
import os, signal, sys
from importlib import import_module
module, kind, method = sys.argv.pop(1).split(":")
setattr(getattr(import_module(module), kind), method, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
import ndks.cli
sys.exit(ndks.cli.main())
"""


def kill_at(place: str, *arguments: object) -> None:
    """Run a command that is killed when it calls module:class:method."""
    words = [sys.executable, "-c", _KILLED_AT, place, *map(str, arguments)]
    ended = subprocess.run(words, env=environment(), capture_output=True, timeout=PATIENCE, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_an_upgrade_is_killed_between_the_file_and_the_network_file(office: Administering) -> None:
    old = office.directory / "lab.ndksnet"
    done(office.admin("network", "new", "lab", "-o", old))
    done(office.candidate("alice", "provision", old, "--bind"))
    office.file.unlink()
    upgrade = ("network", "upgrade", old, "-o", office.file, "--yes")
    kill_at("ndks.network.network_file:Network:closed", *upgrade)
    state = office.state
    assert Network.load(old).gives_lanes
    assert answer(office.admin(*upgrade, "--json"))["generation"] == 0
    assert (office.state, Network.load(old).gives_lanes) == (state, False)
    assert_refused(office.admin(*upgrade), "USAGE", 2)


def test_an_approval_is_killed_between_the_file_and_the_package(office: Administering) -> None:
    request, package = office.request("alice"), office.package_of("alice")
    words = ("--words", load_request(request).words, "--yes", *AGREED)
    where = ("--network", office.file, "-o", package)
    kill_at("ndks.network.member_package:MemberPackage:save", "join", "approve", request, *where, *words)
    assert office.state.present == (4,)
    assert not package.exists()
    again = office.approve("alice")
    assert_refused(again, "USAGE", 2)
    assert "if no package was written: ndks network retire FILE 4 first" in again.advice
    done(office.admin("network", "retire", office.file, 4, "--yes"))
    office.forget_request("alice")
    assert office.join("alice")["lane"] == 8
