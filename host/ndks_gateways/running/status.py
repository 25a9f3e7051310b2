# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a tunnel tells of itself: what is up, since when, with whom, and what it waits for. None of it is secret."""

import os
from datetime import UTC, datetime
from typing import Any

from ..tunnel.errors import UNPROVEN
from .end import End
from .gate import Gate
from .settings import Settings
from .store import Store
from .tally import Tally


class State:
    """All parts of a running tunnel."""

    def __init__(self, settings: Settings, store: Store, gate: Gate, end: End, tally: Tally) -> None:
        self.settings = settings
        self.store = store
        self.gate = gate
        self.end = end
        self.tally = tally

    @property
    def waits_for(self) -> str | None:
        """What is missing for a link: unit or peer; None: there is a link."""
        if self.end.link:
            return None
        return "peer" if self.gate.is_present else "unit"

    @property
    def udp_problem(self) -> str | None:
        """Why datagrams do not pass though there is a link, and what to do; None: as far as is known they do."""
        link, has_udp = self.end.link, self.settings.udp
        if link is None or link.peer_has_udp == has_udp:
            return None
        here, there = "this end", "the other end"
        has, lacks = (here, there) if has_udp else (there, here)
        return f"no datagram passes: {has} has --udp, and {lacks} has not; start {lacks} with --udp, or {has} without"

    def line(self) -> str:
        """Return in one line what is up, or what it waits for and why."""
        link, away = self.end.link, self.gate.away
        if link:
            how = "resumed" if link.is_resumed else "new"
            up = f"linked with lane {link.lane} at {link.address} ({how})"
            unit = f"the unit is away: {away}" if away else None
            return "; ".join(filter(None, (up, unit, self.udp_problem)))
        if away:
            return f"waits for its unit: {away}"
        where = f"to answer at {self.settings.outer}" if self.settings.is_connecting else "to connect"
        problem = f": {self.end.problem} ({self.end.problem_code})" if self.end.problem else ""
        note = f"; {UNPROVEN}" if self.end.is_unproven else ""
        return f"waits for its peer {where}{problem}{note}"

    def values(self) -> dict[str, Any]:
        """Return the values of `ndks tunnel status --json`."""
        settings, tally, end = self.settings, self.tally, self.end
        return {
            "name": settings.name,
            "pid": os.getpid(),
            "side": "A" if settings.is_connecting else "B",
            "plain_at": str(settings.inner),
            "link_at": str(settings.outer),
            "since": _time(tally.started),
            "waits_for": self.waits_for,
            "state": self.line(),
            "problem": end.problem or None,
            "code": end.problem_code or None,
            "unproven": end.is_unproven,
            "unit": self._unit(),
            "link": self._link(),
            "own_words": self.store.own_words,
            "peer": self._peer(),
            "record": settings.record,
            "rate": round(tally.capsule_bytes / tally.capsule_seconds) if tally.capsule_seconds else None,
            "streams": {"open": end.streams, "opened": tally.streams, "resets": tally.resets},
            "bytes": {"sent": tally.sent, "received": tally.received, "kept": end.kept_bytes},
            "handshakes": {"full": tally.full, "resumed": tally.resumed, "failed": dict(tally.failed)},
            "cuts": tally.cuts,
            "resent": tally.resent,
            "datagrams": {
                "flows": end.flows,
                "sent": tally.datagrams_sent,
                "received": tally.datagrams_received,
                "dropped": tally.datagrams_dropped,
                "problem": self.udp_problem,
            },
            "carried": {"sent": tally.carried_sent, "received": tally.carried_received},
        }

    def _unit(self) -> dict[str, Any]:
        gate, away = self.gate, self.gate.away
        return {
            "present": gate.is_present,
            "serial_number": gate.serial_number or None,
            "lane": gate.lane,
            "generation": None if gate.lane is None else gate.generation,
            "number": None if gate.lane is None else gate.epoch & 0xFFFF,
            "problem": str(away) if away else None,
            "advice": away.advice if away else None,
            "away_since": _time(gate.away_since) if away else None,
        }

    def _link(self) -> dict[str, Any] | None:
        link = self.end.link
        if not link:
            return None
        return {
            "since": _time(link.since),
            "address": link.address,
            "lane": link.lane,
            "resumed": link.is_resumed,
            "records": link.records,
            "octets": link.octets,
        }

    def _peer(self) -> dict[str, Any] | None:
        peer = self.store.peer
        return {"lane": peer.lane, "words": self.store.peer_words} if peer else None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
