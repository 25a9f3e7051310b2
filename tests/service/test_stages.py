# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Both stages of the homologation, with units that services hold: only provisioning and erasing need the ports."""

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from support.serve_process import served

from ndks.network.network_file import Network
from ndks_laboratory.homologation.correspondence import letters
from ndks_laboratory.homologation.provisioning import UnitGroup
from ndks_laboratory.outcome import HELD, Check
from ndks_laboratory.stages.letters import FROM_CAGE
from ndks_laboratory.stages.recorded_keys import run_with_records
from ndks_laboratory.stages.regular_channel import run_regular_channel
from ndks_laboratory.stages.sides import Side

pytestmark = pytest.mark.kernel


def failed(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks if check.outcome.word != HELD]


def test_keys_in_cages_and_messages_through_the_tap(tmp_path: Path) -> None:
    sides = [Side(name, f"emulator:{tmp_path / f'{name}-unit'}", tmp_path / name) for name in ("alice", "bob")]
    for side in sides:
        side.make()
    network = Network.new("stages")
    with UnitGroup(sides, pytest.fail).members(network), contextlib.ExitStack() as stack:
        services = [stack.enter_context(served(side.port, home=side.laptop)) for side in sides]
        through = [replace(side, port=service.port("admin")) for side, service in zip(sides, services, strict=True)]
        written = letters(1, 7)
        (message,) = (letter.text for letter in written if letter.number == FROM_CAGE)
        shown = run_with_records(through, network, 3, 200, message)
        channel = run_regular_channel(through, written, tamper=False, tell=lambda _: None)
        for service in services:
            assert service.end() == 0
    assert failed((*shown.cages.checks, *shown.keys, *shown.deletion)) == []
    assert failed(channel.checks) == []
    assert len(channel.carried) == len(written)
