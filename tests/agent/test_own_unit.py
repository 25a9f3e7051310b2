# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The administrator's own unit: its agent has the bundles of the administrator's file."""

from pathlib import Path

import pytest
from carriers.inbox import wait_until
from support.agents import NETWORK, ROOT, unit_of

from agent.running import Plugged, running
from agent.wire import Wire
from ndks.agent.running.office import Office
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.bundle import ASK


@pytest.mark.usefixtures("runtime")
def test_it_enters_all_generations_of_the_file_and_asks_nobody(tmp_path: Path) -> None:
    file = tmp_path / "office.ndksadmin"
    administrator_file.save(Administration(NETWORK, ROOT), file)
    for number in range(3):
        with administrator_file.opened(file) as admin:
            admin.admit(f"{0xABC000 + number:016X}")
            admin.issue()
    carrier, office = Wire(), Office(file)
    with running(Plugged(unit_of(admin, 4)), office.public, [carrier], tmp_path) as agent:
        agent.stop()
        agent.office = office
        carrier.sent.clear()
        agent.start()
        wait_until(lambda: agent.loop.agent and agent.loop.agent.epoch == 8 << 16, 2)
        assert not any(packet[0] == ASK for packet in carrier.sent)
