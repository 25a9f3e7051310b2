# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Letters between the sides."""

from dataclasses import dataclass

FROM_CAGE = 0  # number of the letter that is encrypted in the sender's cage in stage 1


@dataclass(frozen=True)
class Letter:
    """A letter; the letters of a batch share a connection."""

    number: int
    batch: int
    way: tuple[str, str]  # names of sender and receiver
    cipher: str
    modes: str  # of sealing and opening: "ba" is sealed in mode b and opened in mode a
    text: bytes

    @property
    def sender(self) -> str:
        return self.way[0]

    @property
    def receiver(self) -> str:
        return self.way[1]

    @property
    def sealed_in(self) -> str:
        return self.modes[0]

    @property
    def opened_in(self) -> str:
        return self.modes[1]
