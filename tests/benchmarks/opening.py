# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure which mode opens a capsule faster, for each cipher and size. `ndks decrypt` chooses the mode accordingly.

Unit and host run in this process, so its CPU time is that of both. Other programs do not affect it.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import ndks
from ndks_protocol import commands

SIZES = (1, 2, 4, 5, 8, 16, 64, 256)  # KB, chunks
REPETITIONS = 9


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:
        os.environ["NDKS_HOME"] = str(Path(name) / "home")
        network = ndks.Network.new("bench")
        with make_unit(Path(name), network, 1) as alice, make_unit(Path(name), network, 2) as bob:
            print("CPU ms    chunks  mode b  mode a  as chosen")
            for cipher in commands.CIPHERS:
                for chunks in SIZES:
                    capsule = alice.seal(bytes(chunks * commands.MAX_CHUNK - 16), cipher=cipher)
                    b, a, chosen = (measure(bob, capsule, mode) for mode in ("b", "a", ""))
                    print(f"{cipher:8}{chunks:8}{b:8.2f}{a:8.2f}{chosen:11.2f}", flush=True)


def make_unit(directory: Path, network: ndks.Network, lane: int) -> ndks.Unit:
    unit = ndks.open(f"emulator:{directory / str(lane)}", create=True)
    unit.bind(unit.provision(network, lane))
    return unit


def measure(unit: ndks.Unit, capsule: bytes, mode: str) -> float:
    """Return the median time of opening."""
    taken: list[float] = []
    for _ in range(REPETITIONS):
        started = time.process_time()
        unit.unseal(capsule, mode=mode, again=True)
        taken.append(1000 * (time.process_time() - started))
    return statistics.median(taken)


if __name__ == "__main__":
    main()
