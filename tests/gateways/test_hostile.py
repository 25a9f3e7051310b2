# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What those can do who are members, or in between, and what they cannot."""

import asyncio
import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateways.ends import HOST, FakeGate, FakeStore, Network, Service, Side, World, run, until, world
from gateways.revoking import Revoked, RevokingGate
from ndks.carriers.tunnel import UP
from ndks_gateways.running import connecting, udp
from ndks_gateways.running.greeting import Greeting, perform
from ndks_gateways.running.partners import Partner
from ndks_gateways.running.settings import Address, Settings
from ndks_gateways.running.status import State
from ndks_gateways.tunnel import frames, knocks
from ndks_gateways.tunnel.doors import Door, pair_door
from ndks_gateways.tunnel.errors import UNPROVEN
from ndks_gateways.tunnel.handshake import Expected, Handshake, Identity, connect
from ndks_gateways.tunnel.steps import Admit, Open, Seal, Step
from ndks_gateways.tunnel.streams import WINDOW

HELLO = knocks.hello(bytes(16))
LANES = {"PEER": 2, "OWN": 1, "OTHER": 3, "REVOKED": 9}  # whose headers


class Member:
    """A gateway of a member, which calls B and goes on with each handshake when it is let."""

    def __init__(self, made: World, lane: int) -> None:
        self.may_go_on = asyncio.Event()
        self._gate = FakeGate(made.network, lane)
        self._where = made.b.settings.outer
        self._identity = Identity("office", os.urandom(16), WINDOW, X25519PrivateKey.generate(), lane)

    async def call(self) -> None:
        greeting = Greeting()
        await asyncio.get_running_loop().create_connection(lambda: greeting, *self._where)
        try:
            await perform(connect(self._identity, self._gate.doors()[0], Expected()), greeting, self._answer)
        finally:
            greeting.close()

    async def _answer(self, step: Step) -> object:
        if isinstance(step, Seal):
            return await self._gate.seal()
        assert isinstance(step, Open)
        await self.may_go_on.wait()
        return await self._gate.open(step.header)


def test_of_two_first_links_at_once_one_is_pinned_and_the_other_refused():
    async def work() -> None:
        async with world(through_proxy=False) as made:
            await made.a.kill()
            await made.b.kill()
            made.b.store = FakeStore()
            await made.b.begin()
            honest, insider = Member(made, 1), Member(made, 7)
            sealed = made.b.gate.sealed
            calling = asyncio.create_task(insider.call())
            await until(lambda: made.b.gate.sealed > sealed)  # accept is sent
            honest.may_go_on.set()
            await honest.call()
            await until(lambda: made.b.tally.full == 1)
            insider.may_go_on.set()
            await calling
            await until(lambda: made.b.tally.failed["PINNED_KEY"] == 1)
            assert made.b.store.peer
            assert made.b.store.peer.lane == 1
            assert made.b.tally.full == 1

    run(work)


def revoked_handshake(header: bytes, door: Door | None) -> Handshake:
    """The steps of a handshake in which a header comes, at a door of B, or in accept."""
    if door:
        yield Admit(door)
    yield Open(header)
    raise AssertionError


