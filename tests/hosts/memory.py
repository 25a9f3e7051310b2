# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in memory and its host: requests at any stage of a session, without a line that could fail."""

import itertools
import os
from collections.abc import Callable, Iterable
from typing import Any

from ndks_emulator import MemoryFlash, MemoryUnit, Power, SetClock
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.sector import Sector
from ndks_protocol import commands, errors, framing
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.dispatcher import Dispatcher

from .network import BINDING, membership, named
from .sessions import SHARE, ProjectSession, ReferenceSession, Said

Session = ProjectSession | ReferenceSession


class WearingSector(Sector):
    """A sector that can be worn out: it takes no writes, or not at some bytes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.worn_out = False  # it takes neither erasing nor programming
        self.stuck: set[int] = set()  # bytes that take no programming

    def clone(self, power: Power) -> "WearingSector":
        copy = WearingSector(power, size=len(self.content))
        copy.content[:] = self.content
        copy.erases, copy.worn_out, copy.stuck = self.erases, self.worn_out, set(self.stuck)
        return copy

    def write(self, offset: int, data: bytes) -> None:
        if not self.worn_out:
            super().write(offset, data)

    def _program(self, page: int, data: bytes) -> None:
        taken = bytearray(data)
        for position in self.stuck & set(range(page, page + len(data))):
            taken[position - page] = self.content[position]
        super()._program(page, bytes(taken))


def new_flash(uid: bytes = bytes(8), images: "list[bytes] | None" = None) -> MemoryFlash:
    """Return flash that can wear out, and whose power can be cut at any step within a page."""
    flash = MemoryFlash(uid, fine=True)
    flash.nvm = WearingSector(flash.power, size=NVM_SIZE)
    if images:
        flash.images = images
    return flash


def new_unit(flash: MemoryFlash | None = None, entropy: Callable[[int], bytes] = os.urandom) -> MemoryUnit:
    return MemoryUnit(flash or new_flash(), entropy=entropy, clock=SetClock())


def before_each(board: EmulatedBoard, methods: Iterable[str], hook: Callable[[], object]) -> None:
    """Call a function before each use of these methods of a board."""

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def use(*arguments: Any) -> Any:
            hook()
            return method(*arguments)

        return use

    for name in methods:
        setattr(board, name, watched(getattr(board, name)))


def complete_pair(unit: MemoryUnit) -> None:
    """Make the pair for the unit's next session, as it does while it is idle."""
    ephemeral = unit.firmware.state.session.ephemeral
    for _ in range(1000):
        if not ephemeral.making:
            break
        ephemeral.advance()
    ephemeral.advance()  # which collects the garbage


