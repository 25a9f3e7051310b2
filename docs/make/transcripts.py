# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run what README and docs show: every block with `$ ` lines in a shell, every Python block as a script.

python docs/make/transcripts.py [PAGE ...]            say where a page shows something else than what happens
python docs/make/transcripts.py --write [PAGE ...]    put what happens into these places

The blocks of one page are run in order, in one new directory. `...` in a page stands for any text. NDKS_UF2 names the
image of CircuitPython for the blocks that need an emulated chip.
"""

import argparse
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import page_ports

from ndks_laboratory.stages.cage import find_cage

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(
    r"(?:^<!-- needs: (?P<needs>cage|closed cage|chip|ssh-keygen) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
_PROMPT = "$ "
SHELL = "/bin/sh", "-c"
_SECONDS = 600  # for one command

# What differs from run to run. Names that are the same in one place have to be the same in another.
_NAMES = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9A-F]{16})\b|net:\[\d+\]")
_WORDS = (  # to be compared by voice
    r"(?m:(?:^(?:words(?: here| there)? +)?|(?<=the words ))(?:[a-z]+ ){5}[a-z]+(?=$|, lane \d+$|\.$))"
)
_NOISE = re.compile(r"\b\d{4}-\d\d-\d\d(?:T[0-9:+]+| \d\d:\d\d:\d\d)?|\b7\.9\d(?= bits of entropy)|" + _WORDS)


class Block(NamedTuple):
    """What a page shows, and what it looks like today."""

    place: tuple[int, int]  # of the text in the page
    promised: str
    shown: str


class Names:
    """Numbers names in the order in which they appear, so that those of two runs can be compared."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def masked(self, text: str) -> str:
        return _NAMES.sub(lambda found: f"#{self._number(found[0])}", _NOISE.sub("#", text))

    def translated(self, text: str, other: "Names") -> str:
        """Return a text with the names that these have in the other run."""
        return _NAMES.sub(lambda found: other.name(self._number(found[0]), found[0]), text)

    def name(self, number: int, default: str) -> str:
        known = self._known[number] if number < len(self._known) else default
        return known if len(known) == len(default) else default

    def _number(self, name: str) -> int:
        if name not in self._known:
            self._known.append(name)
        return self._known.index(name)


def blocks_of(page: Path, directory: Path) -> Iterator[Block]:
    """Run the blocks of a page in a directory; what this system cannot run is left out."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if found["needs"] and not _NEEDS[found["needs"]](directory):
            continue
        text = found["text"]
        if found["language"] == "python":
            run([sys.executable, "-c", text], directory)
        elif not found["language"] and text.startswith(_PROMPT):
            try:
                shown = run_in_shell(commands_of(text), directory)
            finally:
                end_background(directory)
            yield Block(found.span("text"), text, shown)


def has_image(directory: Path) -> bool:
    """Put the image of CircuitPython where a page has it; return whether there is one, and ndks-chip."""
    if not os.environ.get("NDKS_UF2") or not importlib.util.find_spec("ndks_chip"):
        return False
    shutil.copy(os.environ["NDKS_UF2"], directory / "circuitpython.uf2")
    return True


def is_closed(_: Path) -> bool:
    """Return whether no channel leads out of a cage: it keeps the radios and the mounts of this computer."""
    command = [*find_cage(), sys.executable, "-m", "ndks", "faraday", "channels"]
    return bool(find_cage()) and not subprocess.run(command, capture_output=True, check=False).returncode


_NEEDS = {
    "cage": lambda _: bool(find_cage()),
    "closed cage": is_closed,
    "chip": has_image,
    "ssh-keygen": lambda _: bool(shutil.which("ssh-keygen")),
}


def end_background(directory: Path) -> None:
    """End processes that a failed block has left, whose numbers it has written to files."""
    for file in directory.glob("*.pid"):
        with contextlib.suppress(OSError, ValueError):
            number = int(file.read_text())
            file.unlink()  # later, the number may be another's
            os.kill(number, signal.SIGTERM)


def commands_of(text: str) -> list[str]:
    return [line.removeprefix(_PROMPT) for line in text.splitlines() if line.startswith(_PROMPT)]


def run_in_shell(lines: list[str], directory: Path, shell: Sequence[str] = SHELL) -> str:
    """Run command lines one after the other, at ports that are free; return what a terminal would show of them."""
    shown = (page_ports.to_show(run([*shell, page_ports.to_run(line)], directory)) for line in lines)
    return "".join(f"{_PROMPT}{line}\n{output}" for line, output in zip(lines, shown, strict=True))


def run(command: list[str], directory: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    finished = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | {"PATH": path, "NDKS_HOME": str(directory / ".ndks")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if finished.returncode:
        raise AssertionError(f"{command[-1]}\n{finished.stdout}")
    return finished.stdout


def stale_blocks(page: Path, directory: Path) -> list[Block]:
    """Run a page; return the blocks that show something else than what happens."""
    ours, theirs = Names(), Names()
    stale: list[Block] = []
    for block in blocks_of(page, directory):
        if not is_alike(theirs.masked(block.promised), ours.masked(block.shown)):
            stale.append(block._replace(shown=ours.translated(block.shown, theirs)))
    return stale


def is_alike(promised: str, shown: str) -> bool:
    pattern = re.escape(promised).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, shown, re.DOTALL) is not None


def rewrite(page: Path, blocks: list[Block]) -> None:
    text = page.read_text(encoding="utf-8")
    for (start, end), _, shown in reversed(blocks):
        text = text[:start] + shown + text[end:]
    page.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", nargs="*", metavar="PAGE", type=Path, default=PAGES)
    args = parser.parse_args()
    status = 0
    for page in args.pages:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:  # processes may still end in it
            stale = stale_blocks(page, Path(directory))
        if args.write:
            rewrite(page, stale)
        else:
            for block in stale:
                print(f"{page.name} shows:\n{block.promised}\nand this happens:\n{block.shown}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
