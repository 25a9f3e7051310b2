# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is counted, as Prometheus reads it (text format 0.0.4). No name of a client, no id and no key is in it."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass
class Tally:
    """Counts since the start of this process."""

    started: float = field(default_factory=time.time)  # of time.time()
    requests: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])  # action, HTTP status
    refusals: Counter[str] = field(default_factory=Counter[str])  # message
    keys: Counter[str] = field(default_factory=Counter[str])  # that were handed out, by action
    failed_handshakes: Counter[str] = field(default_factory=Counter[str])  # by reason
    reloads: int = 0
    failed_reloads: int = 0


class State(NamedTuple):
    """What is so now. `problems` says why no keys can be had; empty: they can."""

    problems: tuple[str, ...]
    connections: int
    turned_away: int  # connections, because there were too many
    stored: int  # keys of the usual size that can be had at once
    epoch: int | None
    certificate_ends: float  # seconds since 1970
    audit_failures: int


def text(tally: Tally, state: State) -> str:
    return "".join(f"{line}\n" for line in _lines(tally, state))


def _lines(tally: Tally, state: State) -> Iterator[str]:
    yield from _row("up", "1: keys can be had", int(not state.problems))
    yield from _row("start_time_seconds", "when the server was started", int(tally.started))
    yield from _row("connections", "connections of clients", state.connections)
    yield from _row("stored_keys", "keys of the usual size that can be had at once", state.stored)
    if state.epoch is not None:
        yield from _row("generation", "generation of the unit", state.epoch >> 16)
        yield from _row("epoch_number", "epoch of the unit, counted in its generation", state.epoch & 0xFFFF)
    yield from _row("certificate_end_seconds", "when the server's certificate ends", int(state.certificate_ends))
    yield from _row("reloads_total", "certificates that were read again", tally.reloads)
    yield from _row("failed_reloads_total", "certificates that could not be read again", tally.failed_reloads)
    yield from _row("turned_away_total", "connections above the limit", state.turned_away)
    yield from _row("audit_failures_total", "lines of the audit log that could not be written", state.audit_failures)
    yield from _head("failed_handshakes_total", "TLS handshakes of clients that failed, by reason")
    for why, count in sorted(tally.failed_handshakes.items()):
        yield f'ndks_serve_failed_handshakes_total{{reason="{why}"}} {count}'
    yield from _head("requests_total", "requests by what they asked for and the HTTP status")
    for (action, status), count in sorted(tally.requests.items()):
        yield f'ndks_serve_requests_total{{action="{action}",status="{status}"}} {count}'
    yield from _head("keys_total", "keys that were handed out")
    for action, count in sorted(tally.keys.items()):
        if count:
            yield f'ndks_serve_keys_total{{action="{action}"}} {count}'
    yield from _head("refusals_total", "refused requests by reason")
    for message, count in sorted(tally.refusals.items()):
        yield f'ndks_serve_refusals_total{{reason="{message}"}} {count}'


def _row(name: str, meaning: str, value: int) -> Iterator[str]:
    yield from _head(name, meaning)
    yield f"ndks_serve_{name} {value}"


def _head(name: str, meaning: str) -> Iterator[str]:
    yield f"# HELP ndks_serve_{name} {meaning}"
    yield f"# TYPE ndks_serve_{name} {'counter' if name.endswith('_total') else 'gauge'}"
