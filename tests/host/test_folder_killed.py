# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands on folders that are killed at random moments: nothing half appears, and they go on."""

import itertools
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from host.folding import SMALL_TEXT, make_folder, seen_in, volumes_done
from host.interrupting import folder

from ndks.cli import main
from ndks.driver.folder_plans import part_of, plan_of
from ndks.driver.unit import Unit
from ndks.folders import volumes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("folder",)

MOMENTS = 100 if os.environ.get("NDKS_TEST_FULL") else 8


@pytest.mark.timeout(600 + 30 * MOMENTS)
@pytest.mark.parametrize("verb", ["encrypt", "decrypt"])
def test_killed_at_any_moment(folder: Path, alice: str, bob: str, tmp_path: Path, verb: str) -> None:
    """At random moments of the command; 100 with NDKS_TEST_FULL=1."""
    make_folder(folder / "more", files=12, size=500_000)
    seen, draw, goes_on, completed = seen_in(folder), random.Random(verb), 0, 0
    capsule, out = tmp_path / "x.ndks", tmp_path / "out"
    ways = {
        "encrypt": (["encrypt", folder, "-o", capsule, "--unit", alice], capsule),
        "decrypt": (["decrypt", capsule, "-o", out, "--unit", bob], out),
    }
    command, target = ways[verb]

    def begin_anew() -> None:
        remove(target)
        if verb == "decrypt":  # the volumes of before were accepted
            remove(capsule)
            assert begin(ways["encrypt"][0]).status() == 0

    begin_anew()
    running = begin(command)
    running.wait_until_begun()
    taken = -time.monotonic()
    assert running.status() == 0
    taken += time.monotonic()
    begin_anew()
    for number in itertools.count():
        if number >= MOMENTS:
            if goes_on or completed:
                break
            taken *= 2  # the machine has become slow
        before = volumes_done(target, verb)
        begin(command).kill_after(draw.uniform(0, taken))
        after = volumes_done(target, verb)
        if target.exists():
            completed += 1
            accepts = plan_of(target).exists() and verb == "decrypt"
            assert begin(command).status() == (0 if accepts else 1)
            assert verb == "encrypt" or seen_in(out) == seen
            begin_anew()
        else:
            assert after >= before
            goes_on += after > 0
    assert begin(command).status() == 0
    assert not [*tmp_path.glob("*.part*")]
    if verb == "encrypt":
        assert begin(ways["decrypt"][0]).status() == 0
    assert seen_in(out) == seen
    print(f"{verb}: {number} kills, {goes_on} left volumes to go on from, {completed} after the target stood")


@dataclass
class Running:
    """A command in a fork of this process, which writes to a pipe when it begins to work."""

    pid: int
    begun: int

    def wait_until_begun(self) -> None:
        assert os.read(self.begun, 1) == b"b"

    def kill_after(self, seconds: float) -> None:
        self.wait_until_begun()
        time.sleep(seconds)  # the moment is what is drawn
        os.kill(self.pid, signal.SIGKILL)
        self.status()

    def status(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.begun)
        return os.waitstatus_to_exitcode(status)


def begin(arguments: list[object]) -> Running:
    begun, telling = os.pipe()
    pid = os.fork()
    if pid:
        os.close(telling)
        return Running(pid, begun)
    status = 99
    try:
        volumes.TEXT_SIZE = SMALL_TEXT
        for name in ("encrypt_folder", "decrypt_folder"):
            setattr(Unit, name, _telling(getattr(Unit, name), telling))
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        status = main([str(argument) for argument in arguments])
    finally:
        os._exit(status)


def _telling(verb: Callable[..., object], pipe: int) -> Callable[..., object]:
    def telling(*args: object, **kwargs: object) -> object:
        os.write(pipe, b"b")
        return verb(*args, **kwargs)

    return telling


def remove(target: Path) -> None:
    for path in (target, part_of(target), plan_of(target)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
