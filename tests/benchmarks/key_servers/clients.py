# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Clients that ask as fast as answers come, each on connections that it keeps, and what they see."""

import secrets
import ssl
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from serve.key_servers import Client

from benchmarks.gateways.processes import cpu_seconds

OK = 200
ENC, DEC = "enc_keys", "dec_keys"
REFUSED = (400, 401)  # an id is in the shape of one once in 2^15, and then not for this SAE
IDS = 128  # in a request
Figures = dict[str, float]


class Served(NamedTuple):
    """A pair of servers: where the master asks and where the slave does, and the processes behind them."""

    master: int
    slave: int
    processes: tuple[int, ...]
    directory: Path  # with certificates
    slave_process: int = 0


_SAYS_JSON = {"Content-Type": "application/json"}  # qkd-stub needs it


class Kept:
    """A connection of an SAE, over which whole requests are sent."""

    def __init__(self, directory: Path, port: int, sae: str) -> None:
        self._client = Client(directory, port, sae)
        self._client.context.options |= ssl.OP_NO_RENEGOTIATION

    def ask(self, other: str, method: str, body: Any) -> Any:
        """Return the keys of the answer, or its status if it is a refusal."""
        said = self._client.ask("POST", f"/api/v1/keys/{other}/{method}", body, **_SAYS_JSON)
        return said.values["keys"] if said.status == OK else said.status

    def close(self) -> None:
        self._client.close()


def pairs(served: Served, clients: int, seconds: float, number: int = 1) -> Figures:
    """Return pairs of enc_keys and dec_keys a second, of `number` keys each, the time of each, and CPU a pair."""
    ends, counts = time.monotonic() + seconds, [0] * clients
    took: dict[str, list[float]] = {ENC: [], DEC: []}

    def work(which: int) -> None:
        master, slave = (
            Kept(served.directory, port, sae) for port, sae in ((served.master, "SAE_A"), (served.slave, "SAE_B"))
        )
        while not counts[which] or time.monotonic() < ends:
            at = time.perf_counter()
            new = master.ask("SAE_B", ENC, {"number": number, "size": 256})
            then = time.perf_counter()
            assert isinstance(new, list), f"{ENC}: {new}"
            same = slave.ask("SAE_A", DEC, {"key_IDs": [{"key_ID": each["key_ID"]} for each in new]})
            took[ENC].append(then - at)
            took[DEC].append(time.perf_counter() - then)
            assert same == new, f"{DEC}: {same if isinstance(same, int) else 'other keys'}"
            counts[which] += 1
        master.close()
        slave.close()

    before, began = cpu_seconds(served.processes), time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))  # raises what a client has met
    took_whole, cpu = time.monotonic() - began, cpu_seconds(served.processes) - before
    done = sum(counts)
    assert done, "no pair came"
    return {
        "pairs/s": done / took_whole,
        "keys/s": done * number / took_whole,
        "CPU ms": 1000 * cpu / done,
        "enc p50": 1000 * statistics.median(took[ENC]),
        "enc p99": 1000 * _late(took[ENC]),
        "dec p50": 1000 * statistics.median(took[DEC]),
    }


def wrong_ids(served: Served, count: int) -> Figures:
    """Let an SAE ask for so many ids that no server has made; return CPU and memory of the server that it asks."""
    process = (served.slave_process,)
    slave = Kept(served.directory, served.slave, "SAE_B")
    alone, requests = count // 100, count // IDS
    for _ in range(20):
        slave.ask("SAE_A", DEC, _guessed(IDS))
    memory = memory_of(served.slave_process)
    figures: Figures = {}
    for name, times, ids in (("one", alone, 1), ("many", requests, IDS)):
        before = cpu_seconds(process)
        for _ in range(times):
            said = slave.ask("SAE_A", DEC, _guessed(ids))
            assert said in REFUSED, said
        figures[f"CPU us, {name}"] = 1e6 * (cpu_seconds(process) - before) / (times * ids)
    figures["MB more"] = (memory_of(served.slave_process) - memory) / 1e6
    slave.close()
    return figures


def _guessed(number: int) -> dict[str, list[dict[str, str]]]:
    return {"key_IDs": [{"key_ID": str(uuid.UUID(bytes=secrets.token_bytes(16)))} for _ in range(number)]}


def memory_of(process: int) -> int:
    """Return the resident memory of a process in bytes."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


def _late(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]
