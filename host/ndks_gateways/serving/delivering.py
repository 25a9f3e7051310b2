# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys for slaves: each key once for each SAE. The ledger is written before the answer."""

from collections.abc import Sequence


class Deliverer:
    async def deliver(self, sae: str, master: str, ids: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Return the keys of these ids of 16 bytes, each with its id: all of them, or none.

        Unauthorized, BadRequest; NotNow: nothing was consumed.
        """
        raise NotImplementedError
