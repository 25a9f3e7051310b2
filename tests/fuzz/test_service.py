# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Any bytes of several clients to a service: typed errors, and an honest client notices nothing.

Most are valid frames with plausible fields; tokens and handles of one client are sent by others as well.
"""

import asyncio
import functools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from service import virtual
from service.async_client import AsyncClient
from unit.other_member import OtherMember, header_of, open_offline

from fuzz.fuzzing import FUZZED, Draw, altered
from ndks.laptop.bindings import BindingStore
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing, service

SCOPES = ("keys", "gate", "admin")
COMMANDS = {**commands.TABLE, **service.TABLE}
CODES = (errors.TABLE.keys() | service.ERRORS.keys()) - {errors.INTERNAL}
NETWORK = virtual.public_network()
HEADERS = [OtherMember(NETWORK, 2).seal(b"x", cipher)[:37] for cipher in ("aes", "vernam")]
INTEGERS = (0, 1, 2, 7, 256, 1015, 1016, 1024, 1025, 1 << 20, (1 << 47) - 1, 1 << 47, 1 << 48, (1 << 64) - 1)

codes = st.sampled_from(sorted(COMMANDS))
payloads = st.binary(max_size=64) | st.integers(0, framing.MAX_PAYLOAD).map(bytes)


@functools.cache
def bound() -> tuple[MemoryUnit, BindingStore]:
    store = BindingStore(Path(tempfile.mkdtemp(prefix="ndks-fuzz-")), look=lambda **_: ())
    return virtual.member(store), store


class Fuzzed(asyncio.Protocol):
    """A client that sends anything; `answers` is what came back."""

    def __init__(self) -> None:
        self.answers: list[framing.Frame | framing.FrameError] = []
        self._decoder = framing.Decoder()

    def data_received(self, data: bytes) -> None:
        self.answers += self._decoder.feed(data)


Clients = list[tuple[asyncio.Transport, Fuzzed]]


@FUZZED
@given(st.data())
def test_service(data: st.DataObject) -> None:
    unit, store = bound()
    virtual.run(talk(unit.clone(), store, data.draw))


async def talk(unit: MemoryUnit, store: BindingStore, draw: Draw) -> None:
    async with virtual.served(unit, store) as (_, paths):
        honest = await AsyncClient.connected(paths["gate"])
        connect = asyncio.get_running_loop().create_unix_connection
        clients = [await connect(Fuzzed, str(paths[scope])) for scope in SCOPES]
        await asyncio.sleep(0.01)  # all are accepted: asyncio loses those that it accepts as a server closes
        try:
            await disturb(draw, clients, honest)
        finally:  # Hypothesis ends an example by an exception in `draw`
            honest.close()
            for line, _ in clients:
                line.close()
        for _, client in clients:
            for answer in client.answers:
                check(answer)


async def disturb(draw: Draw, clients: Clients, honest: AsyncClient) -> None:
    known = [bytes(8), b"token 01"]
    for number in range(draw(st.integers(1, 12))):
        draw(st.sampled_from(clients))[0].write(sent(draw, number, known))
        await asyncio.sleep(draw(st.sampled_from((0, 0.001, 0.1, 3.0))))
        known += [bytes(answer.payload[:8]) for _, client in clients for answer in client.answers[-1:]]
    await answers_as_ever(honest)
    await asyncio.sleep(30)  # all have their answers


def sent(draw: Draw, number: int, known: list[bytes]) -> bytes:
    """Draw what a client sends: a frame with plausible fields, any frame, or any bytes."""
    kind = draw(codes.filter(lambda code: code != service.RELEASE.code))  # which lets go of the unit
    form = draw(st.integers(0, 5))
    if form == 0:
        return draw(altered(st.just(framing.encode(kind, number, draw(payloads)))))
    if form == 1:
        return framing.encode(draw(st.integers(0, 255).filter(lambda code: code != service.RELEASE.code)), number, b"")
    values = [field(draw, name, kind_of, known) for name, kind_of in fields(COMMANDS[kind])]
    return framing.encode(kind, number, b"".join(values))


def fields(command: commands.Command) -> list[tuple[str, str]]:
    return list(zip(command.request.names, command.request.kinds, strict=True))


def field(draw: Draw, name: str, kind: str, known: list[bytes]) -> bytes:
    if kind[0] == "u":
        size = int(kind[1:]) // 8
        return (draw(st.sampled_from(INTEGERS)) % (1 << 8 * size)).to_bytes(size)
    if name == "header":
        return draw(st.sampled_from(HEADERS))
    if kind == "b8":
        return draw(st.sampled_from(known))[:8].ljust(8, b"\0")
    if kind == "rest":
        return draw(st.sampled_from((b"", b"x", bytes(1016), bytes(1024), bytes(1025))))
    return b"\x01x" if kind == "text" else bytes(int(kind[1:]))


def check(answer: framing.Frame | framing.FrameError) -> None:
    assert isinstance(answer, framing.Frame)
    if answer.kind == framing.ERROR:
        assert int.from_bytes(answer.payload) in CODES
    else:
        COMMANDS[answer.kind & ~framing.ANSWER].answer.unpack(answer.payload)


async def answers_as_ever(honest: AsyncClient) -> None:
    """Check that a client gets what it asks for, while others have done anything."""
    seen: list[int] = []
    for token in (b"honest 1", b"honest 2"):
        keys: Any = await asyncio.wait_for(honest.call(service.MESSAGE_KEYS, token, bytes(8)), 30)
        seen.append(header_of(NETWORK, keys.header).number)
    token = b"honest 3"
    header = (await honest.call(commands.SEAL_BEGIN, token, commands.AES, commands.DATA, bytes(8))).header
    chunks = (await honest.call(commands.SEAL_CHUNK, token, 0, 1, b"hello")).chunks
    assert open_offline(NETWORK, header + chunks) == b"hello"
    assert sorted({*seen, header_of(NETWORK, header).number}) == [*seen, header_of(NETWORK, header).number]
