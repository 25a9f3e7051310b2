# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Kill processes of a running network of three under load, again and again, and compare what was sent with what came.

export PYTHONPATH=tests:tests/checks
python tests/benchmarks/agents.py agent 200             over a broker
python tests/benchmarks/agents.py agent 50 --loss 0.2   over datagrams, of which a fifth is lost
python tests/benchmarks/agents.py broker 20
python tests/benchmarks/agents.py service 20
python tests/benchmarks/agents.py receive 50            the programs that receive
python tests/benchmarks/agents.py send 50               the programs that send
python tests/benchmarks/agents.py cable 20              the cables of the units
python tests/benchmarks/agents.py disk 20               the disks, which are full for a while

The last line is a row of the table in docs/network.md.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agent.account import Comparison
from agent.crashing import Crashing
from agent.founding import founded, lossy
from agent.site import environment
from support import broker

SITES = 3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("agent", "broker", "service", "receive", "send", "cable", "disk"))
    parser.add_argument("kills", type=int)
    parser.add_argument("--loss", type=float)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ndks-") as name,
        environment(Path(name)),
        running(Path(name), args) as (network, mosquitto),
    ):
        network.all_go_on()
        began = time.monotonic()
        while network.kills < args.kills:
            network.crash(args.what, mosquitto)
            print(f"{network.kills} of {args.kills} killed, {time.monotonic() - began:.0f} s", flush=True)
        network.all_go_on()
        seconds = time.monotonic() - began
        found = network.compared()
    print("\n".join(found.findings[:40]))
    print(row(args, network, found, seconds))
    sys.exit(bool(found.findings))


@contextlib.contextmanager
def running(directory: Path, args: argparse.Namespace) -> Iterator[tuple[Crashing, broker.Broker | None]]:
    with contextlib.ExitStack() as stack:
        mosquitto = None
        if args.loss is None:
            mosquitto = stack.enter_context(broker.running(directory / "broker"))
            urls = [[f"mqtt://127.0.0.1:{mosquitto.port}/ndks/office"]] * SITES
        else:
            urls = stack.enter_context(lossy(SITES, args.loss, args.seed))
        yield stack.enter_context(founded(directory, urls, seed=args.seed)), mosquitto


def row(args: argparse.Namespace, network: Crashing, found: Comparison, seconds: float) -> str:
    """Return a row of Markdown; `again` are messages that a receiver got once more, as it had not confirmed them."""
    over = "MQTT" if args.loss is None else f"UDP, {args.loss:.0%} lost"
    words = args.what, args.kills, *((f"--loss {args.loss}",) if args.loss is not None else ())
    counts = found.accepted, found.unanswered, found.delivered, found.again
    wrong = len(found.lost), len(found.twice), len(found.disordered) + len(found.strange)
    agents = f": {network.amid} amid a `send`, {network.starting} at their start" if args.what == "agent" else ""
    killed = f"{network.kills}{agents}"
    command = " ".join(map(str, words))
    cells = args.what, over, killed, *counts, *wrong, f"{seconds:.0f} s", f"{datetime.now(UTC):%F}", f"`{command}`"
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
