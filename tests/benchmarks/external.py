# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Test key bits with Debian's programs `ent`, `rngtest` (rng-tools5) and `dieharder`, if they are installed.

Second opinions, by code that is not ours. No verdict of homologation depends on them: their p-values are
approximations, and they are not corrected for the number of tests. `ok` here means nothing below one in a million.
"""

import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from ndks.keys.generator import VectorGenerator
from ndks.keys.offline_keys import exported_key
from ndks.network.network_file import Network
from ndks_laboratory.homologation.attack import Bits
from ndks_laboratory.homologation.statistics.tails import upper_tail

_TOO_UNLIKELY = 1e-6
_MOST_BITS = 1 << 25

_ENT_BITS = 8 * 5 * 256  # five bytes of each value: its p-value is of the limit of many

_FIPS_BLOCK = 20_000  # bits; rngtest takes 32 more at the start
_FIPS_FAILURES = 1 / 1000  # of random blocks, at most: 255 of 300,000 from /dev/urandom failed

_DIEHARDER_WORDS = 1 << 17  # of 32 bits: the least with which its tests make sense
_COLUMNS = ("-c", ";", "-D", "test_name", "-D", "ntuple", "-D", "pvalues")  # test, size of its tuples, p-value


@dataclass(frozen=True)
class ToolRow:
    """The result of one program, for the report."""

    tool: str
    version: str  # of Debian's package; "" where that is not known
    outcome: str | None  # "ok" or "failed"; None: no result
    summary: str


@dataclass(frozen=True)
class _Tool:
    name: str
    package: str
    run: Callable[[Path, int, float], tuple[bool | None, str]]  # file, bits, seconds


def external_rows(bits: Bits, timeout: float = 20.0) -> list[ToolRow]:
    """Run each program on the bits (the first 2^25 at most); none runs longer than `timeout` seconds."""
    bits = bits[: min(len(bits) // 32 * 32, _MOST_BITS)]
    with tempfile.TemporaryDirectory(prefix="ndks-") as directory:
        file = Path(directory) / "bits"
        file.touch(mode=0o600)
        file.write_bytes(np.packbits(bits).tobytes())
        return [_row(tool, file, len(bits), timeout) for tool in _TOOLS]


def _row(tool: _Tool, file: Path, bits: int, timeout: float) -> ToolRow:
    if not shutil.which(tool.name):
        return ToolRow(tool.name, "", None, f"not installed (Debian's package {tool.package})")
    try:
        is_ok, summary = tool.run(file, bits, timeout)
    except subprocess.TimeoutExpired:
        is_ok, summary = None, f"gave up after {timeout:g} s"
    except (OSError, ValueError, LookupError) as error:
        is_ok, summary = None, f"no result ({type(error).__name__})"
    outcome = None if is_ok is None else "ok" if is_ok else "failed"
    return ToolRow(tool.name, _version(tool.package), outcome, summary)


def _version(package: str) -> str:
    if not shutil.which("dpkg-query"):
        return ""
    return _output(["dpkg-query", "--show", "--showformat=${Version}", package], 10).stdout.strip()


def _output(command: list[str], timeout: float, stdin: Path | None = None) -> subprocess.CompletedProcess[str]:
    with (stdin or Path("/dev/null")).open("rb") as source:
        return subprocess.run(
            command, stdin=source, capture_output=True, text=True, timeout=timeout, check=False, env={"LC_ALL": "C"}
        )


def _ent(file: Path, bits: int, timeout: float) -> tuple[bool | None, str]:
    if bits < _ENT_BITS:
        return None, f"not run: it needs {_ENT_BITS} bits"
    fields = _output([_path("ent"), "-t", str(file)], timeout).stdout.split("\n")[1].split(",")
    entropy, chi_square, mean, correlation = (float(fields[i]) for i in (2, 3, 4, 6))
    upper = float(special.chdtrc(255, chi_square))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    p_value = min(1.0, 2 * min(upper, 1 - upper))
    summary = (
        f"{entropy:.6f} bits of entropy a byte, mean {mean:.3f}, chi-square {chi_square:.1f} (p {p_value:.2g}), "
        f"serial correlation {correlation:.6f}"
    )
    return p_value >= _TOO_UNLIKELY, summary


def _rngtest(file: Path, bits: int, timeout: float) -> tuple[bool | None, str]:
    blocks = (bits - 32) // _FIPS_BLOCK
    if blocks < 1:
        return None, f"not run: it needs {_FIPS_BLOCK + 32} bits"
    said = _output([_path("rngtest"), f"--blockcount={blocks}"], timeout, stdin=file).stderr
    failed = int(_found(r"FIPS 140-2 failures: (\d+)", said))
    passed = int(_found(r"FIPS 140-2 successes: (\d+)", said))
    kinds = re.findall(r"FIPS 140-2\(.*?\) (.+): ([1-9]\d*)", said)
    why = f" ({', '.join(f'{kind} {count}' for kind, count in kinds)})" if kinds else ""
    log10_p = float(upper_tail(failed, failed + passed, _FIPS_FAILURES)[0])
    summary = f"FIPS 140-2: {failed} of {failed + passed} blocks fail{why}, of random ones up to one in 1000"
    return log10_p >= math.log10(_TOO_UNLIKELY), f"{summary} (log10 p {log10_p:.1f})"


def _dieharder(file: Path, bits: int, timeout: float) -> tuple[bool | None, str]:
    """Run the tests for which a file of some hundred kilobytes is large enough, each from the start of the file.

    A test that needs more rewinds the file, and then sees repetitions of its own making: its result is void. p-values
    near 1 count as good, for dieharder gives such for random files too (p > 0.99999 three times in 2160).
    """
    words = bits // 32
    if words < _DIEHARDER_WORDS:
        return None, f"not run: it needs {32 * _DIEHARDER_WORDS} bits"
    samples = words * 19 // 20
    tests = (
        ("0", 1, None),  # birthday spacings
        ("2", 1, samples // 32),  # rank of 32 x 32 matrices
        ("8", 1, None),  # count the 1s in a stream of bytes
        ("101", 100, samples // 100),  # runs
        ("102", 100, samples // 100),  # serial, up to 16 bits
    )
    found: list[tuple[float, str]] = []
    for number, p_values, count in tests:
        options = ["-d", number, "-p", str(p_values), *(["-t", str(count)] if count else [])]
        said = _output([_path("dieharder"), "-g", "201", "-f", str(file), *options, *_COLUMNS], timeout / len(tests))
        if "rewound" in said.stderr:
            return None, f"no result: dieharder -d {number} wants more bits"
        rows = [[field.strip() for field in line.split(";")] for line in said.stdout.splitlines()]
        found += [(float(row[2]), f"{row[0]} {row[1]}") for row in rows if len(row) == 3]
    smallest, name = min(found)
    return smallest >= _TOO_UNLIKELY, (
        f"{len(found)} p-values of {len(tests)} tests, the smallest {smallest:.2g} ({name})"
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError
    return match[1]


def _path(program: str) -> str:
    return shutil.which(program) or program


_TOOLS = (
    _Tool("ent", "ent", _ent),
    _Tool("rngtest", "rng-tools5", _rngtest),
    _Tool("dieharder", "dieharder", _dieharder),
)


def main() -> None:
    """Print the results for keys of equation 7 and of suite hybrid."""
    size = 1 << 19
    keys = {
        f"eq. 7, d = {digits}": bytes(VectorGenerator("0.52", "25", digits).key(1).read(0, 8 * size))
        for digits in (3, 9)
    }
    keys["suite hybrid"] = exported_key(Network.new("bench"), 1, size)
    for name, key in keys.items():
        for row in external_rows(np.unpackbits(np.frombuffer(key, np.uint8))):
            print(f"{name:12}  {row.tool:9} {row.version:12} {row.outcome or 'no result':9} {row.summary}")


if __name__ == "__main__":
    main()
