# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages of several clients at one unit: places for vernam, none for aes, keys and numbers once each."""

import asyncio
import secrets
from typing import Any

import pytest
from hosts.capsules import chunks_of, pieces_of
from support.public_network import public_network
from unit.other_member import HEADER_SIZE, OtherMember, header_of, open_offline

import ndks
from ndks.crypto import CRYPTO
from ndks.service.kept import AesKeys, Kept, Messages
from ndks_protocol import commands, service
from ndks_protocol.commands import AES, CIPHERS, VERNAM
from ndks_protocol.kdf import derive

from . import virtual
from .async_client import AsyncClient
from .conftest import Serve, Served

NETWORK = public_network()
DATA = bytes(range(256)) * 20
FLAGS = commands.AGAIN | commands.ALLOW_JUMP


async def begin(client: AsyncClient, cipher: int = VERNAM) -> tuple[bytes, bytes]:
    """Begin to seal in mode b; return token and header."""
    token = secrets.token_bytes(8)
    return token, (await client.call(commands.SEAL_BEGIN, token, cipher, commands.DATA, bytes(8))).header


async def seal(client: AsyncClient, cipher: int, data: bytes = DATA) -> bytes:
    """Seal in mode b and return the capsule."""
    token, capsule = await begin(client, cipher)
    for piece in pieces_of(data):
        capsule += (await client.call(commands.SEAL_CHUNK, token, *piece)).chunks
    return capsule


async def unseal(client: AsyncClient, capsule: bytes) -> bytes:
    """Open in mode b and return the data."""
    opened = await client.call(commands.OPEN_BEGIN, capsule[:HEADER_SIZE], FLAGS)
    return b"".join(
        [(await client.call(commands.OPEN_CHUNK, opened.handle, *chunk)).data for chunk in chunks_of(capsule)]
    )


async def code(answer: Any) -> str:
    with pytest.raises(ndks.NdksError) as refused:
        await answer
    return refused.value.code


@pytest.mark.parametrize("cipher", CIPHERS)
def test_messages_of_many_clients_are_all_whole(serve: Serve, cipher: str) -> None:
    sender = OtherMember(NETWORK, 2)

    async def work(served: Served) -> None:
        clients = [await served.client(scope) for scope in ("keys", "keys", "gate", "admin")]
        capsules = await asyncio.gather(*(seal(client, CIPHERS.index(cipher), DATA[:3000]) for client in clients))
        assert [open_offline(NETWORK, capsule) for capsule in capsules] == [DATA[:3000]] * len(clients)
        received = [sender.seal(DATA[:number], cipher) for number in (1, 1000, 2000, 3000)]
        opened = await asyncio.gather(*map(unseal, clients, received))
        assert opened == [DATA[:number] for number in (1, 1000, 2000, 3000)]

    serve(work)


def test_a_place_is_lent_until_the_message_is_complete(serve: Serve) -> None:
    async def work(served: Served) -> None:
        first, second = await served.client("keys"), await served.client("keys")
        token, header = await begin(first)
        waiting = asyncio.create_task(begin(second))
        pieces = pieces_of(DATA)
        chunks = [(await first.call(commands.SEAL_CHUNK, token, *piece)).chunks for piece in pieces[:-1]]
        assert not waiting.done()
        chunks.append((await first.call(commands.SEAL_CHUNK, token, *pieces[-1])).chunks)
        other, _ = await waiting
        assert open_offline(NETWORK, header + b"".join(chunks)) == DATA
        assert await code(first.call(commands.SEAL_CHUNK, other, *pieces[0])) == "CONFLICT"

    serve(work)


