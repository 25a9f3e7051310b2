# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Epochs and generations that change under load, at either end first; a gateway that is revoked."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.emulate_process import PATIENCE

from .crashing import Cable, Echo, Load, Server
from .gateway_process import Gateway, pair
from .members import Founded, founded


@dataclass
class Tunnel:
    network: Founded
    ends: tuple[Gateway, Gateway]
    cable: Cable
    load: Load
    port: int


@pytest.fixture
def tunnel(tmp_path: Path) -> Iterator[Tunnel]:
    with (
        founded(tmp_path) as network,
        tempfile.TemporaryDirectory(prefix="ndks-") as short,
        Server(("127.0.0.1", 0), Echo) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        a, b = network.members
        with pair(Path(short), (a.gate, b.gate), server.port) as (one, other, port):
            link = one.words[one.words.index("--connect") + 1]
            with Cable(int(link)) as cable:
                one.words = tuple(str(cable.port) if word == link else word for word in one.words)
                for each in (one, other):
                    each.start()
                one.wait_for_link()
                with Load(port) as load:
                    yield Tunnel(network, (one, other), cable, load, port)
                assert load.account.wrong == []
        server.shutdown()


def in_epoch(end: Gateway, epoch: int) -> None:
    """Wait until a gateway knows that its unit is in an epoch."""

    def holds(values: dict[str, Any]) -> bool:
        return values["unit"]["generation"] << 16 | values["unit"]["number"] == epoch

    end.wait(holds, f"the unit is in epoch {epoch}")


@pytest.mark.parametrize("first", [0, 1])
def test_renewals(tunnel: Tunnel, first: int) -> None:
    tunnel.load.goes_on()
    for number in (first, 1 - first):
        epoch = tunnel.network.members[number].renew()
        in_epoch(tunnel.ends[number], epoch)
        tunnel.cable.cut()
        tunnel.load.goes_on()
        tunnel.ends[0].end()  # a new process knows the pair door alone, and its unit's epochs
        tunnel.ends[0].start()
        tunnel.ends[0].wait_for_link()
        tunnel.load.goes_on()
    assert tunnel.ends[0].status()["handshakes"]["full"] >= 1


@pytest.mark.parametrize("first", [0, 1])
def test_a_unit_that_joins(tunnel: Tunnel, first: int) -> None:
    tunnel.load.goes_on()
    before = [end.status()["handshakes"]["full"] for end in tunnel.ends]
    tunnel.network.administrator.admit("0000000000ABCDEF")
    bundle = tunnel.network.administrator.issue()
    for number in (first, 1 - first):
        tunnel.network.members[number].enter(bundle)
        in_epoch(tunnel.ends[number], bundle.g << 16)
        tunnel.load.goes_on()
    for end, count in zip(tunnel.ends, before, strict=True):
        end.wait(lambda values, count=count: values["handshakes"]["full"] > count, "a link with new keys")
    tunnel.load.goes_on()
    assert tunnel.load.account.reset == 0


@pytest.mark.parametrize("revoked", [0, 1])
def test_a_gateway_that_is_revoked(tunnel: Tunnel, revoked: int) -> None:
    tunnel.load.goes_on()
    administrator, (a, b) = tunnel.network.administrator, tunnel.network.members
    stays = tunnel.ends[1 - revoked]
    with socket.create_connection(("127.0.0.1", tunnel.port), PATIENCE) as held:  # at times the load has none
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        administrator.revoke([(a, b)[revoked].lane])
        (a, b)[1 - revoked].enter(administrator.issue())
        seen = stays.wait(lambda values: values["link"] is None, "the link of the other one is cut")
    assert seen["peer"]["lane"] == (a, b)[revoked].lane
    assert seen["streams"]["open"] == 0 if revoked == 0 else seen["streams"]["resets"]
    assert "was revoked" in stays.log
    stays.wait(lambda values: values["handshakes"]["failed"], "no other link is made")
    assert stays.status()["link"] is None
    for end in tunnel.ends:  # applications would wait for a link
        end.close()
