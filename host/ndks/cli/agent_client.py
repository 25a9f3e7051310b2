# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How commands reach the agent that runs here."""

import argparse
from typing import Any


def client(args: argparse.Namespace) -> Any:
    """Connect to the agent of --unit, or the only one. NoUnit, SeveralUnits."""
    from ndks.agent.running.client import AgentClient
    from ndks.agent.running.places import socket_of

    return AgentClient(socket_of(args.unit))
