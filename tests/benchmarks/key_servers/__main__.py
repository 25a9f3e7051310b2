# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure `ndks serve` beside a bare aiohttp server, and those of others; exit status 1 if a goal is missed.

KME_DIR=DIRECTORY make bench-serve ARGUMENTS=--write
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.goals import Goal
from benchmarks.pages import SPEED, as_json, as_page, write_into

from . import peers, servers
from .clients import IDS, Figures, Served, pairs, wrong_ids

_MARK = "bench-serve"
_STUB, _OURS, _SLOW = "bare aiohttp server", "ndks serve", "ndks serve, slow unit"
_WRONG = 1_000_000
_MANY = 8  # clients
_SERVERS: dict[str, Callable[[Path, Path], contextlib.AbstractContextManager[Served]]] = {
    _STUB: servers.stub,
    _OURS: servers.ndks,
    _SLOW: servers.slow_ndks,
}
_COLUMNS = {  # figure: digits after the point
    "pairs/s, 1 client": 0,
    "CPU ms a pair, 1 client": 2,
    "enc p50, 1 client": 2,
    "enc p99, 1 client": 1,
    "dec p50, 1 client": 2,
    "pairs/s, 8 clients": 0,
    "CPU ms a pair, 8 clients": 2,
    "keys/s, 128 a request": 0,
}
_CHECKOUTS = "KME_DIR"
_OTHERS = f"{_CHECKOUTS}: a directory; its checkouts {', '.join(peers.PEERS)} are measured, too (docs/speed.md)"
_HEADS = {
    "CPU ms a pair, 1 client": "CPU ms a pair",
    "enc p50, 1 client": "enc_keys, ms: p50",
    "enc p99, 1 client": "p99",
    "dec p50, 1 client": "dec_keys, ms: p50",
    "CPU ms a pair, 8 clients": "CPU ms a pair",
}


GOALS = (
    Goal(_OURS, "CPU ms a pair, 1 client", "<=", 3, _STUB),
    Goal(_OURS, "CPU ms a pair, 8 clients", "<=", 3, _STUB),
    Goal(_OURS, "pairs/s, 1 client", ">=", 200),
    Goal(_OURS, "pairs/s, 8 clients", ">=", 200),
    Goal(_SLOW, "pairs/s, 8 clients", ">=", 100),
    Goal(_OURS, "wrong ids: MB more", "<=", 8),
)


def main() -> int:
    description = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="make bench-serve", description=description, epilog=_OTHERS)
    parser.add_argument("--json", action="store_true", help="print all figures as JSON, in place of the table")
    parser.add_argument(
        "--rounds", type=int, default=7, help="of each measure, in turn; medians (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measure (default: %(default)s)")
    parser.add_argument("--wrong", type=int, default=_WRONG, help="wrong ids (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/speed.md")
    arguments = parser.parse_args()
    began, load = time.monotonic(), os.getloadavg()[0]
    excuses = peers.Excuses()
    found = measured(arguments.rounds, arguments.seconds, arguments.wrong, excuses)
    for name, reason in excuses.items():
        _say(f"not measured: {name}: {reason}")
    lines = [goal.line(found) for goal in GOALS]
    text = f"{table(found)}\n{excuses_line(excuses)}{wrong_line(found)}"
    print(as_json(found, lines) if arguments.json else "\n".join([text, *(line for line, _ in lines)]))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.write:
        write_into(SPEED, _MARK, as_page(text, lines, load))
    return 0 if all(is_reached for _, is_reached in lines) else 1


def measured(rounds: int, seconds: float, wrong: int, excuses: peers.Excuses) -> dict[str, Figures]:
    """Measure all servers in turn, because the machine is faster at one time than at another; return medians."""
    with tempfile.TemporaryDirectory(prefix="ndks-") as place, contextlib.ExitStack() as stack:
        directory = Path(place)
        certificates = servers.make_certificates(directory / "certificates")
        present = {
            name: stack.enter_context(made(certificates, directory / str(number)))
            for number, (name, made) in enumerate(_SERVERS.items())
        }
        others = _started_peers(stack, certificates, directory, excuses)
        rows: dict[str, list[Figures]] = {name: [] for name in present | others}
        for number in range(rounds):
            for name, served in present.items():
                _say(f"round {number + 1} of {rounds}: {name}")
                rows[name].append(_round(served, seconds) | _many_keys(served, seconds))
            for name in [each for each in others if each not in excuses]:
                _say(f"round {number + 1} of {rounds}: {name}")
                with excuses.of(name):
                    rows[name].append(_round(others[name], seconds))
        found = {name: _medians(figures) for name, figures in rows.items() if name not in excuses}
        _say(f"{wrong} wrong ids")
        said = wrong_ids(present[_OURS], wrong)
        return found | {_OURS: found[_OURS] | {f"wrong ids: {figure}": value for figure, value in said.items()}}


def _started_peers(
    stack: contextlib.ExitStack, certificates: Path, directory: Path, excuses: peers.Excuses
) -> dict[str, Served]:
    """Start what is in the directory KME_DIR, if it is set; return those that run, with their commits."""
    started: dict[str, Served] = {}
    copies = os.environ.get(_CHECKOUTS)
    for peer in peers.PEERS if copies else ():
        with excuses.of(peer):
            checkout = Path(copies or "", peer).absolute()
            served = stack.enter_context(peers.running(checkout, certificates, directory / peer))
            started[f"{peer} {peers.commit_of(checkout)}".strip()] = served
    return started


def _round(served: Served, seconds: float) -> Figures:
    figures: Figures = {}
    for clients, whose in ((1, "1 client"), (_MANY, f"{_MANY} clients")):
        said = pairs(served, clients, seconds)
        figures |= {f"{figure}, {whose}": said[figure] for figure in ("pairs/s", "enc p50", "enc p99", "dec p50")}
        figures[f"CPU ms a pair, {whose}"] = said["CPU ms"]
    return figures


def _many_keys(served: Served, seconds: float) -> Figures:
    return {"keys/s, 128 a request": pairs(served, _MANY, seconds, IDS)["keys/s"]}


def _medians(rounds: list[Figures]) -> Figures:
    return {figure: statistics.median(each[figure] for each in rounds) for figure in rounds[0]}


def table(found: Mapping[str, Figures]) -> str:
    """Return the figures as a table of Markdown."""
    heads = ["", *(_HEADS.get(figure, figure) for figure in _COLUMNS)]
    rows = [
        [name, *(f"{figures[each]:.{digits}f}" if each in figures else "" for each, digits in _COLUMNS.items())]
        for name, figures in found.items()
    ]
    lines = [heads, ["---", *["---:"] * len(_COLUMNS)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def wrong_line(found: Mapping[str, Figures]) -> str:
    ours = {
        figure.partition(": ")[2]: value for figure, value in found[_OURS].items() if figure.startswith("wrong ids")
    }
    return (
        f"A wrong id takes the server {ours['CPU us, one']:.0f} us of CPU in a request of its own, and"
        f" {ours['CPU us, many']:.1f} us a piece\nin one of {IDS}, of which the first ends it. After all of them the"
        f" server has {ours['MB more']:.1f} MB more.\n"
    )


def excuses_line(excuses: Mapping[str, str]) -> str:
    """Return why peers are not in the table, each as a paragraph."""
    return "".join(f"Not measured: {name}: {reason}.\n\n" for name, reason in excuses.items())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
