# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a comparison finds."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What is wrong, or that nothing is."""

    AGREE = "agree"
    OTHER_NETWORK = "other_network"  # a different parameter, or a different secret
    BEHIND = "behind"  # an epoch, or a generation
    DIVERGES = "diverges"
    CANNOT_TELL = "cannot_tell"  # they differ, and there is no majority
    CHANNEL = "channel"
    REFUSED = "refused"  # a unit refuses a key or a message, which says nothing about the channel
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True)
class Finding:
    """`units` are the serial numbers of the units concerned; `index` and `element`: where keys begin to differ."""

    kind: Kind
    units: tuple[str, ...]
    text: str
    advice: str = ""
    index: int | None = None
    element: int | None = None
