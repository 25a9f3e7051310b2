# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that receives arbitrary frames, and a model of the permitted answers, from PROTOCOL.md alone.

Each frame has one answer: that of its command, or an error code of the table. A refused request changes nothing.
"""

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

from conversation import ENTROPY, FIRST, MEMBER, UID
from frame_reference import Event, ReferenceDecoder
from session_reference import Binding, Session
from x25519_reference import LOW_ORDER, decode_coordinate, public_key, x25519

from fuzz.promises import Promises
from ndks.crypto import CRYPTO
from ndks_emulator import MemoryFlash, MemoryUnit, PowerCut, SetClock
from ndks_protocol import commands, errors, framing
from ndks_protocol.framing import MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_SESSION
from ndks_protocol.sealed_package import seal
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash import records

PRIVATE = bytes(range(32))  # the host's ephemeral key, always the same: findings can be reproduced
PUBLIC = public_key(PRIVATE)
RANDOM = bytes(range(16))
SHARE = PUBLIC + RANDOM  # the request of OPEN_SESSION
KNOWN_ID = 7  # of requests whose id does not matter

Request = tuple[int, int, bytes]  # kind, id, payload

_PUBLIC_SIZE = len(PUBLIC)
_SHARE_SIZE = len(SHARE)
_LOW_ORDER = {decode_coordinate(u) for u in LOW_ORDER}
_OWN_COORDINATE = decode_coordinate(PUBLIC)
_READ = 256  # bytes that the board reads at a time
_SYNC, _TAG = 8, 16
_PROVISIONING = (commands.PROVISION, commands.PROVISION_SEALED, commands.ENROL)
_MOVING = (commands.TICK, commands.CONTROL, commands.NOTICE, commands.RENEW, commands.ROLE, commands.OPEN_CHUNK)
_WRITING = (
    *(*_PROVISIONING, commands.JOINING_KEY, commands.PROVE, commands.UNLOCK, commands.BIND, commands.TRUST),
    *_MOVING,
    *(commands.ZEROIZE, commands.CLOSE, commands.ACKNOWLEDGE, commands.SEAL_BEGIN, commands.SEAL_KEYS, commands.ACCEPT),
)
_WRITES_MUCH = {command.code for command in (*_PROVISIONING, *_MOVING, commands.JOINING_KEY, commands.BIND)}
_WRITES = {command.code for command in _WRITING}  # the others leave flash as it is


def fuzzed_unit(flash: MemoryFlash | None = None) -> MemoryUnit:
    """Return the unit of the vectors. Its random bytes are fixed, so that findings can be reproduced."""
    return MemoryUnit(flash or MemoryFlash(UID), entropy=lambda size: ENTROPY[:size], clock=SetClock())


@functools.cache
def bound_unit() -> MemoryUnit:
    bench = Bench(fuzzed_unit(), None)
    assert bench.provision() == 0
    return bench.unit


def bound_bench() -> "Bench":
    """Return a bound unit and its host."""
    return Bench(bound_unit().clone(), FIRST)


class Bench:
    """A unit and its host; `binding` is the binding that the host expects.

    If the content of flash is arbitrary, `found` returns the binding of the unit after a start.
    """

    def __init__(
        self, unit: MemoryUnit, binding: Binding | None, found: Callable[[Dispatcher], Binding | None] | None = None
    ) -> None:
        self.unit = unit
        self.binding = binding
        self.joining_key: bytes | None = None  # the public key
        self.void_key: bytes | None = None  # the one before
        self.packages: dict[bytes, tuple[bytes, bytes]] = {}  # what was sealed: by its bytes, for which key, and fields
        self._found = found
        self.opens_case = False  # when the next request has been served, and is not answered yet
        self.promises = Promises()
        self.request: Request = (0, 0, b"")  # the last one
        self._body: bytes | None = b""  # the same in the clear; None when it is not the next frame of the session
        self.answer = b""  # the last one's payload, in the clear
        self.restart()

    def restart(self, *also: Binding | None) -> None:
        """Cut the power and restore it; the binding of the unit, and then its joining key, may have changed."""
        self.promises.start()
        self.unit.power.restore()
        self.unit.start()
        self.decoder = ReferenceDecoder()
        self.dropped = 0
        self.hello = b""
        self._end_session()
        self._is_closing = False
        self.firmware = self.unit.firmware
        if self._found or also:
            self.binding = self._present((self.binding, *also))
            self._learn_joining_key()
        self._answered, self.firmware._answer = self.firmware._answer, self._answer_and_judge
        self._dispatched, self.firmware._dispatch = self.firmware._dispatch, self._dispatch_and_note
        self._check_session()

    def leave(self) -> None:
        """Disconnect the host without CLOSE, and connect it again."""
        if not self.poll():
            return
        self.unit.line.connected = False
        if self.poll():
            self.decoder.reset()
            self._end_session()
        self.unit.line.connected = True
        self._check_session()

    def open_case(self) -> None:
        """Open the case; if a power cut interrupts the erasure, the next start completes it."""
        self.unit.case.open()
        if self.poll():
            self._forget_everything()
        self._check_session()

    def receive(self, data: bytes) -> None:
        """Let the unit read the received bytes, and answer them."""
        self.unit.line.inbound += data
        self._predicted = self._predict(bytes(self.unit.line.inbound))
        self._wire = b""
        self.unit.line.outbound.clear()
        if not self.poll():
            return
        assert not self.unit.line.inbound, "the unit does not read"
        assert next(self._predicted, None) is None, "a frame was not answered"
        assert self.unit.read() == self._wire
        self._after_answer()
        assert self.firmware.state.dropped_frames == self.dropped
        self._check_session()

    def poll(self) -> bool:
        """Run one turn of the unit's loop; return whether the power stayed on."""
        try:
            self.unit.poll()
        except PowerCut:
            self._start_after_cut()
            return False
        return True

    def send(self, kind: int, payload: bytes, request_id: int = KNOWN_ID) -> int:
        """Send an unchanged frame; return the error code of its answer, or 0."""
        self.code = 0
        self.receive(framing.encode(kind, request_id, payload))
        return self.code

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        """Return the fields of the answer. Raises UnitError for an error answer."""
        if self.code_of(command, *values):
            raise errors.UnitError(self.code)
        return command.answer.unpack(self.answer)

    def code_of(self, command: commands.Command, *values: Any) -> int:
        return self.request_of(command.code, command.request.pack(*values))

    def request_of(self, kind: int, body: bytes, request_id: int = KNOWN_ID) -> int:
        """Send a request as a host does, secured if a session is open; return the code of its answer, or 0."""
        if len(body) > MAX_PAYLOAD - _SYNC - _TAG:
            return 0
        return self.send(kind, self.secured(kind, body, request_id), request_id)

    def secured(self, kind: int, body: bytes, request_id: int = KNOWN_ID) -> bytes:
        """Return the payload of the next frame."""
        if self.channel is None or kind == commands.HELLO.code:
            return body
        return copy.copy(self.channel.to_unit).secured(kind, request_id, body)

    def open_session(self, *, up_to: int = commands.UNLOCK.code) -> None:
        """Open a session as the owner does, up to this step; with a blank unit there is nothing to unlock."""
        self.send(commands.HELLO.code, b"")
        self.send(commands.OPEN_SESSION.code, SHARE)
        if self.opening and up_to >= commands.PROVE.code:
            self.send(commands.PROVE.code, self.opening.host_proof)
        if self.channel and self.binding and up_to >= commands.UNLOCK.code:
            self.code_of(commands.UNLOCK, self.binding.kek, 0, 0)

    def provision(self, binding: bytes = FIRST.secret, fields: bytes = MEMBER) -> int:
        """Make a blank unit a member; return the code of the answer, or 0."""
        self.open_session()
        return self.request_of(commands.PROVISION.code, binding + fields)

    def package(self, fields: bytes, joining_key: bytes | None = None) -> bytes:
        """Return fields sealed to a joining key, by default to that of the unit."""
        recipient = joining_key or self.joining_key or bytes(_PUBLIC_SIZE)
        sealed = seal(CRYPTO, x25519(PRIVATE, recipient), PUBLIC, recipient, fields)
        self.packages[sealed] = recipient, fields
        return sealed

    # The model

    def _predict(self, data: bytes) -> Iterator[Event]:
        """Predict the frames in the received bytes, with the decoder's current limit."""
        pieces = (data[start : start + _READ] for start in range(0, len(data), _READ))
        events = (event for piece in pieces for event in self.decoder.events(piece))
        while True:
            self.decoder.limit(MAX_PAYLOAD if self.channel else MAX_PAYLOAD_BEFORE_SESSION)
            event = next(events, None)
            if event is None:
                return
            if isinstance(event, str):
                self.dropped += 1
            else:
                yield event

    def _answer_and_judge(self, frame: framing.Frame) -> bytes:
        """Replace the unit's `_answer`: check each answer."""
        self._after_answer()
        self.request = frame.kind, frame.request_id, bytes(frame.payload)
        assert next(self._predicted, None) == self.request
        channel = None if frame.kind == commands.HELLO.code else self.channel
        body = self.request[2] if channel is None else channel.to_unit.opened(*self.request)
        before, own_channel = self._state(), self.firmware.state.session.channel
        self._failure: Exception | None = None
        self._body = body
        wire = bytes(self._answered(frame))
        self._wire += wire
        (event,) = ReferenceDecoder().events(wire)
        assert not isinstance(event, str)
        kind, request_id, payload = event
        assert request_id == frame.request_id
        goes_on = self.firmware.state.session.channel is own_channel
        if channel and (goes_on or self.unit.board.case_open):  # an opened case ends the session behind the answer
            answer = channel.opened(kind, request_id, payload)
            assert answer is not None or not goes_on, "an answer is not the next frame of the session"
            payload = payload if answer is None else answer
        self.answer = payload
        self.code = self._judged(kind, payload)
        self._judge(before)
        return wire

    def _dispatch_and_note(self, code: int, payload: memoryview, view: memoryview) -> int:
        """Replace the unit's `_dispatch`: record the type of an unexpected exception."""
        try:
            return self._dispatched(code, payload, view)
        except errors.UnitError:
            raise
        except Exception as error:
            self._failure = error
            raise
        finally:
            if self.opens_case:
                self.unit.case.open()
            self.opens_case = False

    def _judged(self, kind: int, payload: bytes) -> int:
        if kind != framing.ERROR:
            assert kind == self.request[0] | framing.ANSWER
            return 0
        assert len(payload) == 2
        code = int.from_bytes(payload)
        if code == errors.INTERNAL:
            name = commands.TABLE[self.request[0]].name
            raise AssertionError(f"{name} is answered INTERNAL, for {self._failure!r}") from self._failure
        assert code in errors.TABLE, f"the code {code:04x} is in no table"
        return code

    def _judge(self, before: dict[str, Any]) -> None:
        kind, body, code = self.request[0], self._body, self.code
        is_erased = self._is_erased and not before["is erased"]
        if is_erased or (self.unit.board.case_open and (self.binding or self.joining_key)):  # it was opened meanwhile
            assert code == errors.TAMPERED or (kind, code) == (commands.ZEROIZE.code, 0)
            assert self.firmware.state.binding is None
            self._forget_everything()
            return
        assert (code == errors.SESSION_ENDED) == (body is None)
        if body is None:
            self._end_session()
        else:
            self._learn(kind, body)
        self._check_state(kind, before)
        if self.unit.board.case_open:
            self._forget_everything()

    def _learn(self, kind: int, body: bytes) -> None:
        """Update the model after a request, and check that the unit acted correctly."""
        command, code = commands.TABLE.get(kind), self.code
        assert (code == errors.UNKNOWN_COMMAND) == (command is None)
        if command is None:
            return
        fits = _fits(command, body)
        assert fits or code != 0
        assert not fits or code != errors.BAD_REQUEST or self._has_unfit_fields(command, body)
        if command is commands.HELLO:
            self._end_session()
        if code == 0:
            command.answer.unpack(self.answer)
            assert self.unlocked or not command.needs & commands.SESSION
            assert self.channel or not command.needs & commands.PROVED
            assert self.binding is None or not command.needs & commands.IS_BLANK
            self.promises.keep(command, body, self.answer)
        step = getattr(self, f"_after_{command.name.lower()}", None)
        if step and fits:
            step(body)

    def _after_hello(self, _: bytes) -> None:
        self.hello = self.answer

    def _after_open_session(self, body: bytes) -> None:
        host_public, host_random = body[:_PUBLIC_SIZE], body[_PUBLIC_SIZE:]
        coordinate = decode_coordinate(host_public)
        if coordinate in _LOW_ORDER:
            assert self.code != 0
        if self.code in (0, errors.DELAYED, errors.PUBLIC_KEY):
            self._end_session()
        if self.code == errors.PUBLIC_KEY:
            assert coordinate in _LOW_ORDER
        if self.code == 0:
            self.is_begun = True
            if coordinate == _OWN_COORDINATE:  # otherwise nobody here has the private key
                self.opening = self.session_of(host_public + host_random)
                assert self.answer[_SHARE_SIZE:] == self.opening.unit_proof

    def session_of(self, host_share: bytes = SHARE, auth: bytes | None = None) -> Session:
        """Return the session that the unit's answer to OPEN_SESSION leads to, under its own binding or another one."""
        own = self.binding.auth if self.binding else None
        unit_share = self.answer[:_SHARE_SIZE].ljust(_SHARE_SIZE, b"\0")
        shared = x25519(PRIVATE, unit_share[:_PUBLIC_SIZE])
        return Session(auth or own, shared, self.hello, host_share, unit_share)

    def _after_prove(self, body: bytes) -> None:
        opening = self.opening
        is_right = opening is not None and body == opening.host_proof
        assert (self.code == 0) == is_right
        assert self.is_begun or self.code != errors.LOCKED
        self.opening, self.is_begun = None, False
        if is_right:
            self.channel = opening

    def _after_unlock(self, body: bytes) -> None:
        if self.code == 0:
            assert self.binding
            assert body[:32] == self.binding.kek
            self.unlocked = True
        elif self.code != errors.LOCKED and body[-1] <= 1:  # another flag changes nothing
            self.unlocked = False

    def _after_provision(self, body: bytes) -> None:
        if self.code == 0:
            self._join(Binding(body[:32]))
        elif self.code == errors.STORAGE:
            self._learn_joining_key()

    def _after_provision_sealed(self, body: bytes) -> None:
        if self.code == 0:
            recipient, fields = self.packages[body[32:]]
            assert recipient == self.joining_key, "a package for another key is accepted"
            self.promises.begin(fields)
            self._join(Binding(body[:32]))
        elif self.code == errors.STORAGE:
            self._learn_joining_key()
        if self.code in (errors.PACKAGE, errors.PUBLIC_KEY):
            assert self.joining_key
            recipient, _ = self.packages.get(body[32:], (b"", b""))
            assert recipient != self.joining_key, "a package for this key is refused"

    def _has_unfit_fields(self, command: commands.Command, body: bytes) -> bool:
        """Return whether it is a package for the unit with fields that are not those of a membership."""
        recipient, fields = self.packages.get(body[32:], (b"", b""))
        is_for_it = command is commands.PROVISION_SEALED and recipient == self.joining_key
        return is_for_it and not _fits(commands.PROVISION, body[:32] + fields)

    def _join(self, binding: Binding) -> None:
        self.binding = binding
        self.joining_key = None
        self._is_closing = True

    def _after_joining_key(self, _: bytes) -> None:
        if self.code == 0:
            self.void_key, self.joining_key = self.joining_key, self.answer
        elif self.code == errors.STORAGE:
            self._learn_joining_key()

    def _after_bind(self, body: bytes) -> None:
        if self.code == 0:
            self.binding = Binding(body)
        elif self.code == errors.STORAGE and self.unlocked:  # flash says which one holds
            self.unlocked = False
            self.binding = self._present((self.binding, Binding(body)))

    def _after_zeroize(self, body: bytes) -> None:
        if self.code == 0:
            assert body == commands.CONFIRMATION + UID
            self._forget_everything()

    def _after_close(self, _: bytes) -> None:
        self._is_closing = self.code == 0

    def _after_answer(self) -> None:
        if self._is_closing:
            self._is_closing = False
            self._end_session()

    def _forget_everything(self) -> None:
        self.binding = self.joining_key = None
        self._end_session()

    def _learn_joining_key(self) -> None:
        """Note the joining key that the unit has, after an interruption."""
        self.joining_key = self._valid_joining_key

    def _end_session(self) -> None:
        self.is_begun = False  # OPEN_SESSION was answered, and PROVE may follow
        self.opening: Session | None = None  # the same, if its keys are known
        self.channel: Session | None = None
        self.unlocked = False

    def _start_after_cut(self) -> None:
        """Start after a power cut: the state must be the old or the new one, and nothing else."""
        command, body = commands.TABLE.get(self.request[0]), self._body or b""
        also: list[Binding | None] = [self.binding]
        if command in (*_PROVISIONING, commands.BIND) and len(body) >= 32:
            also.append(Binding(body[:32]))
        if command is commands.ZEROIZE or self.unit.case.is_open:
            also.append(None)
        before = self.joining_key
        self.restart(*also)
        if self.joining_key != before and command is not commands.JOINING_KEY:
            assert self.joining_key is None
            assert command in _PROVISIONING or None in also

    def _present(self, known: tuple[Binding | None, ...]) -> Binding | None:
        """Return the one of these bindings that the unit has."""
        if self._found:
            return self._found(self.firmware)
        auth = self.firmware.state.binding.auth if self.firmware.state.binding else None
        return next(binding for binding in known if (binding.auth if binding else None) == auth)

    # State

    @property
    def _is_erased(self) -> bool:
        """Whether the unit has erased itself, or still has to, because its case was open."""
        state = self.firmware.state
        return bool(state.unfinished) or state.log.body(records.TAMPERED) is not None

    def _check_session(self) -> None:
        assert (self.firmware.state.session.channel is None) == (self.channel is None)
        assert (self.firmware.state.opened is None) == (not self.unlocked)
        assert (self.firmware.state.binding is None) == (self.binding is None)
        assert self._valid_joining_key == self.joining_key or self._found

    @property
    def _valid_joining_key(self) -> bytes | None:
        """The public key that the unit has; until an erasure is complete, the unit ignores flash."""
        state = self.firmware.state
        pair = None if state.unfinished else state.log.body(records.JOINING_KEY)
        return bytes(pair[_PUBLIC_SIZE:]) if pair else None

    def _state(self) -> dict[str, Any]:
        state = self.firmware.state
        unlocked = state.opened is not None
        return {
            "is erased": self._is_erased,
            "flash": self.unit.flash.images,
            "bodies": {kind: bytes(body) for kind, body in state.log._bodies.items()},
            "own numbers": vars(state.message_counter).copy(),
            "begun": list(state.sealing._begun),
            "counter": state.member.exports.next if unlocked else None,
            "messages": (state.incoming, state.sealing.current) if unlocked else None,
        }

    def _check_state(self, kind: int, before: dict[str, Any]) -> None:
        after = self._state()
        if self.code == 0 and kind in _WRITES:
            return
        if (kind, self.code) == (commands.PROVE.code, errors.LOCKED) and self.binding:
            self._check_wrong_attempt(before, after)
            return
        if self.code == errors.STORAGE and kind in _WRITES_MUCH:
            before["flash"] = after["flash"]  # some of what they write did fit
        assert after["flash"] == before["flash"], "flash was changed"
        if (kind, self.code) == (commands.CLOSE.code, errors.STORAGE):  # what was reserved is lost
            before["own numbers"] = after["own numbers"]
        if (kind, self.code) == (commands.BIND.code, errors.STORAGE) and self.binding:  # the unit reads flash again
            before["begun"] = after["begun"]
            before["bodies"][records.BINDING] = after["bodies"][records.BINDING]
        if self.code:
            _check_equal(before, after)

    def _check_wrong_attempt(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Check that a wrong proof changes only its counter."""
        attempts = [int.from_bytes(state["bodies"].pop(records.WRONG_ATTEMPTS, b"")) for state in (before, after)]
        assert attempts[1] - attempts[0] in (0, 1)  # 0: there is no room for it
        for old, new in zip(before["flash"], after["flash"], strict=True):
            assert all(was in (is_now, 0xFF) for was, is_now in zip(old, new, strict=True))
        _check_equal(before | {"flash": None}, after | {"flash": None})


def _check_equal(before: dict[str, Any], after: dict[str, Any]) -> None:
    for state in (before, after):
        state["bodies"].pop(records.STATE_FORMAT, None)  # one that was missing, or not of the usual size, is made
        state["bodies"].pop(records.JOINING_KEY, None)  # which `_check_session` compares
    if before["counter"] is None or after["counter"] is None:  # without a session much is not there to be compared
        for state in (before, after):
            state["bodies"] = {kind: body for kind, body in state["bodies"].items() if kind not in records.SEALED}
            state["own numbers"] = state["counter"] = state["messages"] = None
    assert after == before


def _fits(command: commands.Command, body: bytes) -> bool:
    try:
        command.request.unpack(body)
    except ValueError:
        return False
    return True
