# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A laptop with its own directory of bindings, and its command `ndks`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.running import Finished, run, run_at_terminal, run_with_input

from ndks.laptop.homes import HOME

LETTER = b"meet me at the old bridge"


@dataclass(frozen=True)
class Laptop:
    """A laptop. `home` is the directory of its bindings."""

    home: Path

    def run(self, *arguments: object) -> Finished:
        return run(*arguments, **self.environment)

    def run_with_input(self, typed: str, *arguments: object) -> Finished:
        return run_with_input(typed.encode(), *arguments, **self.environment)

    def run_at_terminal(self, typed: str, *arguments: object) -> Finished:
        return run_at_terminal(typed.encode(), *arguments, **self.environment)

    def values(self, *arguments: object) -> dict[str, Any]:
        finished = self.run(*arguments, "--json")
        assert finished.status == 0, finished.stderr
        return json.loads(finished.text)

    def state_of(self, port: str) -> tuple[str, bool]:
        values = self.values("info", "--unit", port)
        return values["status"]["state"], values["bound_here"]

    def wrong_attempts(self, port: str) -> int:
        return self.values("info", "--unit", port)["status"]["wrong_attempts"]

    def opens(self, port: str) -> bool:
        return self.run("key", "--index", 1, "--unit", port).status == 0

    @property
    def environment(self) -> dict[str, str]:
        return {HOME: str(self.home)}


def words_of(finished: Finished) -> str:
    assert finished.status == 0, finished.stderr
    last = finished.text.splitlines()[-1]
    assert len(last.split()) == 24
    return last
