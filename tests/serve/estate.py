# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two sites of two servers each: site A with a unit and a file of SQLite, site B with two units and PostgreSQL."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

from gateways.members import Founded, Member, founded
from support.ports import free_port

from .databases import Cluster
from .key_processes import KeyProcess, closing_all, place_certificates

_SERVERS = ("A1", "A2", "B1", "B2")
_UNIT_OF = {"A1": 0, "A2": 0, "B1": 1, "B2": 2}


class Estate:
    """All that runs. What is killed is started again at once."""

    def __init__(self, network: Founded, servers: list[KeyProcess], cluster: Cluster) -> None:
        self.network = network
        self.servers = servers
        self.cluster = cluster

    def kill_server(self, number: int) -> None:
        server = self.servers[number % len(self.servers)]
        server.end(signal.SIGKILL)
        server.start()

    def kill_unit(self, number: int) -> None:
        member = self._member(number)
        member.kill_unit()
        member.plug()

    def kill_service(self, number: int) -> None:
        member = self._member(number)
        member.kill_service()
        member.serve()

    def kill_database(self, _: int) -> None:
        self.cluster.stop(kill=True)
        self.cluster.start()

    def wait_until_ready(self) -> None:
        for server in self.servers:
            server.wait_until_ready()

    def _member(self, number: int) -> Member:
        return self.network.members[number % len(self.network.members)]


@contextlib.contextmanager
def estate(directory: Path, certificates: Path, cluster: Cluster) -> Iterator[Estate]:
    place_certificates(certificates, directory)
    ledgers = {"A": 'file = "a.sqlite"', "B": f'postgresql = "{cluster.new_database()}"'}
    with founded(directory, 3) as network:
        servers = [KeyProcess(directory, name, network.members[_UNIT_OF[name]].gate) for name in _SERVERS]
        with closing_all(servers):
            for server in servers:
                server.write(server.site, ledgers[server.site], free_port())
            for server in (servers[0], servers[2]):
                assert server.begin() == {"schema": 1, "born": None}
            for server in servers:
                server.start()
            found = Estate(network, servers, cluster)
            found.wait_until_ready()
            yield found