class Host:
    """The host of a unit. With `opens` it opens a session as soon as a request needs one, also of a blank unit."""

    def __init__(self, unit: MemoryUnit | None = None, keeps: type[Session] = ProjectSession, *, opens: bool = True):
        self.unit = unit or new_unit()
        self.keeps = keeps
        self.opens = opens
        self.session: Session | None = None  # before PROVE
        self.channel: Session | None = None  # after it
        self._ids = itertools.count(1)
        self.request_id = next(self._ids)  # of the next request

    @property
    def firmware(self) -> Dispatcher:
        return self.unit.firmware

    def provision(self, *arguments: Any, **parameters: Any) -> None:
        if not self.channel:
            self._open_for(commands.PROVISION)
        self.ask(commands.PROVISION, *membership(*arguments, **parameters))

    def restart(self) -> None:
        """Restart the unit; the contents of its RAM are lost."""
        self.session = self.channel = None
        self.unit.start()

    def disconnect(self) -> None:
        """Disconnect the host without CLOSE, and connect it again."""
        self.session = self.channel = None
        self.unit.unplug_host()

    # A session in steps

    def hello(self) -> bytes:
        self.session = self.channel = None
        frame = self.send(commands.HELLO, b"")
        assert frame.kind == commands.HELLO.code | framing.ANSWER
        return bytes(frame.payload)

    def begin(self, binding: bytes | None = BINDING) -> bytes:
        """Send HELLO and OPEN_SESSION; return the unit's proof. Without a binding the session is anonymous."""
        hello = self.hello()
        unit_public, unit_random, unit_proof = self.ask(commands.OPEN_SESSION, *SHARE)
        self.said = Said(hello, unit_public, unit_random)
        self.session = self.keeps(binding, self.said)
        return unit_proof

    def find(self, bindings: tuple[bytes, ...]) -> bytes:
        """Begin a session under the one of these bindings that the unit can prove; return it."""
        unit_proof = self.begin(bindings[0])
        assert self.session
        sessions = {bindings[0]: self.session, **{each: self.keeps(each, self.said) for each in bindings[1:]}}
        (binding,) = [each for each, session in sessions.items() if session.unit_proof == unit_proof]
        self.session = sessions[binding]
        return binding

    def prove(self, given: bytes = b"") -> None:
        assert self.session
        self.ask(commands.PROVE, given or self.session.host_proof)
        self.channel = self.session

    def unlock(self, kek: bytes = b"", minimum: int = 0, allow_jump: int = 0) -> None:
        assert self.session
        self.ask(commands.UNLOCK, kek or self.session.kek, minimum, allow_jump)

    def open(self, binding: bytes = BINDING, minimum: int = 0, allow_jump: int = 0) -> None:
        self.authenticate(binding)
        self.unlock(minimum=minimum, allow_jump=allow_jump)

    def open_anonymously(self) -> None:
        """Open a session with a blank unit."""
        self.authenticate(None)

    def authenticate(self, binding: bytes | None) -> None:
        unit_proof = self.begin(binding)
        assert self.session
        assert unit_proof == self.session.unit_proof
        self.prove()

    # Requests

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        """Return the fields of the answer, in the session if there is one. Raises UnitError for an error answer."""
        if self.opens and not self.channel:
            self._open_for(command)
        kind, answer = self.exchange(command, command.request.pack(*values))
        if kind == framing.ERROR:
            raise errors.UnitError(int.from_bytes(answer))
        assert kind == command.code | framing.ANSWER
        return command.answer.unpack(answer)

    def _open_for(self, command: commands.Command) -> None:
        is_blank = self.firmware.state.lifecycle == commands.STATE_BLANK
        if command.needs & commands.SESSION and self.firmware.state.binding:
            self.open()
        elif command.needs & commands.IS_BLANK and command.needs & commands.PROVED and is_blank:
            self.open_anonymously()

    def code(self, command: commands.Command, *values: Any) -> int:
        """Return the error code of the answer, or 0."""
        try:
            self.ask(command, *values)
        except errors.UnitError as error:
            return error.code
        return 0

    def refusal(self, command: commands.Command, payload: bytes) -> int:
        """Return the error code of the answer to an invalid payload, in a session."""
        if not self.channel:
            self.open()
        kind, answered = self.exchange(command, payload)
        assert kind == framing.ERROR
        return int.from_bytes(answered)

    def status(self) -> dict[str, Any]:
        return named(commands.STATUS.answer, self.ask(commands.STATUS))

    def exchange(self, command: commands.Command, body: bytes) -> tuple[int, bytes]:
        """Return kind and body of the answer, in the session if there is one."""
        channel = self.channel if command is not commands.HELLO else None
        request_id = self.request_id
        frame = self.send(command, self.secured(command, body) if channel else body)
        kind, answer = frame.kind, bytes(frame.payload)
        opened = channel.opened(kind, request_id, answer) if channel else answer
        if opened is None:  # in the clear, as the session has ended
            in_the_clear = kind == framing.ERROR or command in (commands.OPEN_SESSION, commands.ZEROIZE)
            assert in_the_clear, "the unit's frame is not the next one"
        if opened is None or _ends_session(command, 0 if kind != framing.ERROR else int.from_bytes(opened)):
            self.channel = None
        return kind, answer if opened is None else opened

    # Frames

    def secured(self, command: commands.Command, body: bytes) -> bytes:
        """Return the payload of the next frame."""
        assert self.channel
        return self.channel.secured(command.code, self.request_id, body)

    def send(self, command: commands.Command, payload: bytes) -> framing.Frame:
        """Return the one answer to a frame with this unchanged payload."""
        return self.send_frame(command.code, self.request_id, payload)

    def send_frame(self, kind: int, request_id: int, payload: bytes) -> framing.Frame:
        (frame,) = self.answers(framing.encode(kind, request_id, payload))
        assert frame.request_id == request_id
        self.request_id = next(self._ids)
        return frame

    def answers(self, sent: bytes) -> list[framing.Frame]:
        """Return the unit's answers to these bytes, which must all be frames."""
        self.unit.read()
        self.unit.write(sent)
        events = framing.Decoder().feed(self.unit.read())
        frames = [event for event in events if isinstance(event, framing.Frame)]
        assert len(frames) == len(events)
        return frames


def _ends_session(command: commands.Command, code: int) -> bool:
    """Return whether an answer with this error code, or 0, is the last of a session."""
    if command in (commands.PROVISION, commands.PROVISION_SEALED, commands.ENROL):
        return code == 0
    return command in (commands.HELLO, commands.CLOSE, commands.ZEROIZE) and code in (0, errors.STORAGE)
