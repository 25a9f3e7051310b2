# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The life of a network, over a broker and over folders: `make network-demo`.

python -m ndks_laboratory.networks    exit status 1 if a check failed
"""

import argparse
import contextlib
import logging
import sys
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ndks.exceptions import NdksError
from ndks_laboratory.directories import new_directory
from ndks_laboratory.outcome import FAILED, HELD, Check, worst_of

from .broker import Broker
from .channels import ByBroker, ByFolders, Channel
from .scene import Scene
from .story import Story

_CARRIERS = "mqtt", "dir"
_TITLE = "A network of three emulated units, then four, each with service, agent and laptop"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="network-demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--carrier", choices=_CARRIERS, action="append", help="default: both, one beside the other")
    parser.add_argument("--directory", type=Path, help="keep all files in a new directory (default: remove them)")
    args = parser.parse_args(words)
    logging.getLogger("ndks").addHandler(logging.NullHandler())  # for the recorder: the channel is cut on purpose
    began = time.monotonic()
    try:
        with new_directory(args.directory) as directory:
            stories = _stories(directory, args.carrier or _CARRIERS)
    except NdksError as error:
        _tell(f"ndks: {error.code}: {error}. Do: {error.advice}")
        return error.exit_status
    word = worst_of(check for checks in stories.values() for check in checks)
    verdict = f"verdict: {word.upper()}, in {time.monotonic() - began:.0f} s"
    sys.stdout.write("\n".join([*_screen(stories), "", verdict, ""]))
    return 0 if word == HELD else 1


def _stories(directory: Path, carriers: Sequence[str]) -> dict[str, list[Check]]:
    """Tell the story over each carrier, at the same time."""
    with contextlib.ExitStack() as stack:
        channels = [stack.enter_context(_opened(directory / name, name)) for name in carriers]
        told = [Story(Scene(directory / channel.name, channel), _tell) for channel in channels]
        with ThreadPoolExecutor() as pool:
            found = list(pool.map(Story.run, told))
    return {channel.name: checks for channel, checks in zip(channels, found, strict=True)}


@contextlib.contextmanager
def _opened(directory: Path, name: str) -> Generator[Channel]:
    if name == "mqtt":
        with ByBroker(Broker(directory / "broker")).open() as broker:
            yield broker
    else:
        with ByFolders(directory / "folders").open() as folders:
            yield folders


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _screen(stories: dict[str, list[Check]]) -> list[str]:
    rows = [_TITLE, "", "".join(f"{name:<11}" for name in stories)]
    for checks in zip(*stories.values(), strict=True):
        words = [check.outcome.word for check in checks]
        rows.append("".join(f"{word if word == HELD else word.upper():<11}" for word in words) + checks[0].name)
    reasons = [
        f"{name}: {check.name}: {check.outcome.reason}"
        for name, checks in stories.items()
        for check in checks
        if check.outcome.word == FAILED
    ]
    return [*rows, *([""] if reasons else []), *reasons]


if __name__ == "__main__":
    sys.exit(main())
