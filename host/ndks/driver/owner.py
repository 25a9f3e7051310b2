# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One laptop's dealings with a unit: who it is, when a session opens, and how far it must have come by then."""

import contextlib
import logging

import ndks_protocol
from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import MAX_NUMBER

from ..crypto import CRYPTO
from ..exceptions import AuthenticationError, DeviceError, NdksError, ProtocolError, VersionMismatch, device_error
from ..laptop.bindings import Binding, BindingStore
from ..laptop.counters import MinimumCounters
from ..line.link import Link, unpack_answer
from ..line.session import open_session, unlock
from ..refusals import UPGRADE_HOST, UPGRADE_UNIT
from .answers import BLANK, LOCKED, NEWER, OLDER, TAMPERED, Hello, Status, hello_from, status_from

_log = logging.getLogger(__name__)

_NONE_LEFT = MAX_NUMBER + 1  # the next index when all were used


class Owner:
    """Greets a unit, and opens sessions with what this laptop knows of it. `hello` is the unit's last greeting."""

    def __init__(self, link: Link, bindings: BindingStore) -> None:
        self._link = link
        self._bindings = bindings
        self._counters: MinimumCounters | None = None  # while a session is open
        self._epoch = 0
        self.went_back = False
        self.greet()
        link.open_session = self.unlock

    @property
    def is_bound_here(self) -> bool:
        """Whether the unit is bound to this laptop, and opens for it if the laptop is as it was."""
        return self.hello.state == LOCKED and self._bindings.knows(self.hello)

    def greet(self) -> Hello:
        """Say HELLO, which ends a session. VersionMismatch."""
        payload = self._link.call_raw(commands.HELLO)
        if payload and payload[0] != ndks_protocol.MAJOR:
            raise _version_mismatch(payload[0])  # what follows may be laid out in another way
        self.hello = hello_from(unpack_answer(commands.HELLO, payload))
        self._hello_payload = payload
        self._is_greeting_new = True
        return self.hello

    def check_blank(self) -> None:
        """Raise what PROVISION would be answered with, without sending the secret."""
        self._check_sound()
        if self.hello.state != BLANK:
            raise DeviceError(errors.PROVISIONED)

    def check_member(self) -> None:
        """Raise BLANK, TAMPERED, STATE_FORMAT or LOCKED unless the unit says that it can be unlocked."""
        self._check_sound()
        if self.hello.state != LOCKED:
            raise device_error(errors.BLANK if self.hello.state == BLANK else errors.LOCKED)

    def unlock(self, *, allow_jump: bool = False) -> Status:
        """Open a session and return the unit's state in it.

        AuthenticationError LOCKED when this is not the laptop that the unit is bound to, KEK, DELAYED; DeviceError
        TOO_FAR when the laptop knows of numbers far above the unit's, and `allow_jump` does not permit that.
        """
        self.check_member()
        return self._open(self._bindings.keys(self.hello), allow_jump=allow_jump)

    def prepare_binding(self) -> None:
        """Make sure that this laptop can keep a binding. OSError, FileError."""
        self._bindings.prepare()

    def bind(self, code: bytes, *, with_network: bool | None) -> Binding:
        """Bind the unit to this laptop; in place of its present binding here, or of a transport code."""
        self.check_member()
        if code:
            self._open_with_code(code)
        elif not self._link.is_secured:
            self.unlock()
        self._link.call(commands.BIND, self._bindings.begin(self.hello, with_network=with_network))
        self.greet()
        self.unlock()  # anybody can answer HELLO: the binding before is forgotten when the new one has opened the unit
        return self._bindings.finish(self.hello)

    def forget(self) -> None:
        """Forget the unit, which has been erased."""
        self._counters = None
        self._bindings.forget(self.hello.serial_number)

    def note_sealed(self) -> None:
        """Note that the unit has taken one more number for a message."""
        if self._counters:  # from there on, not from what the unit has said: that may be far too much
            self._counters.note(self._epoch, message_counter=self._counters.of(self._epoch).message_counter + 1)

    def note_acknowledged(self, epoch: int, index: int, *, allow_jump: bool) -> None:
        """Note that the unit has acknowledged an exported key; with `allow_jump`, that it may have jumped far."""
        if self._counters:
            self._counters.note(epoch, exported=index, allow_jump=allow_jump)

    def close_session(self, *, unplug: bool) -> None:
        """Say that the host leaves."""
        try:
            self._link.call(commands.CLOSE, unplug)
        finally:
            self._link.end_session()
            if self._counters:
                self._counters.sync()

    def _open(self, keys: BindingKeys, *, allow_jump: bool) -> Status:
        counters = self._bindings.minimum_counters(self.hello)
        try:
            self._begin_session(keys)
            status = self._catch_up(counters, keys, allow_jump=allow_jump)
        except NdksError as error:
            self._abandon_session(error)
            if isinstance(error, DeviceError) and error.number == errors.TOO_FAR:
                what = "this laptop knows of numbers far above the unit's: an old image of its flash was put back"
                raise DeviceError(errors.TOO_FAR, what, "if you know why: ndks bind --allow-jump") from None
            raise
        self._counters, self._epoch = counters, status.epoch
        return status

    def _begin_session(self, keys: BindingKeys) -> None:
        """Open a session under the last greeting: the proofs cover it.

        One is enough for a command. It is repeated after a session, and where the unit does not know it any more:
        if it has started anew since, with the line still up.
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
        """Leave no session open at either end: a unit that has refused UNLOCK keeps its own until HELLO."""
        self._link.end_session()
        if isinstance(error, (DeviceError, ProtocolError)):
            with contextlib.suppress(NdksError):
                self.greet()

    def _catch_up(self, counters: MinimumCounters, keys: BindingKeys, *, allow_jump: bool) -> Status:
        """Let the unit go on where this laptop knows that it was, and note where it is."""
        status = status_from(self._link.call(commands.STATUS))
        minimum = counters.of(status.epoch)
        if status.message_counter < minimum.message_counter:
            unlock(self._link, keys, minimum.message_counter, allow_jump=allow_jump)
            status = status_from(self._link.call(commands.STATUS))
            if status.message_counter < minimum.message_counter:
                raise ProtocolError("the unit would give numbers of messages once more")
        following = self._next_index(status.epoch)
        if following <= minimum.exported:
            self._go_on_after(status.epoch, minimum.exported, following, allow_jump=allow_jump)
        counters.note(status.epoch, message_counter=status.message_counter)
        return status

    def _next_index(self, epoch: int) -> int:
        try:
            answer = self._link.call(commands.NEXT_INDEX)
        except DeviceError as error:
            if error.number != errors.RANGE:
                raise
            return _NONE_LEFT
        if answer.epoch != epoch:
            raise ProtocolError("the unit names two epochs at the same time")
        return answer.index

    def _go_on_after(self, epoch: int, index: int, following: int, *, allow_jump: bool) -> None:
        acknowledge_key(self._link, epoch, index, allow_jump=allow_jump)
        self.went_back = True
        _log.warning(
            "the state of unit %s went back: its next key was %d again, and is %d now; an old image of its flash was "
            "put back, or the flash is damaged",
            self.hello.serial_number,
            following,
            index + 1,
        )

    def _open_with_code(self, code: bytes) -> None:
        try:
            self._open(BindingKeys(CRYPTO, code), allow_jump=False)
        except AuthenticationError as error:
            if error.number == errors.LOCKED:
                advice = "look whether they are of another unit; if they were used before, by whom? ndks zeroize"
                raise AuthenticationError(errors.LOCKED, "these words are not this unit's", advice) from None
            raise

    def _check_sound(self) -> None:
        if NEWER in self.hello.flags or OLDER in self.hello.flags:
            raise DeviceError(errors.STATE_FORMAT)
        if self.hello.state == TAMPERED:
            raise DeviceError(errors.TAMPERED)


def acknowledge_key(link: Link, epoch: int, index: int, *, allow_jump: bool) -> int:
    """Say that exported key `index` is safely out, and return the next index."""
    following: int = link.call(commands.ACKNOWLEDGE, epoch, index, allow_jump).index
    if following <= index:
        raise ProtocolError("the unit has acknowledged a key, and would give it once more")
    return following


def _version_mismatch(major: int) -> VersionMismatch:
    ours = ndks_protocol.MAJOR
    advice = UPGRADE_HOST if major > ours else UPGRADE_UNIT
    return VersionMismatch(f"the unit speaks protocol {major}, this host {ours}", advice)
