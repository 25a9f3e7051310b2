# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an agent takes that has nothing to do: three real ones, with services, emulated units and a Mosquitto.

export PYTHONPATH=tests:tests/checks
python tests/benchmarks/idle_agents.py 120      measures for so many seconds, after 60 in which the network settles

Ticks are those of all members, a second. Nobody sends or receives; beacons and reports go on.
"""

import sys
import tempfile
import time
from pathlib import Path

from agent.crashing import Crashing
from agent.founding import founded
from agent.site import Settings, environment
from support import broker

from benchmarks.agent_load import cpu_of

_SETTLES = 60.0  # seconds


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ndks-") as name:
        directory = Path(name)
        with environment(directory), broker.running(directory / "broker") as mosquitto:
            urls = [[f"mqtt://127.0.0.1:{mosquitto.port}/ndks/office"]] * 3
            with founded(directory, urls, Settings(tick=1.0)) as network:
                show(measured(network, float(sys.argv[1])))


def measured(network: Crashing, seconds: float) -> list[float]:
    """Return the CPU seconds that each agent takes in an hour."""
    for site in network.sites:
        site.kill("send")
        site.kill("receive")
    time.sleep(_SETTLES)
    agents = [site.agent_pid for site in network.sites]
    before = list(map(cpu_of, agents))
    time.sleep(seconds)
    return [3600 * (cpu_of(pid) - cpu) / seconds for pid, cpu in zip(agents, before, strict=True)]


def show(found: list[float]) -> None:
    print(f"CPU seconds an hour of an agent: {', '.join(f'{each:.1f}' for each in found)}")


if __name__ == "__main__":
    main()
