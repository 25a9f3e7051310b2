# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Greeting, sessions and binding of a unit, checked against the minimum counters of this laptop."""

import contextlib
from collections.abc import Generator

import ndks_protocol
from ndks_protocol import commands, errors, service
from ndks_protocol.binding import BindingKeys

from ..crypto import CRYPTO
from ..exceptions import AuthenticationError, DeviceError, NdksError, ProtocolError, VersionMismatch, device_error
from ..laptop.bindings import BindingStore
from ..laptop.bound_unit import Binding
from ..laptop.counters import MinimumCounters
from ..laptop.homes import HOME
from ..line.link import Link, unpack_answer
from ..line.session import open_anonymous_session, open_session
from ..refusals import UPGRADE_HOST, UPGRADE_UNIT
from .answers import BLANK, HELD, LOCKED, NEWER, OLDER, TAMPERED, Hello, Status, hello_from
from .catching_up import catch_up

_NOT_ITS_WORDS = (
    f"check that they are this unit's; if you used them, and moved its binding: export {HOME}=DIR; "
    "if somebody else used them, erase the unit: ndks zeroize"
)


class Owner:
    """Opens sessions with a unit under this laptop's binding. `hello` is the unit's last greeting."""

    def __init__(self, link: Link, bindings: BindingStore) -> None:
        self._link = link
        self._bindings = bindings
        self._counters: MinimumCounters | None = None  # while a session is open
        self._epoch = 0
        self.went_back = False
        self.greet()
        link.open_session = None if self.is_held else self.unlock

    @property
    def greeting(self) -> bytes:
        """The payload of the unit's last answer to HELLO."""
        return self._hello_payload

    @property
    def is_held(self) -> bool:
        """Whether a service holds the unit: it opens the sessions, and notes the counters."""
        return HELD in self.hello.flags

    def refuse_held(self) -> None:
        """Raise DeviceError DENIED if a service holds the unit, which keeps the binding."""
        if self.is_held:
            raise DeviceError(service.DENIED)

    @property
    def is_bound_here(self) -> bool:
        """Whether this laptop has a binding of the unit; it opens if the laptop is unchanged."""
        return self.hello.state == LOCKED and (self.is_held or self._bindings.knows(self.hello))

    @property
    def has_code_here(self) -> bool:
        """Whether this laptop has the transport code of the unit, which was provisioned here and not bound."""
        return self.hello.state == LOCKED and bool(self._bindings.code(self.hello))

    def greet(self) -> Hello:
        """Send HELLO, which ends any session. VersionMismatch."""
        payload = self._link.call_raw(commands.HELLO)
        if payload and payload[0] != ndks_protocol.MAJOR:
            raise _version_mismatch(payload[0])  # the layout of the rest may differ
        self.hello = hello_from(unpack_answer(commands.HELLO, payload))
        self._hello_payload = payload
        self._is_greeting_new = True
        return self.hello

    def check_blank(self) -> None:
        """Raise the error with which the unit would refuse PROVISION, without sending it the secret."""
        self._check_sound()
        if self.hello.state != BLANK:
            raise DeviceError(errors.PROVISIONED)
        self.check_at_port()

    def check_at_port(self) -> None:
        """Raise DeviceError DENIED if a service holds the unit: it becomes a member, and is bound, at its port only."""
        if self.is_held:
            what = f"unit {self.hello.serial_number} is held by ndks service, and joins a network at its port only"
            raise DeviceError(service.DENIED, what, "repeat with --unit PORT; if that is busy, end the service first")

    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit can be unlocked."""
        self._check_sound()
        if self.hello.state != LOCKED:
            raise device_error(errors.BLANK if self.hello.state == BLANK else errors.LOCKED)

    def unlock(self, *, allow_jump: bool = False) -> Status:
        """Open a session and return the unit's state.

        AuthenticationError LOCKED when the unit is not bound to this laptop, KEK, DELAYED; DeviceError TOO_FAR when the
        laptop's minimum counter is far above the unit's, unless `allow_jump`.
        """
        self.check_member()
        return self._open(self._bindings.keys(self.hello), allow_jump=allow_jump)

    def prepare_binding(self) -> None:
        """Make sure that this laptop can keep a binding. OSError, FileError."""
        self._bindings.prepare()

    def bind(self, code: bytes, *, with_network: bool | None) -> Binding:
        """Bind the unit to this laptop, in place of its current binding here or of a transport code."""
        self.refuse_held()
        self.check_member()
        code = code or self._bindings.code(self.hello)
        if code:
            self._open_with_code(code)
        elif not self._link.is_secured:
            self.unlock()
        self._link.call(commands.BIND, self._bindings.begin(self.hello, with_network=with_network))
        self.greet()
        self.unlock()  # anybody can answer HELLO: the old binding is kept until the new one has opened the unit
        return self._bindings.finish(self.hello)

    @contextlib.contextmanager
    def anonymous_session(self) -> Generator[None]:
        """Hold a session with a blank unit that a listener cannot read, for the one request that ends it. DeviceError.

        AuthenticationError LOCKED when the line altered the handshake.
        """
        self.check_blank()
        self.greet()  # the session covers this greeting
        try:
            open_anonymous_session(self._link, self._hello_payload)
            yield
        except NdksError as error:
            self._abandon_session(error)
            raise
        self._link.end_session()  # as the unit does after its answer
        self.greet()

    def keep_code(self, code: bytes) -> None:
        """Store the transport code of the unit until it is bound to this laptop. FileError, OSError."""
        self._bindings.keep_code(self.hello.serial_number, code)

    def drop_code(self) -> None:
        """Delete the stored transport code, to which the unit is not bound. FileError, OSError."""
        self._bindings.drop_code(self.hello.serial_number)

    def forget(self) -> None:
        """Delete this laptop's binding of the unit, which has been erased."""
        self._counters = None
        self._bindings.forget(self.hello.serial_number)

    def note_sealed(self) -> None:
        """Add one to the minimum message counter."""
        if self._counters:  # counted from our own minimum: the unit's may be too high
            self._counters.note(self._epoch, message_counter=self._counters.of(self._epoch).message_counter + 1)

    def note_number(self, epoch: int, number: int) -> None:
        """Raise the minimum message counter to a number that a program keeps, on the disk. FileError, ProtocolError."""
        if self._counters:
            self._counters.note(epoch, message_counter=number)
            if self._counters.of(epoch).message_counter != number:
                raise ProtocolError("the unit gave a message number out of turn")
            self._counters.store()

    def note_acknowledged(self, epoch: int, index: int, *, allow_jump: bool) -> None:
        """Raise the minimum counter of exported keys to `index`; `allow_jump` permits a large step."""
        if self._counters:
            self._counters.note(epoch, exported=index, allow_jump=allow_jump)

    def close_session(self, *, unplug: bool) -> None:
        """Send CLOSE and end the session."""
        try:
            self._link.call(commands.CLOSE, unplug)
        finally:
            self._link.end_session()
            self.sync_counters()

    def sync_counters(self) -> None:
        """Write the minimum counters to the disk, so that they survive a power cut of this computer."""
        if self._counters:
            self._counters.sync()

    def _open(self, keys: BindingKeys, *, allow_jump: bool) -> Status:
        counters = self._bindings.minimum_counters(self.hello)
        try:
            self._begin_session(keys)
            status, went_back = catch_up(self._link, counters, keys, self.hello, allow_jump=allow_jump)
            self.went_back |= went_back
        except NdksError as error:
            self._abandon_session(error)
            if isinstance(error, DeviceError) and error.number == errors.TOO_FAR:
                what = "the unit's counter is far below this laptop's minimum: perhaps an old flash image was restored"
                raise DeviceError(errors.TOO_FAR, what, "if you know why: ndks bind --allow-jump") from None
            raise
        except BaseException:  # Ctrl-C: the counters are not caught up
            self._link.end_session()
            raise
        self._counters, self._epoch = counters, status.epoch
        return status

    def _begin_session(self, keys: BindingKeys) -> None:
        """Open a session. The proofs cover the unit's last answer to HELLO.

        Send HELLO again if a session was opened under that answer before, or if the unit has forgotten it: it may have
        restarted while the line stayed connected.
        """
        if self._is_greeting_new:
            self._is_greeting_new = False
            try:
                return open_session(self._link, self._hello_payload, keys)
            except AuthenticationError as error:
                if error.number != errors.LOCKED:
                    raise
        self.greet()
        self._is_greeting_new = False
        return open_session(self._link, self._hello_payload, keys)

    def _abandon_session(self, error: NdksError) -> None:
        """End the session at both ends: a unit that refused UNLOCK keeps its session until HELLO."""
        self._link.end_session()
        if isinstance(error, (DeviceError, ProtocolError)):
            with contextlib.suppress(NdksError):
                self.greet()

    def _open_with_code(self, code: bytes) -> None:
        try:
            self._open(BindingKeys(CRYPTO, code), allow_jump=False)
        except AuthenticationError as error:
            if error.number == errors.LOCKED:
                what = "these words are not this unit's, or were used already"
                raise AuthenticationError(errors.LOCKED, what, _NOT_ITS_WORDS) from None
            raise

    def _check_sound(self) -> None:
        if NEWER in self.hello.flags or OLDER in self.hello.flags:
            raise DeviceError(errors.STATE_FORMAT)
        if self.hello.state == TAMPERED:
            raise DeviceError(errors.TAMPERED)


def _version_mismatch(major: int) -> VersionMismatch:
    ours = ndks_protocol.MAJOR
    advice = UPGRADE_HOST if major > ours else UPGRADE_UNIT
    return VersionMismatch(f"the unit speaks protocol {major}, this host {ours}", advice)
