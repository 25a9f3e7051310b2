# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys for masters: the next slots of a run that nobody else has, so that no database is asked."""

from collections.abc import Sequence


class Issuer:
    async def issue(self, master: str, slaves: Sequence[str], size: int, number: int) -> list[tuple[bytes, bytes]]:
        """Return so many new keys of `size` bytes, each with its id of 16 bytes. BadRequest, NotNow."""
        raise NotImplementedError

    def stored(self, size: int) -> int:
        """Return how many keys of `size` bytes can be had at once, at most 100,000. NotNow: none, the unit is away."""
        raise NotImplementedError
