# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent as a sender: its messages, reports on them, and what others ask for again."""

from ndks_protocol.wire import MESSAGE

from ..exceptions import UsageError
from ..symbols.symbols import Symbols
from .limits import Limits
from .outbox import Outbox
from .packets import CONTENTS, SYMBOLS, Ask, Message, Voucher, digest_of
from .station import Station


def check_message(content: int, data: bytes, limits: Limits) -> None:
    """Raise UsageError or BadSymbols for what no receiver takes: once stored, nothing after it would be sent."""
    if content not in CONTENTS:
        raise UsageError(f"there is no content {content} of a message", "send bytes (0) or symbols (1)")
    if len(data) > limits.message:
        raise UsageError(f"a message has at most {limits.message} bytes", "send it in parts")
    if content == SYMBOLS:
        Symbols.decode(data)


class Sending:
    """What was sent when, and when the next report is due, is only in memory: a crash makes the report due at once."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.outbox = Outbox(station.store, station.limits)
        self._sent_at: dict[int, int] = {}
        self._report_at = 0
        self._pause = station.limits.first_report
        if self.outbox.last is None:
            self.begin()

    def begin(self) -> None:
        """Begin with numbers that have never been used, in a store that is new or was restored."""
        with self._station.store.step():
            self.outbox.begin(self._station.unit.own_number)

    def send(self, content: int, data: bytes) -> int:
        """Number a message, store it, and publish it if the unit has a generation; return its number.

        UsageError, BadSymbols.
        """
        check_message(content, data, self._station.limits)
        with self._station.store.step():
            s = self.outbox.add(content, data)
        self.seal_waiting()
        return s

    def seal_waiting(self) -> None:
        """Seal and publish the messages that have no capsule yet, for as long as that is wanted."""
        station = self._station
        while station.g >= 0 and (message := self.outbox.unsealed()) and station.may_seal():
            sealed = station.unit.seal(MESSAGE, Message(*message).packed())
            with station.store.step():
                self.outbox.seal(message.s, sealed.capsule, sealed.epoch)
                station.checking.keep(station.lane, message.s, sealed.check)
            self._transmit(message.s, sealed.capsule)
            self.report_in(station.limits.first_report)

    def report_in(self, ticks: int) -> None:
        """Make the next report due in so many ticks, and those after it at doubling pauses."""
        self._report_at = self._station.now + ticks
        self._pause = self._station.limits.first_report

    def report_new_generation(self) -> None:
        """Others may have forgotten what was reported; they need not hear it from everybody at once."""
        self.report_in(self._station.random.randrange(self._station.limits.rest))

    def send_again(self, ask: Ask) -> None:
        """Publish capsules that somebody asked for, with a voucher if they are of another epoch."""
        for s in ask.numbers:
            sealed = self.outbox.sealed(s)
            if sealed is None or self._station.now - self._sent_at.get(s, self._long_ago) < self._station.limits.rest:
                continue
            if sealed.epoch != self._station.unit.epoch:
                self._station.say(Voucher(s, digest_of(sealed.capsule)))
            self._transmit(s, sealed.capsule)

    def tick(self) -> None:
        """Report if it is time."""
        station = self._station
        if station.now < self._report_at or station.is_silent:
            return
        self._pause = min(2 * self._pause, station.limits.report_pause)
        self._report_at = station.now + self._pause
        if report := self.outbox.report():
            station.say(report)

    @property
    def _long_ago(self) -> int:
        return -self._station.limits.rest

    def _transmit(self, s: int, capsule: bytes) -> None:
        self._sent_at = {
            old: at for old, at in self._sent_at.items() if self._station.now - at < self._station.limits.rest
        }
        self._sent_at[s] = self._station.now
        self._station.publish(capsule)
