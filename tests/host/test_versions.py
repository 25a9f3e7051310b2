# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units and hosts of protocol 2 are refused by name, in both directions: by what a unit and a host of 2.0 have said."""

import json
from pathlib import Path
from typing import Any

import pytest
from attacks.recording import HOST, UNIT
from host.answering_pty import HelloAnswer, answering_pty
from host.running import assert_refused, run
from hosts.memory import Host, new_unit
from support.emulate_process import PATIENCE

import ndks_protocol
from ndks_protocol import commands, errors, framing

RECORDED = json.loads((Path(__file__).parents[1] / "attacks/recorded_2_0.json").read_text())


def said(part: str, side: str) -> list[tuple[int, bytes]]:
    """Return kind and payload of the frames that unit or host of 2.0 sent in a part of the recording."""
    decoder = framing.Decoder()
    frames: list[tuple[int, bytes]] = []
    for who, data in RECORDED[part]:
        for event in decoder.events(bytes.fromhex(data)) if who == side else []:
            if isinstance(event, framing.Frame):
                frames.append((event.kind, bytes(event.payload)))
    return frames


HELLOS = {part: payload for part in ("provisioning", "session") for kind, payload in said(part, UNIT)[:1]}
COMMANDS: dict[str, list[Any]] = {
    "info": [],
    "key": [],
    "bind": [],
    "zeroize": ["--yes"],
    "eject": [],
}


@pytest.mark.parametrize("part", HELLOS)
def test_unit_of_2_0_says_what_it_said(part: str) -> None:
    """The layout of the greeting is the same, so that each version can name the other."""
    hello = commands.HELLO.answer.unpack(HELLOS[part])
    assert hello[:2] == (2, 0)
    assert ndks_protocol.MAJOR == 3


@pytest.mark.parametrize("part", HELLOS)
@pytest.mark.parametrize("command", COMMANDS)
def test_unit_of_2_0_is_refused_by_name(command: str, part: str) -> None:
    with answering_pty(HelloAnswer(HELLOS[part])) as path:
        finished = run(command, "--unit", path, "--timeout", PATIENCE, *COMMANDS[command])
    assert_refused(finished, "PROTOCOL_VERSION", 4)
    assert "the unit speaks protocol 2, this host 3" in finished.stderr
    assert "the unit: ndks deploy" in finished.advice


def test_host_of_2_0_is_told_the_version_and_gets_nothing() -> None:
    """It compares the first byte of the greeting. What it would send all the same has no effect."""
    for part in HELLOS:
        unit = new_unit()
        host = Host(unit, opens=False)
        before = unit.flash.images
        answers = [answer for kind, payload in said(part, HOST) for answer in replay(unit, kind, payload)]
        greetings = [payload for kind, payload in answers if kind == commands.HELLO.code | framing.ANSWER]
        assert greetings
        assert {payload[0] for payload in greetings} == {3}
        others = {kind for kind, _ in answers} - {
            commands.HELLO.code | framing.ANSWER,
            commands.STATUS.code | framing.ANSWER,
        }
        assert others <= {framing.ERROR}
        assert unit.flash.images == before
        assert host.code(commands.OPEN_SESSION, bytes([9]) + bytes(31), bytes(16)) == 0


def replay(unit: Any, kind: int, payload: bytes) -> list[tuple[int, bytes]]:
    """Return what a unit answers to a frame of 2.0: nothing, if it is too long for one outside a session."""
    unit.write(framing.encode(kind, 1, payload))
    events = framing.Decoder().feed(unit.read())
    return [(event.kind, bytes(event.payload)) for event in events if isinstance(event, framing.Frame)]


def test_provisioning_of_2_0_is_refused_for_its_length_or_its_session() -> None:
    """The secret of the network came in the clear."""
    (request,) = [payload for kind, payload in said("provisioning", HOST) if kind == commands.PROVISION.code]
    assert bytes.fromhex(RECORDED["truth"]["E"]) in request
    host = Host(opens=False)
    if len(request) > framing.MAX_PAYLOAD_BEFORE_SESSION:
        host.unit.write(framing.encode(commands.PROVISION.code, 1, request))
        assert host.unit.read() == b""
    else:
        assert host.exchange(commands.PROVISION, request) == (framing.ERROR, errors.LOCKED.to_bytes(2))
    assert host.firmware.state.binding is None