def test_the_place_is_busy_while_its_owner_works(serve: Serve) -> None:
    async def work(served: Served) -> None:
        owner, other, gate = [await served.client(scope) for scope in ("keys", "keys", "gate")]
        token, header = await begin(owner)
        waiting = [code(begin(other)), code(gate.call(service.TAKE_NUMBER))]
        waiting = [asyncio.create_task(each) for each in waiting]
        began, sent = asyncio.get_running_loop().time(), []
        while not all(each.done() for each in waiting):
            piece = len(sent), 0, DATA[: 1016 if not sent else 1024]
            sent.append((await owner.call(commands.SEAL_CHUNK, token, *piece)).chunks)
            await asyncio.sleep(1)
        assert [await each for each in waiting] == ["BUSY", "BUSY"]
        assert 7 < asyncio.get_running_loop().time() - began < 10
        assert header_of(NETWORK, header).cipher == VERNAM

    serve(work)


def test_gateways_that_never_stop_leave_the_place_to_others(serve: Serve) -> None:
    async def work(served: Served) -> None:
        client, gates = await served.client("keys"), [await served.client("gate") for _ in range(4)]
        is_done = asyncio.Event()

        async def take(gate: AsyncClient) -> None:
            while not is_done.is_set():
                await gate.call(service.MESSAGE_KEYS, secrets.token_bytes(8), bytes(8))

        taking = [asyncio.create_task(take(gate)) for gate in gates]
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            assert open_offline(NETWORK, await seal(client, VERNAM, b"letter")) == b"letter"
        assert asyncio.get_running_loop().time() - began < 3
        is_done.set()
        await asyncio.gather(*taking)

    serve(work)


def test_an_idle_owner_loses_the_place_to_one_that_waits(serve: Serve) -> None:
    async def work(served: Served) -> None:
        idle, other = await served.client("keys"), await served.client("keys")
        token, _ = await begin(idle)
        await asyncio.sleep(20)  # nobody waits
        await idle.call(commands.SEAL_CHUNK, token, 0, 0, DATA[:1016])
        began = asyncio.get_running_loop().time()
        await begin(other)
        assert 5 <= asyncio.get_running_loop().time() - began < 6
        assert await code(idle.call(commands.SEAL_CHUNK, token, 1, 1, b"")) == "CONFLICT"

    serve(work)


@pytest.mark.parametrize("leave", ["close", "hello", "CLOSE"])
def test_who_leaves_gives_the_place_back(serve: Serve, leave: str) -> None:
    async def work(served: Served) -> None:
        leaver, other = await served.client("keys"), await served.client("keys")
        token, _ = await begin(leaver)
        if leave == "close":
            leaver.close()
        else:
            await (leaver.call(commands.HELLO) if leave == "hello" else leaver.call(commands.CLOSE, 0))
            assert await code(leaver.call(commands.SEAL_CHUNK, token, 0, 1, b"")) == "CONFLICT"
        began = asyncio.get_running_loop().time()
        await begin(other)
        assert asyncio.get_running_loop().time() - began < 1

    serve(work)


def test_a_refused_message_ends_none(serve: Serve) -> None:
    async def work(served: Served) -> None:
        client = await served.client("keys")
        token, header = await begin(client)
        for values in ((secrets.token_bytes(8), 9, 0, bytes(8)), (secrets.token_bytes(8), VERNAM, 1, bytes(8))):
            assert await code(client.call(commands.SEAL_BEGIN, *values)) in ("RANGE", "KIND")
        chunks = await client.call(commands.SEAL_CHUNK, token, 0, 1, b"still here")
        assert open_offline(NETWORK, header + chunks.chunks) == b"still here"

    serve(work)


def test_any_number_of_aes_messages_at_once(serve: Serve) -> None:
    async def work(served: Served) -> None:
        clients = [await served.client("keys"), await served.client("gate")]
        begun = [(client, *await begin(client, AES)) for client in clients * 10]
        capsules = []
        for client, token, header in begun:
            capsules.append(header + (await client.call(commands.SEAL_CHUNK, token, 0, 1, token)).chunks)
        assert [open_offline(NETWORK, capsule) for capsule in capsules] == [token for _, token, _ in begun]
        client, token, _ = begun[0]
        assert await code(clients[1].call(commands.SEAL_CHUNK, token, 0, 1, token)) == "CONFLICT"
        assert await code(client.call(commands.SEAL_CHUNK, token, 0, 1, b"another")) == "CONFLICT"
        again = await client.call(commands.SEAL_CHUNK, token, 0, 1, token)
        assert capsules[0].endswith(again.chunks)

    serve(work)


