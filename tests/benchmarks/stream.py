# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The paper's primal key, 192,000,000 bits, from an emulated unit behind a pseudo-terminal.

python tests/benchmarks/stream.py [BITS]

Prints the time, and the peak memory of both processes: `ndks emulate` and `ndks stream`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from capsules import measure, ndks

PRIMAL_KEY = 192_000_000


def main(bits: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:
        directory = Path(name)
        os.environ["NDKS_HOME"] = str(directory / "home")
        ndks(directory, "network", "new", "bench")
        ndks(directory, "provision", "bench.ndksnet", "--bind", "--unit", "emulator:unit")
        emulate = [sys.executable, "-m", "ndks", "emulate", "unit"]
        with subprocess.Popen(emulate, cwd=directory, stdout=subprocess.PIPE, text=True) as unit:
            assert unit.stdout
            try:
                port = unit.stdout.readline().strip()
                stream = measure(directory, "stream", "--unit", port, "--bits", str(bits), "-o", "key")
                memory = peak_memory(unit.pid)
            finally:
                unit.terminate()
        assert (directory / "key").stat().st_size == -(-bits // 8)
    print(f"{bits} bits in {stream.seconds:.1f} s: {bits / stream.seconds / 1e6:.1f} Mbit/s")
    print(f"peak memory: ndks stream {stream.peak_memory / 1e6:.0f} MB, ndks emulate {memory / 1000:.0f} MB")


def peak_memory(pid: int) -> int:
    """Return the peak memory of a process in KB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PRIMAL_KEY)
