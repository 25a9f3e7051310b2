# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure `ndks encrypt FOLDER` and `ndks decrypt` beside tar | age and tar | gpg (Debian packages age, gpg).

python tests/benchmarks/folders.py [MEGABYTES [FILES [ROUNDS]]]    1000 in 10000 files, 3 rounds

All in turn, on the same folder; CPU time of all processes of a command, from its start to its end, so that other
programs affect it little. The units are emulated, in the process of `ndks`. gpg compresses nothing.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000
NDKS = f"{sys.executable} -m ndks"
PHRASE = "--batch --pinentry-mode loopback --passphrase-file phrase"
COMMANDS = {
    "ndks": (f"{NDKS} encrypt folder --unit emulator:1", f"{NDKS} decrypt folder.ndks -o out --unit emulator:2"),
    "tar | age": (
        "tar c folder | age -r $(age-keygen -y identity) -o folder.age",
        "mkdir out && age -d -i identity folder.age | tar x -C out",
    ),
    "tar | gpg": (
        f"tar c folder | gpg {PHRASE} --cipher-algo AES256 --compress-algo none -o folder.gpg -c",
        f"mkdir out && gpg {PHRASE} -d folder.gpg 2> /dev/null | tar x -C out",
    ),
}
NEEDED = {"ndks": "tar", "tar | age": "age", "tar | gpg": "gpg"}


@dataclass
class Best:
    """The best rates of a tool in MB per CPU s, and the most memory of one of its processes in MB, each way."""

    rates: list[float]
    memory: list[float]


def main(megabytes: int, files: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:
        place = Path(name)
        prepare(place, megabytes, files)
        tools = [tool for tool in COMMANDS if shutil.which(NEEDED[tool])]
        best = {tool: Best([0, 0], [0, 0]) for tool in tools}
        for _ in range(rounds):
            for tool in tools:
                for way, command in enumerate(COMMANDS[tool]):
                    seconds, memory = measured(command, place)
                    best[tool].rates[way] = max(best[tool].rates[way], megabytes / seconds)
                    best[tool].memory[way] = max(best[tool].memory[way], memory)
                check(place)
        print(f"{megabytes} MB in {files} files   MB per CPU s: there  back   MB of memory: there  back")
        for tool, found in best.items():
            rates, memory = ("".join(f"{value:7.0f}" for value in values) for values in (found.rates, found.memory))
            print(f"{tool:32}{rates}{'':14}{memory}", flush=True)


def prepare(place: Path, megabytes: int, files: int) -> None:
    """Make the folder, the units, and the keys of the others."""
    draw = random.Random(1)
    size = megabytes * MEGABYTE // files
    for number in range(files):
        file = place / "folder" / f"part {number // 100:04}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(draw.randbytes(size))
    make_units(place)
    os.environ["GNUPGHOME"] = str(place / "gpg")
    (place / "gpg").mkdir(mode=0o700)
    (place / "phrase").write_text("a phrase\n")
    if shutil.which(NEEDED["tar | age"]):
        subprocess.run(["age-keygen", "-o", place / "identity"], check=True, stderr=subprocess.DEVNULL)


def make_units(place: Path) -> None:
    """Make two units with their homes in `place`."""
    os.environ["NDKS_HOME"] = str(place / "home")
    provision = "provision bench.ndksnet --bind --unit emulator:"
    for arguments in ("network new bench", f"{provision}1", f"{provision}2"):
        # as processes: memory that this one has used would count as that of the commands below
        subprocess.run([*NDKS.split(), *arguments.split()], cwd=place, check=True, stdout=subprocess.DEVNULL)


def measured(command: str, place: Path) -> tuple[float, float]:
    """Run a command; return its CPU time in seconds, and the largest memory of one of its processes in MB."""
    running = subprocess.Popen(["bash", "-c", f"set -eo pipefail; {command}"], cwd=place, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"failed: {command}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def check(place: Path) -> None:
    """Compare what came back with what went. Its files stay, but empty.

    Where files were deleted, ext4 looks long for an inode for each new one, for minutes: more than all else costs.
    """
    out = place / "out" / "folder" if (place / "out" / "folder").is_dir() else place / "out"
    subprocess.run(["diff", "-r", place / "folder", out], check=True)
    for file in out.rglob("*.bin"):
        os.truncate(file, 0)
    (place / "out").rename(tempfile.mkdtemp(prefix="old-", dir=place))
    for capsule in place.glob("folder.*"):
        capsule.unlink()


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [1000, 10_000, 3][len(given) :]))
