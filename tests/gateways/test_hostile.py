# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What those can do who are members, in between, or beside a gateway, and what they cannot."""

import asyncio
import os
import socket
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateways.ends import HOST, FakeGate, FakeStore, Network, Service, Side, World, run, until, world
from ndks.carriers.tunnel import UP
from ndks.exceptions import FileError, NdksError
from ndks_gateways.running import connecting, flows, switching, udp
from ndks_gateways.running.greeting import Greeting, perform
from ndks_gateways.running.partners import Partner
from ndks_gateways.running.settings import Address, Settings
from ndks_gateways.running.status import State
from ndks_gateways.running.stream_sockets import RESET
from ndks_gateways.tunnel import frames, knocks
from ndks_gateways.tunnel.delivery import Attached
from ndks_gateways.tunnel.doors import Door, pair_door
from ndks_gateways.tunnel.errors import UNPROVEN
from ndks_gateways.tunnel.frames import Frame
from ndks_gateways.tunnel.handshake import Expected, Handshake, Identity, connect
from ndks_gateways.tunnel.steps import Admit, Open, OpenedKeys, Seal, Step
from ndks_gateways.tunnel.streams import WINDOW

HELLO = knocks.hello(bytes(16))
LANES = {"PEER": 2, "OWN": 1, "OTHER": 3, "REVOKED": 9}  # whose headers


class Revoked(NdksError):
    code = "REVOKED"


class RevokingGate(FakeGate):
    """A unit that knows who was revoked."""

    async def open(self, header: bytes) -> OpenedKeys:
        if self.network.made[header][0] in self.network.revoked:
            raise Revoked("the lane was revoked")
        return await super().open(header)


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


def test_a_full_disk_hides_no_revocation():
    async def work() -> None:
        network = Network(revoked={2})

        class Full(FakeStore):
            def drop_pairs(self) -> None:
                raise FileError("the disk is full")

        settings = Settings("office", True, Address(HOST, 0), Address(HOST, 0))
        partner = Partner(settings, RevokingGate(network, 1), Full(), lambda _: ())
        partner._header = (await FakeGate(network, 2).seal()).header
        assert await partner.is_revoked()

    run(work)


def no_room(_what: object) -> None:
    raise FileError("the disk is full")


@pytest.mark.parametrize("full", ["a", "b", "ab"])
def test_a_full_disk_ends_no_tunnel(full: str):
    """A new pair door cannot be kept: the one of before is at both ends, and opens."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            reader, writer = await made.connect()
            for side in full:
                getattr(made, side).store.keep_pairs = no_room
            for links in 2, 3, 4:
                made.a.end._linking.renew()
                await until(lambda links=links: made.a.tally.full == made.b.tally.full == links)
                writer.write(b"data")
                assert await reader.readexactly(4) == b"data"
            assert made.a.tally.cuts == 0
            writer.close()

    run(work)


@pytest.mark.parametrize("full", ["a", "b"])
def test_a_peer_that_cannot_be_pinned_gets_no_link(full: str):
    async def work() -> None:
        async with world(through_proxy=False) as made:
            await made.a.linked()
            side = made.a if full == "a" else made.b
            side.store.forget()
            side.store.pin = no_room
            made.a.end._linking.wipe()
            made.a.end.forget()
            await until(lambda: side.tally.failed["FILE"])
            assert side.end.link is None
            assert side.store.peer is None
            del side.store.pin
            await until(lambda: made.a.end.link and made.b.end.link)

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


def test_an_application_that_resets_its_connection_cuts_no_link():
    """It has said that it sends no more, so nothing is read from it, and the reset is found when the stream ends."""

    async def work() -> None:
        may_end = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            await may_end.wait()

        async with world(serve) as made:
            await made.a.linked()
            link = made.a.end._switch.newest
            _, writer = await made.connect()
            writer.write_eof()
            await until(lambda: made.a.end.streams == made.b.end.streams == 1)
            await until(lambda: all(each.stream.is_finished_here for each in made.a.end._sockets._sockets.values()))
            writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
            await asyncio.sleep(0.05)  # for the reset to come
            may_end.set()
            await until(lambda: made.a.end.streams == made.b.end.streams == 0)
            assert made.a.end._switch.newest is link

    run(work)


def test_a_peer_that_acknowledges_nothing_takes_no_memory_without_end(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(1000))
            await reader.read()

        monkeypatch.setattr(switching, "_MOST_HELD", 20_000)
        async with world(serve) as made:
            await made.a.linked()
            delivery = made.a.end._switch.delivery
            note = delivery.note_counting

            def quiet(link: Attached, content: Frame) -> None:
                note(link, content)
                delivery._is_ack_due = False

            monkeypatch.setattr(delivery, "note_counting", quiet)
            monkeypatch.setattr(delivery, "acknowledge", lambda: None)
            process = made.b.end._switch.delivery.process
            while made.b.end._switch.delivery.process == process:
                _, writer = await made.connect()
                await asyncio.sleep(0.01)
                assert made.b.end.kept_bytes < 25_000
                writer.transport.abort()
            monkeypatch.undo()
            await until(lambda: made.a.end.link)

    run(work)


async def is_reset(made: World, held: list[asyncio.StreamWriter]) -> bool:
    """Whether a new connection of an application is reset, as there is no room for it; else it stays, held."""
    waiting = made.a.end._waiting.connections
    before, is_linked = len(waiting), made.a.end.link is not None
    reader, writer = await made.connect()
    held.append(writer)
    writer.write(b"x")
    echoed = asyncio.ensure_future(reader.readexactly(1))
    await until(lambda: echoed.done() or len(waiting) > before)
    if not echoed.done():
        echoed.cancel()
        return False
    try:
        assert (await echoed, is_linked) == (b"x", True)
    except ConnectionResetError:
        return True
    return False


def test_flows_of_datagrams_leave_room_for_the_link_too():
    async def work() -> None:
        async with world() as made:
            without = made.b.end._sockets.most
        async with world(udp=True) as made:
            assert made.a.end._sockets.most == without
            assert made.b.end._sockets.most == max(without - flows.MOST, (without + 1280) // 2)

    run(work)


@pytest.mark.parametrize("full", ["a", "b"])
def test_applications_leave_room_for_the_link(full: str):
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            side = made.a if full == "a" else made.b
            held: list[asyncio.StreamWriter] = []
            assert side.end._sockets.free > 500
            side.end._sockets.most = 3
            assert [await is_reset(made, held) for _ in range(5)] == [False] * 3 + [True] * 2
            made.proxy.is_open = False
            made.proxy.cut()
            await until(lambda: made.a.end._switch.newest is None)
            side.end._sockets.most = 5
            made.a.end._sockets.most = 5
            assert [await is_reset(made, held) for _ in range(4)] == [False] * 2 + [True] * 2
            made.proxy.is_open = True
            await until(lambda: made.b.end.streams == 5)
            for writer in held:
                writer.transport.abort()

    run(work)
