# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What README shows is what happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ndks_laboratory.homologation.adversaries.roster import ACTIVE, PASSIVE
from ndks_laboratory.homologation.requirements import REQUIREMENTS
from ndks_laboratory.stages.cage import find_cage

README = (Path(__file__).parents[2] / "README.md").read_text()
_RANDOM = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9A-F]{16})\b")


def section(title: str) -> str:
    return README.partition(f"### {title}\n")[2].partition("\n### ")[0]


def first_block(text: str) -> str:
    return text.partition("```\n")[2].partition("\n```")[0]


def commands_of(block: str) -> list[str]:
    return [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]


def run_in_shell(lines: list[str], directory: Path) -> str:
    """Run command lines one after the other as a shell with a prompt would show them."""
    shown = ""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line in lines:
        finished = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=directory,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=True,
        )
        shown += f"$ {line}\n{finished.stdout}"
    return shown


def test_the_first_try_without_a_board(tmp_path: Path) -> None:
    promised = first_block(section("Without a board"))
    shown = run_in_shell(commands_of(promised), tmp_path).strip()
    assert _RANDOM.sub("#", shown) == _RANDOM.sub("#", promised)
    keys = re.findall(r"^[0-9a-f]{64}$", shown, re.MULTILINE)
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_the_messages(tmp_path: Path) -> None:
    run_in_shell(commands_of(first_block(section("Without a board"))), tmp_path)
    promised = first_block(section("Messages"))
    assert run_in_shell(commands_of(promised), tmp_path).strip() == promised


@pytest.mark.skipif(not find_cage(), reason="this system gives no network namespaces")
def test_the_no_channel_test(tmp_path: Path) -> None:
    run_in_shell(commands_of(first_block(section("Without a board"))), tmp_path)
    promised = first_block(section("No-channel test on two laptops"))
    shown = run_in_shell(commands_of(promised), tmp_path).strip()
    assert _without_volatile(shown) == _without_volatile(promised)


def _without_volatile(shown: str) -> str:
    """Leave out ids, commitments, times, and what deletion means on the disk of this machine."""
    shown = re.sub(r"(is deleted: ).*?(?=\n\$|\n\n)", r"\1#", shown, flags=re.DOTALL)
    shown = re.sub(r"\b[0-9]{4}-[0-9-]+T[0-9:+]+", "#", shown)
    return re.sub(r"\b[0-9a-fA-F]{16}\b", "#", shown)


def test_the_requirements_and_attackers_are_those_of_homologation() -> None:
    screen = first_block(section("Homologation"))
    rows = re.findall(r"^met +(R\d+) +(.*)$", screen, re.MULTILINE)
    assert rows == [(requirement.id, requirement.text) for requirement in REQUIREMENTS]
    adversaries = re.findall(r"^withstood +(\w+) +(.*) \([^)]* s\)$", screen, re.MULTILINE)
    everybody = [(adversary.label, adversary.name) for adversary in (*PASSIVE, *ACTIVE)]
    assert adversaries == [*everybody[:2], everybody[-1]]


def test_the_python_example(tmp_path: Path) -> None:
    example = section("Keys").partition("```python\n")[2].partition("\n```")[0]
    run_in_shell(commands_of(first_block(section("Without a board"))), tmp_path)
    check = "\nassert (key.index, again.data, message) == (2, key.data, b'Meet me at noon.')\n"
    subprocess.run([sys.executable, "-c", example + check], cwd=tmp_path, timeout=60, check=True)


def test_the_paper_key_in_software(tmp_path: Path) -> None:
    (command,) = re.findall(r"`(ndks generate --p1 0.52 [^`]*)`", README)
    shown = run_in_shell([command], tmp_path)
    assert re.search(r"^00100101001111100100001001111001101000101001011101[01]{974}$", shown, re.MULTILINE)


def test_the_demo_screen_is_the_one_of_today() -> None:
    shown = run_in_shell([f"{sys.executable} -m ndks demo 2>/dev/null"], Path.cwd()).partition("\n")[2].strip()
    promised = first_block(README)
    volatile = re.compile(r"\b([0-9a-f]{16}|[0-9a-f]{32}|[0-9A-F]{16}|7\.9\d)\b|net:\[\d+\]")
    if "NOT SHOWN" not in shown:  # a system without network namespaces shows less
        assert volatile.sub("#", shown) == volatile.sub("#", promised)
