# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A letter from one side to the other."""

from dataclasses import dataclass

FROM_CAGE = 0  # the number of the letter that is encrypted in the sender's cage, in stage 1


@dataclass(frozen=True)
class Letter:
    """One letter; letters of one batch are sent over one connection."""

    number: int
    batch: int
    way: tuple[str, str]  # names of sender and receiver
    cipher: str
    modes: str  # "ba": sealed in mode b, opened in mode a; either mode opens what the other has sealed
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
