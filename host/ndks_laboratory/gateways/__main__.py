# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two gateways, a cable with a tap between them, and programs that know nothing of it: `make gateway-demo`.

python -m ndks_laboratory.gateways    exit status 1 if a check failed
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ndks.exceptions import NdksError
from ndks_laboratory.directories import new_directory
from ndks_laboratory.outcome import FAILED, HELD, Check, worst_of

from .namespaces import cage, laid
from .story import Story

_TITLE = (
    "Two sites, each with a gateway and an emulated unit; a tap on the cable between them, and one on the plain side"
)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="gateway-demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--directory", type=Path, help="keep all files in a new directory (default: remove them)")
    parser.add_argument("--caged", action="store_true", help=argparse.SUPPRESS)  # it runs in a namespace already
    args = parser.parse_args(words)
    try:
        if args.caged:
            return _tell_story(args.directory)
        with new_directory(args.directory) as directory:
            command = [*cage(), sys.executable, "-m", __package__ or "", "--caged", "--directory", str(directory)]
            return subprocess.run(command, check=False).returncode
    except NdksError as error:
        _tell(f"ndks: {error.code}: {error}. Do: {error.advice}")
        return error.exit_status


def _tell_story(directory: Path) -> int:
    began = time.monotonic()
    with laid() as cable:
        checks = Story(directory, cable, lambda text: _tell(f"{time.monotonic() - began:5.1f} s  {text}")).run()
    word = worst_of(checks)
    verdict = f"verdict: {word.upper()}, in {time.monotonic() - began:.0f} s"
    sys.stdout.write("\n".join([*_screen(checks), "", verdict, ""]))
    return 0 if word == HELD else 1


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _screen(checks: Sequence[Check]) -> list[str]:
    failed = [f"{check.name}: {check.outcome.reason}" for check in checks if check.outcome.word == FAILED]
    return [_TITLE, "", *(check.line() for check in checks), *([""] if failed else []), *failed]


if __name__ == "__main__":
    sys.exit(main())
