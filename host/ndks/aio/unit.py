# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in an asyncio program."""

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from ..driver import capsules, unit
from ..driver.answers import Hello
from ..files import Source
from .tasks import Tasks
from .values import ExportedKey, ReceivedMessage

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _coroutine(
    method: Callable[Concatenate[unit.Unit, _P], _R], *, whole: bool = False
) -> Callable[Concatenate["Unit", _P], Coroutine[Any, Any, _R]]:
    """Return a method of the driver as a coroutine. One that is `whole` ends before its task is cancelled."""

    @functools.wraps(method)
    async def verb(self: "Unit", /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await self.run(lambda opened: method(opened, *args, **kwargs), whole=whole)

    return verb


class Unit:
    """An open unit, made by `ndks.aio.open`. Its methods are those of `ndks.Unit`, as coroutines with the same errors.

    Any number of tasks may share it; each method has the unit to itself, a stream for one block at a time. Other tasks
    wait for a `taking_key` or `taking_message` block; tasks that are made in the block are part of it. Sources, sinks
    and callbacks are used in the thread of the unit.

    When a task is cancelled, its method stops at the next read of the port, and CancelledError is raised then. Methods
    that change what a unit is, such as `join`, `bind`, `zeroize` and `close`, are done first.
    """

    def __init__(self, opened: unit.Unit, tasks: Tasks) -> None:
        self._unit = opened
        self._tasks = tasks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def run(self, call: Callable[[unit.Unit], _R], *, whole: bool = False) -> _R:
        """Run a function of the `ndks.Unit` in the thread of the unit, in turn, and return its result.

        When this is cancelled, the function stops at the next read of the port, unless `whole`.
        """
        run = self._tasks.run_whole if whole else self._tasks.run
        return await run(lambda: call(self._unit))

    async def close(self) -> None:
        """Close the unit; every further call but this one raises UsageError."""
        await self._tasks.run_last(self._unit.close)

    def __repr__(self) -> str:
        """Name the unit and its port, without a request to the unit and without a secret."""
        return repr(self._unit).replace("ndks.", "ndks.aio.", 1)

    @property
    def port(self) -> str:
        """The port at which the unit was opened."""
        return self._unit.port

    @property
    def hello(self) -> Hello:
        """The unit's last greeting."""
        return self._unit.hello

    @property
    def is_bound_here(self) -> bool:
        """Whether this laptop has a binding of the unit; it opens if the laptop is unchanged."""
        return self._unit.is_bound_here

    @property
    def has_code_here(self) -> bool:
        """Whether the unit was provisioned at this laptop and not bound yet: `bind` needs no code then."""
        return self._unit.has_code_here

    @property
    def went_back(self) -> bool:
        """Whether the unit's counter of exported keys was below this laptop's minimum, and was raised to it."""
        return self._unit.went_back

    unlock = _coroutine(unit.Unit.unlock)
    status = _coroutine(unit.Unit.status)
    check_blank = _coroutine(unit.Unit.check_blank)
    check_at_port = _coroutine(unit.Unit.check_at_port)
    check_member = _coroutine(unit.Unit.check_member)
    join = _coroutine(unit.Unit.join, whole=True)
    joining_key = _coroutine(unit.Unit.joining_key, whole=True)
    join_request = _coroutine(unit.Unit.join_request, whole=True)
    join_package = _coroutine(unit.Unit.join_package, whole=True)
    enrol = _coroutine(unit.Unit.enrol, whole=True)
    provision = _coroutine(unit.Unit.provision, whole=True)
    bind = _coroutine(unit.Unit.bind, whole=True)
    trust = _coroutine(unit.Unit.trust, whole=True)
    zeroize = _coroutine(unit.Unit.zeroize, whole=True)
    eject = _coroutine(unit.Unit.eject, whole=True)

    next_index = _coroutine(unit.Unit.next_index)
    acknowledge = _coroutine(unit.Unit.acknowledge)
    key = _coroutine(unit.Unit.key)
    next_key = _coroutine(unit.Unit.next_key)

    encrypt = _coroutine(unit.Unit.encrypt)
    decrypt = _coroutine(unit.Unit.decrypt)
    encrypt_folder = _coroutine(unit.Unit.encrypt_folder)
    decrypt_folder = _coroutine(unit.Unit.decrypt_folder)
    seal = _coroutine(unit.Unit.seal)
    unseal = _coroutine(unit.Unit.unseal)
    seal_symbols = _coroutine(unit.Unit.seal_symbols)
    open_symbols = _coroutine(unit.Unit.open_symbols)
    accept = _coroutine(unit.Unit.accept)
    check_message = _coroutine(unit.Unit.check_message)
    inspect = _coroutine(unit.Unit.inspect)
    message_keys = _coroutine(unit.Unit.message_keys)
    open_message_keys = _coroutine(unit.Unit.open_message_keys)
    take_number = _coroutine(unit.Unit.take_number)

    tick = _coroutine(unit.Unit.tick)
    control = _coroutine(unit.Unit.control)
    notice = _coroutine(unit.Unit.notice)
    hint = _coroutine(unit.Unit.hint)
    renew = _coroutine(unit.Unit.renew)
    set_role = _coroutine(unit.Unit.set_role)
    seal_kind = _coroutine(unit.Unit.seal_kind)
    open_kind = _coroutine(unit.Unit.open_kind)

    watch = _coroutine(unit.Unit.watch)
    release = _coroutine(unit.Unit.release)

    def stream_key(self, index: int, bits: int, *, epoch: int | None = None, offset: int = 0) -> AsyncGenerator[bytes]:
        """Yield `bits` bits of key `index` in blocks of at most 1024 bytes, from byte `offset` on."""
        return self._tasks.each(self._unit.stream_key(index, bits, epoch=epoch, offset=offset))

    @contextlib.asynccontextmanager
    async def taking_key(
        self,
        bits: int,
        index: int | None = None,
        *,
        epoch: int | None = None,
        use_up: bool = True,
        allow_jump: bool = False,
        advice: str = "",
    ) -> AsyncGenerator[ExportedKey]:
        """Yield key `index`, by default the next one; acknowledge it when the block ends without an exception."""
        taking = self._unit.taking_key(bits, index, epoch=epoch, use_up=use_up, allow_jump=allow_jump, advice=advice)
        async with self._tasks.inside(taking) as key:
            yield ExportedKey(key, self._tasks)

    @contextlib.asynccontextmanager
    async def taking_message(
        self,
        source: "Path | str | Source",
        *,
        mode: str = capsules.FASTER,
        again: bool = False,
        allow_jump: bool = False,
    ) -> AsyncGenerator[ReceivedMessage]:
        """Yield the message in a capsule; accept it when the block ends without an exception."""
        taking = self._unit.taking_message(source, mode=mode, again=again, allow_jump=allow_jump)
        async with self._tasks.inside(taking) as message:
            yield ReceivedMessage(message, self._tasks)
