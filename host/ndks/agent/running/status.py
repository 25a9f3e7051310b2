# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an agent tells of itself, its unit, its messages and its carriers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...carriers.carrier import Carrier
from ..events import Why
from ..inbox import Known
from ..spans import Spans
from ..store import Store
from .heard import Seen

if TYPE_CHECKING:
    from .loop import Loop


def status(loop: "Loop", store: Store) -> dict[str, Any]:
    """Return the values of `ndks network status`."""
    return {
        "unit": _unit(loop),
        "outbox": _outbox(store),
        "arrivals": _count(store, "SELECT count(*) FROM arrivals WHERE what <= 1"),
        "senders": _senders(store),
        "members_seen": [_member(lane, seen) for lane, seen in loop.members],
        "carriers": [_carrier(carrier) for carrier in loop.carriers],
    }


def _carrier(carrier: Carrier) -> dict[str, str | None]:
    problem = carrier.problem
    named = (problem.code, str(problem), problem.advice) if problem else (None, None, None)
    return {"url": carrier.url, **dict(zip(("code", "problem", "advice"), named, strict=True))}


def _unit(loop: "Loop") -> dict[str, Any]:
    agent = loop.agent
    if not agent:
        problem = loop.problem
        return {
            "present": False,
            "problem": str(problem) if problem else None,
            "advice": problem.advice if problem else None,
        }
    ticked = agent.ticked
    values: dict[str, Any] = {"present": True, "lane": loop.lane, "generation": None, "number": None}
    if agent.epoch is not None:
        values |= {"generation": agent.epoch >> 16, "number": agent.epoch & 0xFFFF}
        values |= {"role": ("slave", "master", "monitor")[ticked.role], "master": ticked.master or None}
        values |= {"revoked": ticked.revoked, "held": sorted(agent.held, reverse=True)}
    return values


def _outbox(store: Store) -> dict[str, Any]:
    return {
        "last": store.fact("last s"),
        "waits": _count(store, "SELECT count(*) FROM outbox WHERE capsule IS NULL"),
        "kept": _count(store, "SELECT count(*) FROM outbox WHERE capsule IS NOT NULL"),
    }


def _senders(store: Store) -> list[dict[str, Any]]:
    rows = store.read("SELECT lane, first, reported, top FROM senders ORDER BY lane")
    return [_sender(store, *row) for row in rows]


def _sender(store: Store, lane: int, first: int, reported: int, top: int) -> dict[str, Any]:
    sets = {kind: _spans(store, lane, kind) for kind in Known}
    waits = Spans((s, s) for (s,) in store.read("SELECT s FROM waiting WHERE lane = ? ORDER BY s", lane))
    newest = max(reported, top)
    missing = Spans([(first, newest)] if first <= newest else []).without([*sets.values(), waits])
    return {
        "lane": lane,
        "has_from": first,
        "told_of": reported,
        "seen": top,
        "delivered": _listed(sets[Known.DELIVERED]),
        "missing": _listed(missing),
        "lost": sorted(_lost(sets), key=lambda span: span["first"]),
        "waits": sum(last - first + 1 for first, last in waits),
    }


def _lost(sets: dict[Known, Spans]) -> list[dict[str, Any]]:
    """Return what was named as lost, for each reason, and has not come since."""
    return [
        {"first": first, "last": last, "why": why.name.lower()}
        for why in Why
        for first, last in sets[Known(Known.LOST + why)].without([sets[Known.DELIVERED]])
    ]


def _member(lane: int, seen: Seen) -> dict[str, Any]:
    at = datetime.fromtimestamp(seen.at, UTC).isoformat()
    place = {"generation": seen.epoch >> 16, "number": seen.epoch & 0xFFFF}
    return {"lane": lane, "heard": at, **place, "carrier": seen.carrier or None}


def _spans(store: Store, lane: int, kind: int) -> Spans:
    query = "SELECT first, last FROM spans WHERE lane = ? AND kind = ? ORDER BY first"
    return Spans((first, last) for first, last in store.read(query, lane, kind))


def _listed(spans: Spans) -> list[list[int]]:
    return [list(span) for span in spans]


def _count(store: Store, query: str, *values: object) -> int:
    return store.read(query, *values)[0][0]
