# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks join accept` and `ndks provision` that are interrupted go on where they were."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from host.administering import Administering, answer, done, office
from host.running import assert_refused, run_signalled
from support.emulate_process import emulated

from ndks.agent.running import accepting
from ndks.agent.running.membership import Membership
from ndks.driver.unit import Unit
from ndks.network.member_package import MemberPackage

__all__ = ["office"]  # a fixture


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
