# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure `ndks tunnel` beside spiped and stunnel; exit status 1 if a goal is missed.

make bench-gateways ARGUMENTS=--json
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from support.ports import free_port

from benchmarks.pages import SPEED, as_json, as_page, write_into

from . import measures, pairs, tunnel
from .goals import OURS, SLOW, table, verdicts
from .measures import Figures
from .pairs import Pair
from .processes import application, wait_for_port

_MARK = "bench-gateways"
_PAIRS: dict[str, Callable[[int, Path], contextlib.AbstractContextManager[Pair]]] = {
    "no gateways": pairs.direct,
    "spiped": pairs.spiped,
    "stunnel": pairs.stunnel,
    OURS: tunnel.tunnel,
    SLOW: tunnel.slow_tunnel,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-gateways", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print all figures as JSON, in place of the table")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of each measure, in turn; medians (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of one stream (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=_PAIRS, help="measure these pairs only")
    parser.add_argument("--write", action="store_true", help="write the table into docs/speed.md")
    arguments = parser.parse_args()
    began, load = time.monotonic(), os.getloadavg()[0]
    if load > 0.5:
        _say(f"a load average of {load:.1f} before: other programs make the figures worse")
    chosen = [name for name in _PAIRS if name in (arguments.only or _PAIRS)]
    for name in set(pairs.missing()) & set(chosen):
        chosen.remove(name)
        print(f"{name} is not installed. Do: sudo apt-get install {pairs.PROGRAMS[name]}", file=sys.stderr)
    found = measured(chosen, arguments.rounds, arguments.seconds)
    lines = verdicts(found)
    print(as_json(found, lines) if arguments.json else as_text(found, lines))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.write:
        write_into(SPEED, _MARK, as_page(table(found), lines, load))
    return 0 if all(reached for _, reached in lines) else 1


def measured(names: list[str], rounds: int, seconds: float) -> dict[str, Figures]:
    """Measure all pairs in turn, because the machine is faster at one time than at another; return medians."""
    rows: dict[str, list[Figures]] = {name: [] for name in names}
    with _stage() as (server, directory), contextlib.ExitStack() as stack:
        present = {name: stack.enter_context(_PAIRS[name](server, directory)) for name in names}
        for number in range(rounds):
            for name, pair in present.items():
                _say(f"round {number + 1} of {rounds}: {name}")
                rows[name].append(_round(pair, directory / "log", seconds))
        return {name: _medians(rows[name]) | _once(pair) for name, pair in present.items()}


def _round(pair: Pair, log: Path, seconds: float) -> Figures:
    try:
        return (
            measures.first_byte(pair)
            | measures.at_once(pair)
            | measures.round_trip(pair, log)
            | measures.stream(pair, seconds)
        )
    except OSError as error:
        raise SystemExit(f"bench-gateways: {pair.name}: {error}") from error


def _once(pair: Pair) -> Figures:
    _say(f"strangers: {pair.name}")
    return (measures.stranger(pair) if pair.guard else {}) | pair.link_up()


@contextlib.contextmanager
def _stage() -> Iterator[tuple[int, Path]]:
    """Run the server; yield its port, and a directory."""
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as name:
        server, log = free_port(), Path(name, "log")
        with application(log, "serve", server):
            wait_for_port(server, log)
            yield server, Path(name)


def _medians(rounds: list[Figures]) -> Figures:
    """Return medians; but of failures the most."""
    return {
        figure: max(each[figure] for each in rounds)
        if figure == "failed"
        else statistics.median(each[figure] for each in rounds)
        for figure in rounds[0]
    }


def as_text(found: Mapping[str, Figures], lines: list[tuple[str, bool | None]]) -> str:
    return "\n".join([table(found), *(line for line, _ in lines)])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
