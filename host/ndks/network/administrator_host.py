# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an administrator's host does on the channel (PROTOCOL.md section 13): packets and ticks in, packets out."""

from ndks_protocol import errors
from ndks_protocol.capsule import HeaderKeys, header_keys
from ndks_protocol.wire import WIRE_HEADER_SIZE

from ..crypto import CRYPTO
from .administrator import Administrator
from .bundle import ASK, BUNDLE, BadBundle, parse_ask

_CAPSULE = 1
_REPEAT = 64  # ticks between repetitions of a new bundle
_REST = 32  # ticks after an answer
_SLOT = 2  # ticks between the starts of two administrators, who often have the same newest bundle


class AdministratorHost:
    """Repeats new bundles until it hears a capsule of the newest generation, and gives them to those who ask.

    At its start it publishes the newest bundle, unless somebody else does, as nothing tells whether it was heard.
    """

    def __init__(self, administrator: Administrator) -> None:
        self.administrator = administrator
        self._now = 0
        self._repeat_at = _SLOT * administrator.state.number
        self._has_begun = False  # to publish
        self._g = administrator.state.g
        self._heard = -1
        self._known = max((bundle.g for bundle in administrator.state.bundles[:-1]), default=-1)  # needs no repetition
        self._keys_of = -1
        self._keys: HeaderKeys | None = None

    @property
    def is_heard(self) -> bool:
        """Whether a member was heard in the newest generation: a capsule of it came."""
        return self._heard >= self.administrator.state.g

    @property
    def all(self) -> list[bytes]:
        """All bundles that are kept."""
        return self._later(-1)

    def publish(self) -> list[bytes]:
        """Return all bundles, for a channel that retains them; the newest is repeated later."""
        self._begin()
        return self.all

    def notice(self, packet: bytes) -> None:
        """Take a bundle that is known here, and that somebody has published: it need not be published at the start."""
        if not self._has_begun and packet in self.all[-1:]:
            self._begin()

    def tick(self, ticks: int) -> list[bytes]:
        """Let time pass."""
        self._now += ticks
        if self._g != self.administrator.state.g:
            self._g, self._repeat_at = self.administrator.state.g, self._now
        if self._known >= self._g or self._now < self._repeat_at:
            return []
        self._begin()
        return self._later(self._known)

    def receive(self, packet: bytes) -> list[bytes]:
        """Take a whole packet of any kind from the channel. Errors as `Administrator.on_bundle`."""
        first = packet[0] if packet else 0
        if first == _CAPSULE:
            self._hear(packet)
        elif first == BUNDLE:
            before = self.administrator.state.g
            made = self.administrator.on_bundle(packet)
            if made is None and self.administrator.state.g > before:
                self._known = self.administrator.state.g  # its maker repeats it
        elif first == ASK:
            return self._answer(packet)
        return []

    def _begin(self) -> None:
        """Note that the newest bundle is on the channel now."""
        self._has_begun, self._repeat_at = True, self._now + _REPEAT

    def _answer(self, packet: bytes) -> list[bytes]:
        try:
            g = parse_ask(packet)
        except BadBundle:
            return []
        if g >= self.administrator.state.g or self._now < self._repeat_at:
            return []
        self._repeat_at = self._now + _REST
        return self._later(g)

    def _hear(self, capsule: bytes) -> None:
        g = self.administrator.state.g
        generation = self.administrator.state.generation(g)
        if self.is_heard or generation is None:
            return
        if self._keys is None or self._keys_of != g:
            self._keys, self._keys_of = HeaderKeys(CRYPTO, header_keys(CRYPTO, generation.secret)), g
        try:
            self._keys.unmask(capsule[:WIRE_HEADER_SIZE])
        except errors.UnitError:
            return
        self._heard = self._known = g

    def _later(self, g: int) -> list[bytes]:
        return [bundle.content for bundle in self.administrator.later(g)]
