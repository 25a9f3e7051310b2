# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks serve` in a separate process, which is killed and started again at the same port."""

import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.emulate_process import PATIENCE, wait_until
from support.forks import ndks_process, own_environment, run_ndks
from support.ndks_program import NdksProgram

from .key_servers import Client, Said

SITES = {
    "A": {"id": "KME_A", "peer": "KME_B", "here": ["SAE_A", "SAE_D"], "there": ["SAE_B", "SAE_C"]},
    "B": {"id": "KME_B", "peer": "KME_A", "here": ["SAE_B", "SAE_C"], "there": ["SAE_A", "SAE_D"]},
}
GROUPS = {"A": ["SAE_A", "SAE_D"], "B": ["SAE_B", "SAE_C"]}  # by the site of the slaves
_TEXT = """
[kme]
id = "{id}"
peer = "{peer}"
listen = "127.0.0.1:{port}"
certificate = "{id}.crt"
key = "{id}.key"
clients_ca = "ca.crt"
monitor = 0
[sae]
here = {here}
there = {there}
[groups]
to_a = ["SAE_A", "SAE_D"]
to_b = ["SAE_B", "SAE_C"]
[limits]
requests = 1000000
{limits}[ledger]
{ledger}
last_run = "{name}.last-run"
server = "{name}"
"""
# A program that believes an earlier time. What it measures by a steady clock goes on as it is, as when a clock is set.
_SET_BACK = """
import sys, time
seconds, now = float(sys.argv.pop(1)), time.time
time.time = lambda: now() - seconds
from ndks.cli import main
sys.exit(main())
"""


@dataclass
class KeyProcess(NdksProgram):
    """A server of keys: how it is started, and its process."""

    directory: Path  # certificates, and the configuration NAME.toml
    name: str
    unit: str

    @property
    def config(self) -> Path:
        return self.directory / f"{self.name}.toml"

    def write(self, site: str, ledger: str, port: int = 0, limits: str = "") -> None:
        """Write its configuration, as a server of a site; `limits` are lines of that section."""
        values = {key: json.dumps(value) if isinstance(value, list) else value for key, value in SITES[site].items()}
        self.config.write_text(_TEXT.format(**values, ledger=ledger, name=self.name, port=port, limits=limits))

    def start(self, set_back: float = 0.0, environment: dict[str, str] | None = None) -> None:
        """Start it, and return when it listens; `set_back`: by how many seconds its clock was."""

        def late(*words: str, **options: Any) -> "subprocess.Popen[str]":
            return subprocess.Popen([sys.executable, "-c", _SET_BACK, str(set_back), *words], **options)

        env = own_environment() | (environment or {})
        words = ("serve", "--config", str(self.config), "--unit", self.unit)
        self.run(self.directory / f"{self.name}.log", *words, env=env, start=late if set_back else ndks_process)

    def begin(self, how: str = "--first") -> dict[str, Any]:
        """Begin the ledger, and return the answer of the command."""
        unit = ("--unit", self.unit) if how == "--lost" else ()
        finished = run_ndks("serve", "ledger", "--config", self.config, how, *unit, "--json", timeout=PATIENCE)
        return json.loads(finished.stdout)

    @property
    def port(self) -> int:
        """The port at which clients come, once it runs."""
        return int(self.said["listens_at"].rpartition(":")[2])

    def client(self, sae: str) -> Client:
        return Client(self.directory, self.port, sae)

    def ask(self, sae: str, other: str, method: str, body: Any = None) -> Said:
        """Ask once, with a connection of its own."""
        with contextlib.closing(self.client(sae)) as client:
            return client.keys(other, method, body)

    def issue(self, number: int = 1) -> list[dict[str, str]]:
        """Return keys that a master of this site gets."""
        here, there = (sorted(SITES[self.site][side])[0] for side in ("here", "there"))
        said = self.ask(here, there, "enc_keys", {"number": number})
        assert said.status == 200, said
        return said.values["keys"]

    def deliver(self, keys: list[dict[str, str]]) -> Said:
        """Ask for keys as the slave of this site."""
        here, there = (sorted(SITES[self.site][side])[0] for side in ("here", "there"))
        return self.ask(here, there, "dec_keys", ids_of(keys))

    @property
    def site(self) -> str:
        return self.name[0]

    def wait_until_ready(self) -> None:
        """Wait until it has found its unit, and its ledger is well."""
        (here, *_), (there, *_) = SITES[self.site]["here"], SITES[self.site]["there"]
        with contextlib.closing(self.client(here)) as client:
            wait_until(lambda: client.get(f"/api/v1/keys/{there}/status").status == 200, f"{self.name}: {self.log}")

    def metric(self, name: str) -> int:
        """Return a count of /metrics, 0 if it is not there."""
        host, _, port = self.said["monitor_at"].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        return next((int(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0)

    def refused(self, why: str) -> int:
        """Return how many requests were refused for a reason."""
        return self.metric(f'ndks_serve_refusals_total{{reason="{why}"}}')


def ids_of(keys: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    return {"key_IDs": [{"key_ID": each["key_ID"]} for each in keys]}


def place_certificates(certificates: Path, directory: Path) -> None:
    for file in certificates.iterdir():
        (directory / file.name).symlink_to(file)


@contextlib.contextmanager
def closing_all(servers: list[KeyProcess]) -> Iterator[list[KeyProcess]]:
    try:
        yield servers
    finally:
        for each in servers:
            each.close()
