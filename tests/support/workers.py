# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Threads that put something under load as long as a block runs."""

import random
import threading
import time
from collections.abc import Callable
from typing import Self

from .emulate_process import PATIENCE


class Workers:
    """So many threads that run `work`, which ends soon after `is_ending` is set."""

    def __init__(self, count: int, seed: int) -> None:
        self.is_ending = threading.Event()
        self.threads = [
            threading.Thread(target=self.work, args=(number, random.Random(f"{seed} {number}")), daemon=True)
            for number in range(count)
        ]

    def work(self, number: int, chance: random.Random) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_ending.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
            assert not thread.is_alive(), "a worker hangs"

    def wait_for(self, count: Callable[[], int], goal: int, account: object) -> None:
        """Wait until a count has reached a goal; it must not stand still, or `account` is shown."""
        seen, deadline = count(), time.monotonic() + 2 * PATIENCE
        while (now := count()) < goal:
            if now > seen:
                seen, deadline = now, time.monotonic() + 2 * PATIENCE
            assert time.monotonic() < deadline, f"nothing goes on: {seen} of {goal}; {account}"
            time.sleep(0.01)
