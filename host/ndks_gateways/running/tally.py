# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is counted while a tunnel runs. None of it is secret."""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts since the start of this process; times are of time.time()."""

    started: float = field(default_factory=time.time)
    full: int = 0  # handshakes
    resumed: int = 0
    failed: Counter[str] = field(default_factory=Counter[str])  # handshakes, by code of their error
    cuts: int = 0  # links that ended without END
    streams: int = 0  # opened so far
    resets: int = 0
    sent: int = 0  # bytes of applications, without UDP
    received: int = 0
    resent: int = 0  # frames that went out once more over a later link
    datagrams_sent: int = 0
    datagrams_received: int = 0
    datagrams_dropped: int = 0  # replayed, forged, or of a flow for which there is no room
    carried_sent: int = 0  # packets of agents
    carried_received: int = 0
    capsule_bytes: int = 0  # that the unit has sealed
    capsule_seconds: float = 0.0  # that it took for them
