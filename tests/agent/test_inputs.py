# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What comes to an agent's loop from programs and carriers."""

from ndks.agent.running.inputs import Asked, Inputs
from ndks.carriers.carrier import Received


def filled(requests: int, packets: int) -> Inputs:
    inputs = Inputs()
    for number in range(requests):
        inputs.ask(Asked(inputs, {"do": str(number)}, lambda _: None))
    for number in range(packets):
        inputs.receive(Received(b"%d" % number, lambda: None, ""))
    return inputs


def taken(inputs: Inputs, *, packets: bool = True) -> list[str]:
    found: list[str] = []
    while each := inputs.take(0, packets=packets):
        found.append(f"request {each.values['do']}" if isinstance(each, Asked) else each.packet.decode())  # pyright: ignore
    return found


def test_requests_and_packets_are_taken_in_turn():
    assert taken(filled(4, 2)) == ["request 0", "0", "request 1", "1", "request 2", "request 3"]
    assert taken(filled(1, 3)) == ["request 0", "0", "1", "2"]


def test_requests_are_taken_while_no_packets_are_wanted_and_at_the_end():
    inputs = filled(3, 2)
    assert taken(inputs, packets=False) == ["request 0", "request 1", "request 2"]
    inputs.end()
    assert taken(inputs) == []
