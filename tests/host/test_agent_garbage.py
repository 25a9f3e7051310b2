# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whatever comes from the channel, an agent and an administrator take it or leave it, and raise nothing."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from support.agents import Host, administrator, joined

from ndks.agent.packets import Ask, Report, Voucher, digest_of
from ndks.agent.pieces import split
from ndks.network.administrator_host import AdministratorHost
from ndks.network.bundle import BadBundle, Bundle, pack_ask
from ndks_protocol.wire import HOUSEKEEPING, MESSAGE


def good_packets() -> tuple[Host, AdministratorHost, list[bytes]]:
    admin = administrator()
    host, sender = joined(admin, 2)
    (capsule,) = sender.send(b"a text")
    words = [Report(1, 1, ((0, 1),)), Voucher(1, digest_of(capsule)), Ask(4, (1, 2)), Ask(8, ())]
    packets = [capsule, *(sender.unit.seal(HOUSEKEEPING, word.packed())[0] for word in words)]
    sender.unit.lead()
    packets += [pack_ask(-1), pack_ask(7), *sender.tick(), admin.issue().content]
    return host, AdministratorHost(administrator()), [*packets, *split(packets[-1], 100)]


FIRST = st.sampled_from(b"\x01\x3f\x42\x46")


@settings(max_examples=300)
@given(st.lists(st.builds(lambda first, rest: bytes((first,)) + rest, FIRST, st.binary(max_size=200)), max_size=5))
def test_any_bytes(packets: list[bytes]) -> None:
    host, admin, _ = good_packets()
    for packet in packets:
        host.receive(packet)
        admin.receive(packet)
    host.ticks(20)


def test_packets_that_were_altered() -> None:
    random = Random(1)
    host, admin, packets = good_packets()
    for _ in range(3000):
        packet = bytearray(random.choice(packets))
        for _ in range(random.choice((1, 1, 2, 5))):
            packet[random.randrange(len(packet))] = random.randrange(256)
        del packet[random.choice((len(packet), random.randrange(len(packet) + 1))) :]
        host.receive(bytes(packet))
        admin.receive(bytes(packet))
        host.tick()
    host.receive(*packets)
    assert host.delivered == [(8, 1, b"a text")]
    assert host.unit.noticed == [0, 4]


@given(st.sampled_from((MESSAGE, HOUSEKEEPING, 0)), st.binary(max_size=60))
def test_any_content_of_a_member(kind: int, data: bytes) -> None:
    host, sender = joined(administrator(), 2)
    host.receive(sender.unit.seal(kind, data)[0])
    host.ticks(40)
    host.start()


@given(st.binary(max_size=300))
def test_bundles_are_parsed_or_refused(data: bytes) -> None:
    try:
        bundle = Bundle.parse(b"\x42\x01" + data)
    except BadBundle:
        return
    assert bundle.content == b"\x42\x01" + data
