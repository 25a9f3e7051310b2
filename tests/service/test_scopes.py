# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each scope refuses each command of another, and each key that is not for it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

import ndks
from ndks.driver.owner import Owner
from ndks.line import services
from ndks.service.scopes import SCOPES
from ndks_protocol import commands, service
from ndks_protocol.commands import Command

from .async_client import AsyncClient
from .conftest import Serve, Served

# From docs/service.md alone
EXPORTED = {"NEXT_INDEX", "KEY_CHUNK", "ACKNOWLEDGE"}
MESSAGES = {"SEAL_BEGIN", "SEAL_CHUNK", "SEAL_KEYS", "OPEN_BEGIN", "OPEN_CHUNK", "OPEN_KEYS"}
OF_ALL = {"HELLO", "STATUS", "CLOSE", "WATCH", "MESSAGE_STREAM", "MESSAGE_CHECK", "ACCEPT"} | MESSAGES
NETWORK = {"TICK", "CONTROL", "NOTICE", "HINT", "RENEW", "ROLE"}
FOR_PROGRAMS = {"TAKE_NUMBER", "MESSAGE_KEYS", "OPEN_MESSAGE_KEYS"}
PERMITTED = {
    "keys": OF_ALL | EXPORTED,
    "gate": OF_ALL | FOR_PROGRAMS | {"KEY_CHUNK", "RENEW"},
    "agent": OF_ALL | FOR_PROGRAMS | NETWORK,
    "admin": OF_ALL | EXPORTED | FOR_PROGRAMS | NETWORK | {"TRUST", "RELEASE"},
}
AT_THE_PORT_ONLY = {"PROVISION", "PROVISION_SEALED", "JOINING_KEY", "BIND", "ENROL", "ZEROIZE"}
NOT_HERE = {"OPEN_SESSION", "PROVE", "UNLOCK"}
COMMANDS = {command.name: command for command in [*commands.TABLE.values(), *service.TABLE.values()]}
FIRST_OF_PROGRAMS = 1 << 47


def test_clients_know_the_scopes_that_a_service_has() -> None:
    assert set(services.SCOPES) == set(SCOPES) == set(PERMITTED)


async def code_of(client: AsyncClient, command: Command, *values: Any) -> str:
    """Return the error code of the answer, or ""."""
    return await failure(client.call(command, *values))


async def failure(asked: Awaitable[Any]) -> str:
    try:
        await asked
    except ndks.NdksError as error:
        return error.code
    return ""


def payload_of(command: Command, scope: str) -> tuple[Any, ...]:
    """Return fields that fit the layout of a command."""
    index = FIRST_OF_PROGRAMS if scope == "gate" else 1
    kinds = {"u8": 0, "u16": 1, "u32": 0, "u64": index, "text": "1", "rest": b""}
    return tuple(kinds[kind] if kind in kinds else bytes(int(kind[1:])) for kind in command.request.kinds)


@pytest.mark.parametrize("scope", PERMITTED)
def test_each_command_in_each_scope(serve: Serve, scope: str) -> None:
    async def work(served: Served) -> dict[str, str]:
        left = {name: command for name, command in COMMANDS.items() if name != "RELEASE"}  # which ends the rest
        client = await served.client(scope)
        return {name: await code_of(client, command, *payload_of(command, scope)) for name, command in left.items()}

    for name, code in serve(work).items():
        if name in NOT_HERE:
            assert code == "UNKNOWN_COMMAND", name
        else:
            assert (code == "DENIED") == (name not in PERMITTED[scope]), name


@pytest.mark.parametrize("scope", PERMITTED)
def test_who_owns_a_unit_is_decided_at_its_port(serve: Serve, scope: str) -> None:
    """Whatever their payload: DENIED comes before BAD_REQUEST."""

    async def work(served: Served) -> list[str]:
        client = await served.client(scope)
        asked = [(COMMANDS[name], payload) for name in sorted(AT_THE_PORT_ONLY) for payload in (b"", bytes(300))]
        return [await failure(client.ask(command, payload)) for command, payload in asked]

    assert set(serve(work)) == {"DENIED"}


@pytest.mark.parametrize("scope", PERMITTED)
def test_only_admin_releases_the_port_and_unplugs(serve: Serve, scope: str) -> None:
    async def work(served: Served) -> list[str]:
        client = await served.client(scope)
        asked = [(service.RELEASE, 3601), (commands.CLOSE, 1), (commands.CLOSE, 0)]
        return [await code_of(client, *each) for each in asked]

    assert serve(work) == (["RANGE", "", ""] if scope == "admin" else ["DENIED", "DENIED", ""])


def test_keys_of_programs_are_for_gateways(serve: Serve) -> None:
    async def work(served: Served) -> list[str]:
        asked = [(scope, index) for scope in ("keys", "gate", "admin") for index in (1, 5 + FIRST_OF_PROGRAMS)]
        return [
            await code_of(await served.client(scope), commands.KEY_CHUNK, 0, index, 0, 32) for scope, index in asked
        ]

    assert serve(work) == ["", "DENIED", "DENIED", "", "", ""]


def test_nobody_uses_up_a_key_of_programs(serve: Serve) -> None:
    async def work(served: Served) -> str:
        return await code_of(await served.client("keys"), commands.ACKNOWLEDGE, 0, FIRST_OF_PROGRAMS, 1)

    assert serve(work) == "DENIED"


def test_there_is_one_agent(serve: Serve) -> None:
    async def work(served: Served) -> list[str]:
        agent = await served.client("agent")
        await agent.call(commands.STATUS)
        second = await code_of(await served.client("agent"), commands.STATUS)
        agent.close()
        await asyncio.sleep(1)
        return [second, await code_of(await served.client("agent"), commands.STATUS)]

    assert serve(work) == ["BUSY", ""]


def test_each_number_is_in_the_minimum_counter_also_after_a_renewal(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit forgets its tokens then: the same one takes another number."""
    noted: list[int] = []
    monkeypatch.setattr(Owner, "note_sealed", lambda _: noted.append(1))

    async def work(served: Served) -> None:
        client = await served.client("admin")
        request = bytes(8), commands.VERNAM, commands.DATA, bytes(8)
        first = await client.call(commands.SEAL_BEGIN, *request)
        assert await client.call(commands.SEAL_BEGIN, *request) == first
        assert len(noted) == 1
        await client.call(commands.RENEW)
        assert await client.call(commands.SEAL_BEGIN, *request) != first
        assert len(noted) == 2

    serve(work)