@pytest.mark.parametrize("who", ["member", "unauthenticated accept", "at a pair door", "the last link's"])
def test_only_the_other_gateway_s_revocation_deletes_pair_doors(who: str):
    async def work() -> None:
        network = Network()
        gate, store = RevokingGate(network, 1), FakeStore()
        store.pairs = (bytes(32),)
        settings = Settings("office", True, Address(HOST, 0), Address(HOST, 0))
        partner = Partner(settings, gate, store, lambda _: ())
        old = (await FakeGate(network, 9).seal()).header
        network.revoked.add(9)
        if who == "the last link's":
            partner._header = (await FakeGate(network, 2).seal()).header
            network.revoked.add(2)
        door = {"member": gate.doors()[0], "at a pair door": pair_door(bytes(32), "office")}.get(who)
        with pytest.raises(Revoked):
            await partner.perform(revoked_handshake(old, door), Greeting())
        assert bool(store.pairs) == (who in ("member", "unauthenticated accept"))

    run(work)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"x" * 21, "GARBAGE"),
        (b"NDKT\x63" + bytes(16), "TUNNEL_VERSION"),
        (HELLO + b"\x63", "GARBAGE"),
        (HELLO + b"\x03" + bytes(4), "GENERATION"),
        (HELLO + b"\x04\x00\x09", "GENERATION"),
        (HELLO + b"\x01PEER" + bytes(8) + b"\x00\x74" + bytes(116), "DIVERGED"),
        (HELLO + b"\x01OWN" + bytes(8) + b"\x00\x74" + bytes(116), "REFLECTED"),
        (HELLO + b"\x01OTHER" + bytes(8) + b"\x00\x74" + bytes(116), "OTHER_LANE"),
        (HELLO + b"\x01REVOKED" + bytes(8) + b"\x00\x74" + bytes(116), "REVOKED"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_one_on_the_way_answers_is_not_told_as_proven(answer: bytes, code: str):
    """He knows no key, but headers that gateways have sent; the advice of some codes is to forget, or to provision."""

    async def work() -> None:
        network = Network(revoked={9})
        headers = {name: (await FakeGate(network, lane).seal()).header for name, lane in LANES.items()}
        said = answer
        for name, header in headers.items():
            said = said.replace(name.encode(), header)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            await reader.read()

        fake = Service(serve)
        settings = Settings("office", True, Address(HOST, 0), Address(HOST, await fake.listen()), peer=2)
        side = Side(settings, RevokingGate(network, 1), FakeStore())
        await side.begin()
        await until(lambda: side.end.problem_code == code)
        state = State(settings, side.store, side.gate, side.end, side.tally)
        assert state.line().endswith(f"({code}); {UNPROVEN}")
        assert side.end.is_unproven
        await side.kill()
        await fake.close()

    run(work)


@pytest.mark.parametrize("what", ["revoked", "forgotten"])
def test_a_resumption_that_waits_for_an_answer_outlives_no_wipe(monkeypatch: pytest.MonkeyPatch, what: str):
    """The other gateway closes the link and answers no call, until it is revoked, or forgotten, here."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            calling, may_go_on = asyncio.Event(), asyncio.Event()
            call = connecting.call

            async def answered_late(greeting: Callable[[], Greeting], where: Address) -> None:
                calling.set()
                await may_go_on.wait()
                await call(greeting, where)

            monkeypatch.setattr(connecting, "call", answered_late)
            made.proxy.cut()
            await calling.wait()
            if what == "revoked":
                gate = RevokingGate(Network(made=made.network.made, revoked={2}), 1)
                made.a.gate.open = gate.open
                made.a.gate.enter(2)
                await until(lambda: made.a.end._linking._resumable is None)
            else:
                made.a.store.forget()
                made.a.end.forget()
            await asyncio.sleep(0.02)  # for the peer's unit to be asked whether it is revoked
            may_go_on.set()
            await until(lambda: made.a.tally.failed["UNKNOWN_RESUMPTION"])
            await until(lambda: made.a.tally.full == 2 if what == "forgotten" else made.a.tally.failed["GENERATION"])
            assert made.a.tally.resumed == made.b.tally.resumed == 0

    run(work)


def test_links_that_end_soon_are_made_ever_more_slowly(monkeypatch: pytest.MonkeyPatch):
    """One on the line lets a link begin, and then cuts it or changes a byte: he shall not busy both gateways."""

    async def work() -> None:
        monkeypatch.setattr(connecting, "_MOST", 0.01)
        async with world() as made:
            await made.a.linked()
            before = made.a.end._linking._failures

            async def cut(number: int) -> int:
                made.proxy.cut()
                await until(lambda: made.a.tally.cuts == number)
                await made.a.linked()
                return made.a.end._linking._failures - before

            assert [await cut(number) for number in range(1, 6)] == [1, 2, 3, 4, 5]
            monkeypatch.setattr(connecting, "_LASTING", 0.0)
            assert await cut(6) + before == 0  # the link was a good one

    run(work)


def test_empty_packets_do_not_tell_agents_of_a_link():
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            said: list[bytes] = []
            carrying = made.a.end._carrying
            agent = carrying.agent()
            agent.write = said.append
            carrying._agents.append(agent)
            carrying.deliver([(0, b""), (1, b"bundle")])
            link = made.a.end._switch.newest
            carrying.receive(link, frames.parse(frames.frame(frames.CARRY)))
            assert len(said) == 1
            assert UP not in said
            carrying._agents.remove(agent)

    run(work)


def opens(there: Side, here: Side) -> bool:
    """Whether one end opens what the other one seals."""
    assert there.end.udp
    assert here.end.udp
    packet = here.end.udp._datagrams.seal(1, b"data")
    return packet is not None and there.end.udp._datagrams.open(packet) is not None


async def without_links(made: World) -> None:
    """Link both ends, which have keys of datagrams then, and let no other link come."""
    await made.a.linked()
    await until(lambda: opens(made.b, made.a) and opens(made.a, made.b))
    made.proxy.is_open = False


def test_a_gateway_that_is_revoked_gets_no_datagram_either():
    async def work() -> None:
        async with world(udp=True) as made:
            await without_links(made)
            gate = RevokingGate(Network(made=made.network.made, revoked={1}), 2)
            made.b.gate.open = gate.open
            made.b.gate.enter(2)
            await until(lambda: not opens(made.b, made.a))
            assert made.b.end.udp
            assert made.b.end.udp._datagrams.seal(1, b"data") is None

    run(work)


def test_keys_of_datagrams_end_with_the_links_of_an_earlier_generation(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with world(udp=True) as made:
            await without_links(made)
            monkeypatch.setattr(udp, "_FORMER_FOR", 4.0)  # a busy machine may stop for a while
            made.b.gate.enter(2)
            await asyncio.sleep(0.01)
            assert opens(made.b, made.a)
            await until(lambda: not opens(made.b, made.a))
            assert made.b.end.udp
            assert made.b.end.udp._datagrams.seal(1, b"data") is None
            made.a.gate.enter(2)
            made.proxy.is_open = True
            await until(lambda: opens(made.b, made.a) and opens(made.a, made.b))

    run(work)