def test_aes_messages_are_forgotten(serve: Serve) -> None:
    async def work(served: Served) -> None:
        client = await served.client("keys")
        old, _ = await begin(client, AES)
        await asyncio.sleep(59)
        kept = [(await begin(client, AES))[0] for _ in range(64)]
        assert await code(client.call(commands.SEAL_CHUNK, old, 0, 1, b"")) == "CONFLICT"  # one of 64 others
        await asyncio.sleep(50)
        await client.call(commands.SEAL_CHUNK, kept[0], 0, 1, b"")
        await asyncio.sleep(20)
        await client.call(commands.SEAL_CHUNK, kept[0], 0, 1, b"")
        assert await code(client.call(commands.SEAL_CHUNK, kept[1], 0, 1, b"")) == "CONFLICT"  # after a minute

    serve(work)


def test_a_token_begins_one_message(serve: Serve) -> None:
    async def work(served: Served) -> None:
        client = await served.client("gate")
        request = (bytes(8), AES, commands.DATA, bytes(8))
        keys = await client.call(commands.SEAL_KEYS, *request)
        assert await client.call(commands.SEAL_KEYS, *request) == keys
        assert await code(client.call(commands.SEAL_BEGIN, *request)) == "CONFLICT"
        assert await code(client.call(service.MESSAGE_KEYS, bytes(8), bytes(8))) == "CONFLICT"
        check = await client.call(commands.MESSAGE_CHECK, bytes(8), 5)
        assert await client.call(commands.MESSAGE_CHECK, bytes(8), 5) == check
        assert await code(client.call(commands.MESSAGE_CHECK, bytes(8), 6)) == "CONFLICT"
        assert await code(client.call(commands.MESSAGE_STREAM, bytes(8), 0, 8)) == "CONFLICT"
        assert await code(client.call(commands.SEAL_CHUNK, bytes(8), 0, 1, b"")) == "CONFLICT"

    serve(work)


@pytest.mark.parametrize("ends", ["hello", "other", "again"])
def test_no_keystream_has_two_texts(serve: Serve, ends: str) -> None:
    """Neither for a client that begins a message again with its token, nor for one that asks twice at once."""
    request = (bytes(8), AES, commands.DATA, bytes(8))

    async def work(served: Served) -> list[bytes]:
        client = await served.client("keys")
        begins = [asyncio.create_task(client.call(commands.SEAL_BEGIN, *request)) for _ in range(2)]
        headers = [(await begin).header for begin in begins]
        assert headers[0] == headers[1]
        chunks = [(await client.call(commands.SEAL_CHUNK, bytes(8), 0, 1, b"first")).chunks]
        if ends == "hello":
            await client.call(commands.HELLO)
        elif ends == "other":
            client.close()
            client = await served.client("keys")
        else:
            assert (await client.call(commands.SEAL_BEGIN, *request)).header == headers[0]
            assert await code(client.call(commands.SEAL_CHUNK, bytes(8), 0, 1, b"other")) == "CONFLICT"
            return headers
        headers.append((await client.call(commands.SEAL_BEGIN, *request)).header)
        chunks.append((await client.call(commands.SEAL_CHUNK, bytes(8), 0, 1, b"other")).chunks)
        assert [open_offline(NETWORK, headers[place] + chunks[place - 1]) for place in (1, 2)] == [b"first", b"other"]
        return headers[1:]

    assert len(set(serve(work))) == (1 if ends == "again" else 2)


def test_a_token_that_begins_two_messages_at_once(serve: Serve) -> None:
    async def work(served: Served) -> None:
        client = await served.client("keys")
        request = (bytes(8), AES, commands.DATA, bytes(8))
        both = (client.call(command, *request) for command in (commands.SEAL_BEGIN, commands.SEAL_KEYS))
        answers = await asyncio.gather(*both, return_exceptions=True)
        (refused,) = [each for each in answers if isinstance(each, ndks.NdksError)]
        assert refused.code == "CONFLICT"

    serve(work)


