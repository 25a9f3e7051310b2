# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Links, processes and units of gateways are cut under load: no byte is lost, repeated, or out of order."""

import random
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.power_cuts import FULL

from .crashing import Cable, Echo, Load, Server, often
from .gateway_process import Gateway, pair
from .members import Founded, founded

CUTS, KILLS, UNPLUGS = (200, 50, 20) if FULL else (40, 8, 4)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founded(tmp_path_factory.mktemp("network")) as network:
        yield network


class Tunnel:
    """Both ends with a cable between, and load."""

    def __init__(self, a: Gateway, b: Gateway, cable: Cable, load: Load) -> None:
        self.a, self.b, self.cable, self.load = a, b, cable, load


@pytest.fixture
def tunnel(network: Founded) -> Iterator[Tunnel]:
    a, b = network.members
    with tempfile.TemporaryDirectory(prefix="ndks-") as short, Server(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pair(Path(short), (a.gate, b.gate), server.port) as (one, other, port):
            link = one.words[one.words.index("--connect") + 1]
            with Cable(int(link)) as cable:
                one.words = tuple(str(cable.port) if word == link else word for word in one.words)
                for each in (one, other):
                    each.start()
                one.wait_for_link()
                with Load(port) as load:
                    yield Tunnel(one, other, cable, load)
                assert load.account.wrong == []
        server.shutdown()


def test_links_that_are_cut(tunnel: Tunnel) -> None:
    tunnel.load.goes_on()
    often(CUTS, random.Random(1), tunnel.cable.cut)
    tunnel.load.goes_on()
    while tunnel.a.wait_for_link()["handshakes"]["resumed"] <= 2:  # few: after a short link there is a pause
        tunnel.cable.cut()
    tunnel.load.goes_on()
    assert (tunnel.load.account.reset, tunnel.load.account.refused) == (0, 0)


def test_processes_that_are_killed(tunnel: Tunnel) -> None:
    chance = random.Random(2)

    def kill() -> None:
        end = chance.choice((tunnel.a, tunnel.b))
        end.end(signal.SIGKILL)
        end.start()
        if chance.random() < 0.5:
            tunnel.load.goes_on()

    tunnel.load.goes_on()
    often(KILLS, chance, kill)
    tunnel.load.goes_on()
    assert tunnel.load.account.reset


def test_units_that_are_unplugged(tunnel: Tunnel, network: Founded) -> None:
    chance = random.Random(3)

    def unplug() -> None:
        number = chance.randrange(2)
        end, member = (tunnel.a, tunnel.b)[number], network.members[number]
        member.control.do("cable out")
        if chance.random() < 0.5:
            tunnel.cable.cut()
        tunnel.load.goes_on()
        member.control.do("cable in")
        end.wait(lambda values: values["unit"]["present"], "the unit is there")

    often(UNPLUGS, chance, unplug)
    tunnel.load.goes_on()
    assert tunnel.load.account.reset == 0
