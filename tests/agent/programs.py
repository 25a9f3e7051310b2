# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Programs that send and receive for ever through an agent, and write down what they did before they go on.

So does every program that must not lose anything. Both may be killed, and so may the agent.
"""

import base64
import random
import secrets
import subprocess
import sys
import time
from pathlib import Path

from ndks.agent.running.client import AgentClient
from ndks.exceptions import NdksError

ASKED, ANSWERED = "?", "!"  # what the sender has written before and after the agent took a message
_RETRY = 0.05  # seconds
_MOMENT = 0.02  # seconds that a receiver takes before it has written a message down, and before it confirms it
_BURST = 8  # messages that are sent one after another, at most
_TESTS = Path(__file__).parents[1]
_PROGRAM = f"""
import sys
sys.path[:0] = [{str(_TESTS)!r}, {str(_TESTS / "checks")!r}]
from agent import programs
getattr(programs, sys.argv[1])(*sys.argv[2:])
"""


def started(what: str, socket: Path, record: Path, *values: object) -> "subprocess.Popen[str]":
    """Start `send` or `receive` in a process of its own."""
    command = [sys.executable, "-c", _PROGRAM, what, str(socket), str(record), *map(str, values)]
    return subprocess.Popen(command, text=True)


def send(socket: str, record: str, lane: str, pause: str, rest: str) -> None:
    """Send messages in bursts, with so many seconds for each on average; rest `rest` times as long as a burst took.

    Each message is opened by all others: a member that sends all the time, on a slow machine, is more than they take.
    """
    number = Path(record).read_text().count(ASKED)
    chance = random.Random()
    with Path(record).open("a") as written:
        while True:
            try:
                with AgentClient(Path(socket)) as agent:
                    while True:
                        burst, began = chance.randint(1, _BURST), time.monotonic()
                        for _ in range(burst):
                            number += 1
                            text = f"{lane}:{number}:{secrets.token_hex(4)}"
                            print(ASKED, text, file=written, flush=True)
                            print(ANSWERED, text, agent.send(text.encode()), file=written, flush=True)
                        took = time.monotonic() - began
                        time.sleep(max(float(rest) * took, burst * float(pause) * chance.uniform(0, 2)))
            except NdksError:
                time.sleep(_RETRY)


def receive(socket: str, record: str) -> None:
    """Receive messages, and write each down before it is confirmed; it takes its time, in which all may be killed."""
    chance = random.Random()
    with Path(record).open("a") as written:
        while True:
            try:
                with AgentClient(Path(socket)) as agent:
                    for event in agent.events(follow=True):
                        time.sleep(chance.uniform(0, _MOMENT))
                        text = base64.b64decode(event["data"]).decode() if "data" in event else str(event["last"])
                        where = event["place"], event["lane"], event.get("s") or event["first"]
                        print(*where, event["kind"], text, file=written, flush=True)
                        time.sleep(chance.uniform(0, _MOMENT))
            except NdksError:
                time.sleep(_RETRY)
