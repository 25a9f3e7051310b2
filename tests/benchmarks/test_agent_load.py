# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A small run of the benchmark of agents: it checks what arrives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import broker

_PROGRAM = Path(__file__).with_name("agent_load.py")
_TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not broker.PROGRAM, reason="needs mosquitto")
def test_a_few_agents_under_load() -> None:
    arguments = ["--agents", "4", "--seconds", "1", "--rate", "10", "--burst", "3", "--tick", "0.1", "--json"]
    environment = {**os.environ, "PYTHONPATH": f"{_TESTS}:{_TESTS / 'checks'}"}
    command = [sys.executable, str(_PROGRAM), *arguments]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=590, check=False)
    assert not answer.returncode, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures["burst"]["messages"] == 12
    assert figures["revocation"]["all_s"] > 0
