# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The rows of the table: which figures they show, and what is aimed at."""

import re
from typing import NamedTuple

from .figures import Figures

KINDS = {  # of functions: those whose names have a match; the first kind counts
    "AES": r"^Cipher|^AES_|aesio",
    "SHA-256": r"sha256",
    "integers": r"^mpz_|^mpn_",
    "heap": r"gc_",
    "the rest": r"",
}


def kind_of(function: str) -> str:
    return next(kind for kind, pattern in KINDS.items() if re.search(pattern, function))


class Row(NamedTuple):
    what: str
    unit: str
    names: tuple[str, ...]
    decimals: int
    target: str = ""

    @property
    def aim(self) -> str:
        return f"{self.target} {self.unit}".strip() if self.target else ""

    def cell(self, figures: Figures) -> str:
        """Return the figures as one cell, with "-" for one that is not there; "" if none is."""
        found = [f"{figures[name]:.{self.decimals}f}" if name in figures else "-" for name in self.names]
        return f"{' / '.join(found)} {self.unit}".rstrip() if any(name in figures for name in self.names) else ""


def _each(name: str, *digits: int) -> tuple[str, ...]:
    return tuple(f"{name}, {d}" for d in digits)


def _of(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{kind}, {name}, 3" for name in names)


def _shares(name: str, digits: int) -> tuple[str, ...]:
    return tuple(f"{name}, {kind}, {digits}" for kind in KINDS)


def _network(name: str) -> tuple[str, ...]:
    return f"{name} with generations", f"{name} with the largest records"


_REQUESTS = ("NEXT_INDEX", "a new key", "SEAL_CHUNK")
_OPERATIONS = ("accept", "acknowledge", "seal", "bind")

ROWS = (
    Row("power-on to HELLO, first / later start", "s", ("first start, 3", "later start, 3"), 2, "3 / 2"),
    Row("free heap in a session, d = 3 / 6", "KB", _each("free", 3, 6), 1, "55 / 72"),
    Row("largest free block, d = 3 / 6", "KB", _each("largest", 3, 6), 1, "24"),
    Row("holes, d = 3 / 6", "", _each("holes", 3, 6), 0),
    Row("a garbage collection", "ms", _each("collection", 3), 1, "8"),
    Row("most of Python's stack that a request uses, d = 3 / 6", "%", _each("Python stack", 3, 6), 0, "70"),
    Row("size of Python's stack", "bytes", _each("its size", 3), 0),
    Row("most of C's stack, d = 3 / 6", "KB", _each("C stack", 3, 6), 1),
    Row("a key bit, d = 1 / 2 / 3", "us", _each("bit", 1, 2, 3), 1, "10 / 10 / 15"),
    Row("a key bit, d = 4 / 6 / 9 / 12", "us", _each("bit", 4, 6, 9, 12), 1, "28 / 31 / 33 / 42"),
    Row(
        "first 256 bits of a new key, KEY_CHUNK, d = 3 / 6, without garbage collection",
        "ms",
        _each("first bits", 3, 6),
        1,
        "8 / 25",
    ),
    Row(
        "a key of 256 bits, NEXT_INDEX to ACKNOWLEDGE, d = 3 / 6, without garbage collection",
        "ms",
        _each("next key", 3, 6),
        1,
        "22",
    ),
    Row("the same with a garbage collection", "ms", _each("next key, collecting", 3, 6), 1, "30"),
    Row("the same on average", "ms", _each("next key, mean", 3, 6), 1),
    Row("mode b, aes, d = 3 / 6", "KB/s", _each("aes", 3, 6), 1, "38"),
    Row("mode b, vernam, d = 3 / 6", "KB/s", _each("vernam", 3, 6), 1, "7.5"),
    Row(
        "HELLO / OPEN_SESSION / PROVE / UNLOCK",
        "ms",
        tuple(f"{name}, 3" for name in ("HELLO", "OPEN_SESSION", "PROVE", "UNLOCK")),
        1,
    ),
    Row(
        "OPEN_SESSION to UNLOCK with / without a key pair ready",
        "ms",
        ("with a pair, 3", "without a pair, 3"),
        0,
        "700 / 1300",
    ),
    Row("longest wait of a request while a key pair is made", "ms", ("wait, 3",), 1, "10"),
    Row("TRUST, a rare request", "ms", _each("TRUST", 3), 1),
    Row("allocations of NEXT_INDEX / KEY_CHUNK of a new key / SEAL_CHUNK", "", _of("allocations", _REQUESTS), 0),
    Row("their bytes", "", _of("allocated", _REQUESTS), 0),
    Row("allocations of a KEY_CHUNK of 1 KB, d = 3 / 6", "", _each("allocations, KEY_CHUNK", 3, 6), 0),
    Row("their bytes, d = 3 / 6", "", _each("allocated, KEY_CHUNK", 3, 6), 0),
    *(
        Row(f"time of {name}, d = {d}, in AES / SHA-256 / big integers / heap / the rest", "%", _shares(name, d), 0)
        for name in ("KEY_CHUNK", "next key", "SEAL_CHUNK aes", "SEAL_CHUNK vernam")
        for d in (3, 6)
    ),
    Row(
        "erases of nvm in 100 times: accept / acknowledge / seal / bind",
        "",
        tuple(f"{name}, nvm, 3" for name in _OPERATIONS),
        2,
    ),
    Row("erases of sectors of the drive in 100 times", "", tuple(f"{name}, files, 3" for name in _OPERATIONS), 2),
    Row("with generations: free heap, d = 3, usual / largest records", "KB", _network("free"), 1, "45 / 35"),
    Row("with generations: largest free block", "KB", _network("largest"), 1),
    Row("with generations: most of Python's stack that a request uses", "%", ("Python stack, network",), 0, "70"),
    Row("with generations: most of C's stack", "KB", ("C stack, network",), 0),
    Row("TICK that is quiet / with a beacon; CONTROL", "ms", ("quiet tick", "beacon", "CONTROL"), 1),
    Row(
        "OPEN_BEGIN and OPEN_CHUNK of the present epoch / another one / the same again, on average",
        "ms",
        ("present epoch", "late epoch", "same late"),
        1,
    ),
    Row(
        "RENEW / the first NOTICE / NOTICE with 96 revoked lanes and 6 other generations",
        "s",
        ("renewal", "first notice", "largest notice"),
        2,
    ),
    Row("opening a message 4096 epochs ahead", "s", ("ratchet",), 1, "8"),
    Row("restarts by the watchdog meanwhile", "", ("restarts",), 0, "0"),
    Row("erases of nvm / of sectors of the drive by a renewal", "", ("renewal, nvm", "renewal, files"), 1),
    Row("erases of nvm / of sectors of the drive by a generation", "", ("generation, nvm", "generation, files"), 0),
    Row("life of the flash at a renewal each hour", "years", ("years",), 1),
)
