# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The administrator's own unit: its agent has the bundles of the administrator's file, and publishes the newest."""

from pathlib import Path

import pytest
from carriers.inbox import wait_until
from support.agents import NETWORK, ROOT, unit_of

from agent.running import Plugged, running
from agent.wire import Wire
from ndks.agent.running.office import Office
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import ASK, BUNDLE

_CAPSULE = 1


def _made(directory: Path) -> tuple[Path, Administrator]:
    """Make an administrator's file with three members, each with a generation."""
    file = directory / "office.ndksadmin"
    administrator_file.save(Administration(NETWORK, ROOT), file)
    for number in range(3):
        with administrator_file.opened(file) as admin:
            admin.admit(f"{0xABC000 + number:016X}")
            admin.issue()
    return file, admin


@pytest.mark.usefixtures("runtime")
def test_it_enters_all_generations_of_the_file_publishes_the_newest_and_asks_nobody(tmp_path: Path) -> None:
    file, admin = _made(tmp_path)
    carrier, office = Wire(), Office(file)
    with running(Plugged(unit_of(admin, 4)), office.public, [carrier], tmp_path) as agent:
        with agent.client() as client:
            client.ask("send", data="")
        agent.stop()
        agent.office = office
        carrier.sent.clear()
        agent.start()
        wait_until(lambda: agent.loop.agent and agent.loop.agent.epoch == 8 << 16)
        newest = admin.state.bundles[-1].content
        wait_until(lambda: any(packet[0] == _CAPSULE for packet in carrier.sent))
        assert carrier.sent[0] == newest  # before the message, which nobody can read without it
        assert {packet for packet in carrier.sent if packet[0] in (ASK, BUNDLE)} == {newest}


def test_the_newest_is_published_in_the_first_tick_and_not_again_when_the_unit_is_back(tmp_path: Path) -> None:
    file, admin = _made(tmp_path)
    office = Office(file)
    assert office.known() == [bundle.content for bundle in admin.state.bundles]  # for the own unit
    assert office.tick(1) == [admin.state.bundles[-1].content]
    office.known()
    assert office.tick(1) == []


def test_the_newest_is_not_published_when_somebody_else_has_at_the_start(tmp_path: Path) -> None:
    file, admin = _made(tmp_path)
    for published, packets in (0, [admin.state.bundles[-1].content]), (-1, list[bytes]()):
        office = Office(file)
        assert office.receive(admin.state.bundles[published].content) == []
        assert office.tick(1) == packets
