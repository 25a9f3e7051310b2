# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an agent tells of itself, its unit, its messages and its carriers."""

from typing import TYPE_CHECKING, Any

from ...carriers.carrier import Carrier
from ..events import Why
from ..store import Store

if TYPE_CHECKING:
    from .loop import Loop


def status(loop: "Loop", store: Store) -> dict[str, Any]:
    """Return the values of `ndks network status`."""
    return {
        "unit": _unit(loop),
        "outbox": _outbox(store),
        "arrivals": _count(store, "SELECT count(*) FROM arrivals WHERE what <= 1"),
        "senders": _senders(store),
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
    delivered, lost = (_spans(store, lane, kind) for kind in (0, 2))
    waits = _count(store, "SELECT count(*) FROM waiting WHERE lane = ?", lane)
    known = {"has_from": first, "told_of": reported, "seen": top}
    return {"lane": lane, **known, "delivered": delivered, "lost": lost, "waits": waits}


def _spans(store: Store, lane: int, kind: int) -> list[list[int]]:
    query = "SELECT first, last FROM spans WHERE lane = ? AND kind = ? ORDER BY first"
    return [list(row) for row in store.read(query, lane, kind)]


def _count(store: Store, query: str, *values: object) -> int:
    return store.read(query, *values)[0][0]


REASONS = {
    Why.NOT_KEPT.name.lower(): "its sender has it no longer",
    Why.GENERATION.name.lower(): "it belongs to a generation that this unit does not hold",
    Why.EPOCH.name.lower(): "it belongs to an epoch that this unit has given up",
}
