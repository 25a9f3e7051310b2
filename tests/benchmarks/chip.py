# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure the speed of the emulated chip: cycles a second of a loop; with NDKS_UF2, of the start of CircuitPython too.

python tests/benchmarks/chip.py
"""

import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))
LOOP_SECONDS, START_SECONDS = 4, 3  # of virtual time


def main() -> int:
    if find_spec("ndks_chip") is None:
        print("ndks-chip is not installed. Do: make chip")
        return 0
    print(f"loop with a load, a multiplication and a branch: {_loop():.0f} MHz")
    if image := os.environ.get("NDKS_UF2"):
        print(f"the first {START_SECONDS} s of CircuitPython, with an empty drive: {_start(image):.0f} MHz")
    return 0


def _loop() -> float:
    from emulated_chip.chips import chip_with, program
    from emulated_chip.thumb import R0, R1, R2, RAM
    from rp2040py.utils import assembler as a

    code = program().constant(R0, RAM).label("next").op(a.opcode_ldr_imm(R1, R0, 0), a.opcode_muls(R1, R2))
    chip, _ = chip_with(code.op(a.opcode_adds2(R2, 1), a.opcode_lsrs(R1, R2, 3)).branch("next"))
    return _megahertz(chip, LOOP_SECONDS)


def _start(image: str) -> float:
    from emulated_chip.chips import UID
    from emulated_chip.thumb import flash_with

    from ndks_chip import Chip, read_uf2

    return _megahertz(Chip(flash_with(read_uf2(image)), uid=UID), START_SECONDS)


def _megahertz(chip: Any, seconds: float) -> float:
    start = time.process_time()
    chip.run(seconds * 1e9)
    return chip.busy_cycles / (time.process_time() - start) / 1e6


if __name__ == "__main__":
    sys.exit(main())
