# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure `encrypt` and `decrypt` of a file in mode a, cipher aes: chunk by chunk, as a unit does it, and in batches.

python tests/benchmarks/batches.py [MEGABYTES]

Both ways in turn, in this process, with the same file; CPU time, so that other programs hardly affect it. The loop of
the libraries is AES and HMAC of the same chunks in memory: no file, no capsule.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from opening import make_unit

import ndks
from ndks.crypto import CRYPTO
from ndks.driver import blocks
from ndks_protocol.capsule import CHUNK, TAG_SIZE, Opener, Sealer

MEGABYTE = 1_000_000
REPETITIONS = 5


def main(megabytes: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:
        os.environ["NDKS_HOME"] = str(Path(name) / "home")
        network, data = ndks.Network.new("bench"), os.urandom(megabytes * MEGABYTE)
        plain, capsule, opened = (Path(name) / part for part in ("plain", "capsule", "opened"))
        plain.write_bytes(data)
        with make_unit(Path(name), network, 1) as alice, make_unit(Path(name), network, 2) as bob:
            print("MB per CPU s     by chunk  in batches  ratio")
            row("encrypt", megabytes, lambda: alice.encrypt(plain, capsule, cipher="aes", mode="a", overwrite=True))
            row("decrypt", megabytes, lambda: bob.decrypt(capsule, opened, mode="a", again=True, overwrite=True))
        if opened.read_bytes() != data:
            raise AssertionError("what was decrypted is not what was encrypted")
        print(f"the loop of the libraries: {megabytes / seconds(lambda: loop_of_libraries(data)):.0f}")


def row(name: str, megabytes: int, work: Callable[[], object]) -> None:
    by_chunk, in_batches = (megabytes / taken for taken in in_turn(lambda: chunk_by_chunk(work), work))
    print(f"{name:12}{by_chunk:13.0f}{in_batches:12.0f}{in_batches / by_chunk:7.2f}", flush=True)


def chunk_by_chunk(work: Callable[[], object]) -> None:
    """Work with the sealer and opener of units, one chunk at a time."""
    with (
        patch("ndks.driver.capsules.BatchSealer", lambda keys: Sealer(CRYPTO, keys)),
        patch("ndks.driver.capsules.BatchOpener", lambda keys: Opener(CRYPTO, keys)),
        patch("ndks.driver.capsules.pieces_of", lambda *given, batched: blocks.pieces_of(*given, batched=False)),
        patch("ndks.driver.capsules.chunks_of", lambda *given, batched: blocks.chunks_of(*given, batched=False)),
    ):
        work()


def in_turn(*ways: Callable[[], object]) -> list[float]:
    """Return the shortest CPU time of each way, in seconds."""
    rounds = [[seconds(way) for way in ways] for _ in range(REPETITIONS)]
    return [min(taken) for taken in zip(*rounds, strict=True)]


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def loop_of_libraries(data: bytes) -> None:
    encryptor = Cipher(algorithms.AES256(bytes(32)), modes.CTR(bytes(16))).encryptor()
    inner, outer = hashlib.sha256(bytes(64)), hashlib.sha256(bytes(64))
    for start in range(0, len(data), CHUNK):
        begun, ended = inner.copy(), outer.copy()
        begun.update(encryptor.update(data[start : start + CHUNK]))
        ended.update(begun.digest())
        ended.digest()[:TAG_SIZE]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