def test_keys_of_messages_are_those_of_the_network(serve: Serve) -> None:
    async def work(served: Served) -> None:
        gate = await served.client("gate")
        keys = await gate.call(service.MESSAGE_KEYS, bytes(8), bytes(8))
        clear = header_of(NETWORK, keys.header).clear
        assert keys.tag_key == derive(CRYPTO, NETWORK.secret, "ndks capsule auth", clear)
        assert await gate.call(service.MESSAGE_KEYS, bytes(8), bytes(8)) == keys
        sender = OtherMember(NETWORK, 2)
        for cipher, refused in (("aes", ""), ("vernam", "RANGE")):
            capsule = sender.seal(DATA, cipher)
            answer = gate.call(service.OPEN_MESSAGE_KEYS, capsule[:HEADER_SIZE], FLAGS)
            if refused:
                assert await code(answer) == refused
            else:
                assert (await answer).tag_key == derive(
                    CRYPTO, NETWORK.secret, "ndks capsule auth", header_of(NETWORK, capsule).clear
                )

    serve(work)


def test_numbers_and_messages_share_one_lane(serve: Serve) -> None:
    async def work(served: Served) -> list[int]:
        gates = [await served.client("gate") for _ in range(4)]
        taken = await asyncio.gather(*(gate.call(service.TAKE_NUMBER) for gate in gates * 3))
        keys = await asyncio.gather(
            *(gate.call(service.MESSAGE_KEYS, secrets.token_bytes(8), bytes(8)) for gate in gates)
        )
        assert {(number.epoch, number.lane) for number in taken} == {(0, 1)}
        return [number.number for number in taken] + [header_of(NETWORK, each.header).number for each in keys]

    assert sorted(serve(work)) == list(range(1, 17))


def test_no_two_clients_take_the_same_next_key(serve: Serve) -> None:
    async def work(served: Served) -> list[int]:
        clients = [await served.client("keys") for _ in range(8)]
        taken: list[int] = []

        async def take(client: AsyncClient) -> None:
            for _ in range(5):
                epoch, index = await client.call(commands.NEXT_INDEX)
                await client.call(commands.KEY_CHUNK, epoch, index, 0, 32)
                await asyncio.sleep(0.05)
                await client.call(commands.ACKNOWLEDGE, epoch, index, 0)
                taken.append(index)

        await asyncio.gather(*map(take, clients))
        return taken

    assert serve(work) == list(range(1, 41))


def test_a_slow_client_does_not_use_up_a_key_that_was_given_to_another(serve: Serve) -> None:
    async def work(served: Served) -> None:
        slow, other = await served.client("keys"), await served.client("keys")
        epoch, index = await slow.call(commands.NEXT_INDEX)
        assert (await other.call(commands.NEXT_INDEX)).index == index  # after 5 s without a request
        await other.call(commands.ACKNOWLEDGE, epoch, index, 0)
        assert await code(slow.call(commands.ACKNOWLEDGE, epoch, index, 0)) == "CONFLICT"
        assert (await slow.call(commands.NEXT_INDEX)).index == index + 1

    serve(work)


def test_keys_of_an_idle_client_are_overwritten_after_a_minute() -> None:
    async def work() -> list[bool]:
        keys = [AesKeys(b"\1" * 32, b"\2" * 8, b"\3" * 32, b"\4" * 8) for _ in range(2)]
        messages = Messages(asyncio.get_running_loop())
        messages.keep(b"old", Kept(b"", keys[0]))
        await asyncio.sleep(30)
        messages.keep(b"new", Kept(b"", keys[1]))
        there = [any(each.aes_key) for each in keys]
        await asyncio.sleep(31)
        there += [any(each.aes_key) for each in keys]
        await asyncio.sleep(30)
        return there + [any(each.aes_key) for each in keys]

    assert virtual.run(work()) == [True, True, False, True, False, False]
