# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure the speed and memory of `ndks encrypt` and `ndks decrypt` with an emulated unit.

python tests/benchmarks/capsules.py [MEGABYTES]

Every row is a process of its own, and counts its CPU time, so that other programs affect it little. The yardstick, in
the same run, is AES-256-CTR and HMAC-SHA256 of the libraries on the same file in the same chunks: no unit, no frames.
"""

import filecmp
import hashlib
import hmac
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CHUNK = 1024
SMALL = 1  # megabytes
VERNAM = 1
MEGABYTE = 1_000_000


@dataclass
class Measured:
    seconds: float  # of CPU time
    peak_memory: int  # bytes


def main(megabytes: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:
        directory = Path(name)
        os.environ["NDKS_HOME"] = str(directory / "home")
        for unit in ("alice", "bob"):
            prepare(directory, unit)
        print(f"{'':32}{'MB':>6}{'CPU s':>8}{'MB/s':>8}{'peak MB':>9}  share of the yardstick")
        yardstick = bench_library(directory, megabytes)
        for cipher, mode, size in (
            *(("aes", mode, size) for size in (SMALL, megabytes) for mode in "ba"),
            *(("vernam", mode, VERNAM) for mode in "ba"),
        ):
            bench_capsule(directory, cipher, mode, size, yardstick)


def prepare(directory: Path, unit: str) -> None:
    if unit == "alice":
        ndks(directory, "network", "new", "bench")
    ndks(directory, "provision", "bench.ndksnet", "--bind", "--unit", f"emulator:{unit}")


def bench_library(directory: Path, megabytes: int) -> float:
    plain = make_file(directory, megabytes)
    measured = run_apart(lambda: seal_with_libraries(plain, directory / "library"))
    return row("AES and HMAC of the libraries", megabytes, measured, None)


def bench_capsule(directory: Path, cipher: str, mode: str, size: int, yardstick: float) -> None:
    plain = make_file(directory, size)
    capsule, opened = directory / "capsule", directory / "opened"
    begin = ["--force", "--mode", mode]
    for verb, who, source, target in (("encrypt", "alice", plain, capsule), ("decrypt", "bob", capsule, opened)):
        options = [*begin, "--cipher", cipher] if verb == "encrypt" else begin
        command = (verb, str(source), "-o", str(target), "--unit", f"emulator:{who}", *options)
        row(f"{verb}, cipher {cipher}, mode {mode}", size, measure(directory, *command), yardstick)
    if not filecmp.cmp(plain, opened, shallow=False):  # piece by piece: a child begins with its parent's memory
        raise AssertionError("what was decrypted is not what was encrypted")


def make_file(directory: Path, megabytes: int) -> Path:
    path = directory / f"{megabytes}"
    if not path.exists():
        with path.open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(MEGABYTE))
    return path


def seal_with_libraries(source: Path, target: Path) -> None:
    encryptor = Cipher(algorithms.AES256(bytes(32)), modes.CTR(bytes(16))).encryptor()
    with source.open("rb") as plain, target.open("wb") as sealed:
        while data := plain.read(CHUNK):
            chunk = encryptor.update(data)
            sealed.write(chunk + hmac.digest(bytes(32), chunk, hashlib.sha256)[:16])
        sealed.flush()
        os.fsync(sealed.fileno())


def run_apart(work: Callable[[], None]) -> Measured:
    """Run a function in a child process."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return finish(child)


def measure(directory: Path, *arguments: str) -> Measured:
    process = subprocess.Popen(
        [sys.executable, "-m", "ndks", *arguments],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    measured = finish(process.pid)
    process.returncode = 0
    return measured


def finish(child: int) -> Measured:
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"a process ended with status {os.waitstatus_to_exitcode(status)}")
    return Measured(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def row(name: str, megabytes: int, measured: Measured, yardstick: float | None) -> float:
    rate = megabytes / measured.seconds
    share = f"{rate / yardstick:10.3f}" if yardstick else f"{1:10.3f}"
    memory = measured.peak_memory / MEGABYTE
    print(f"{name:32}{megabytes:6}{measured.seconds:8.2f}{rate:8.2f}{memory:9.1f}{share}", flush=True)
    return rate


def ndks(directory: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "ndks", *arguments], cwd=directory, capture_output=True, check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
