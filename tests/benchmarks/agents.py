# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Kill processes of a running network of three, again and again, and count what arrives.

export PYTHONPATH=tests:tests/checks
python tests/benchmarks/agents.py agent 200             over a broker
python tests/benchmarks/agents.py agent 50 --loss 0.2   over datagrams, of which a fifth is lost
python tests/benchmarks/agents.py broker 20
python tests/benchmarks/agents.py service 20
"""

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from agent.crashing import Sites, environment, founded, lossy
from support import broker

SITES = 3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("agent", "broker", "service", "receive", "send"))
    parser.add_argument("rounds", type=int)
    parser.add_argument("--loss", type=float)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ndks-") as name:
        directory = Path(name)
        os.environ |= environment(directory)
        began = time.monotonic()
        with running(directory, args.loss) as (sites, mosquitto):
            sites.all_go_on()
            for number in range(args.rounds):
                if args.what == "broker":
                    assert mosquitto, "there is no broker"
                    mosquitto.stop(kill=True)
                    time.sleep(sites.random.uniform(0, 1))
                    mosquitto.start()
                    sites.all_go_on()
                else:
                    sites.crash(args.what)
                print(f"{number + 1} of {args.rounds}", end="\r", flush=True)
            found = sites.check()
        seconds = time.monotonic() - began
        print(f"\n{args.rounds} times {args.what} killed in {seconds:.0f} s: all came, in order, none twice: {found}")


@contextlib.contextmanager
def running(directory: Path, loss: float | None) -> Iterator[tuple[Sites, broker.Broker | None]]:
    with contextlib.ExitStack() as stack:
        if loss is None:
            mosquitto = stack.enter_context(broker.running(directory / "broker"))
            urls = [[f"mqtt://127.0.0.1:{mosquitto.port}/ndks/office"]] * SITES
        else:
            mosquitto, urls = None, stack.enter_context(lossy(SITES, loss))
        yield stack.enter_context(founded(directory, urls)), mosquitto


if __name__ == "__main__":
    main()
