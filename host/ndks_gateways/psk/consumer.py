# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What takes a key: somebody else's program."""

from typing import Protocol

from ndks.exceptions import NdksError

from .rotation import Given


class ConsumerFailed(NdksError):
    """A program does not take a key, or what makes it take one is missing. It is tried again."""

    code = "CONSUMER"
    usual_advice = "see the log of that program"


class Consumer(Protocol):
    """Takes keys, one after the other. Its methods may wait for programs. ConsumerFailed, FileError, OSError."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def give(self, given: Given) -> None:
        """Make it use a key from now on, and forget the one before. The same may be given twice."""
        ...

    def has(self, given: Given) -> bool:
        """Return whether it still has a key that it was given: it may have been restarted since."""
        ...
