# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two gateways in memory, whose handshakes meet over a wire that a test may hold."""

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ndks_gateways.tunnel.derivations import derived
from ndks_gateways.tunnel.doors import Door, epoch_door
from ndks_gateways.tunnel.errors import Reflected
from ndks_gateways.tunnel.handshake import Established, Expected, Identity, Resumable, accept, connect
from ndks_gateways.tunnel.steps import (
    Admit,
    Ahead,
    Behind,
    Bundles,
    Doors,
    MessageKeys,
    Open,
    OpenedKeys,
    Read,
    Seal,
    Send,
    Step,
)

Handshake = Generator[Step, Any, Established]


class Closed(Exception):
    """The other end closed the link."""


@dataclass
class Network:
    """What units of a network have in common: keys of messages, and who made which."""

    secret: bytes = b"\x5a" * 32
    made: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # header: lane, generation
    cut: int = 0  # messages of generations before this one are refused, by units that are in it

    def keys(self, header: bytes) -> tuple[bytes, bytes]:
        return derived(self.secret, "tag", header), derived(self.secret, "aes", header)

    def exported(self, generation: int) -> bytes:
        return derived(self.secret, "exported", generation.to_bytes(4, "big"))


@dataclass
class Gateway:
    """One end: it answers the steps of its handshakes, and remembers them."""

    network: Network
    lane: int
    name: str = "office"
    generation: int = 3
    static: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    process: bytes = field(default_factory=lambda: random.randbytes(16))
    expected: Expected = field(default_factory=Expected)
    pairs: list[Door] = field(default_factory=list)
    resumables: dict[bytes, Resumable] = field(default_factory=dict)
    admits: Callable[[Door], bool] = lambda _: True
    twist: bytes = b""  # a generator that went wrong
    steps: list[Step] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.process, 1 << 20, self.static, self.lane)

    @property
    def public(self) -> bytes:
        return self.static.public_key().public_bytes_raw()

    @property
    def doors(self) -> list[Door]:
        epochs = range(self.generation, max(self.generation - 8, -1), -1)
        return self.pairs + [epoch_door(self.network.exported(each), each << 16, self.name) for each in epochs]

    def connect(self, attempt: Resumable | Door | None = None) -> "End":
        return End(self, connect(self.identity, attempt or self.doors[0], self.expected))

    def accept(self) -> "End":
        return End(self, accept(self.identity, self.resumables, self.expected))

    def answer(self, step: Step) -> Any:
        self.steps.append(step)
        answers: Mapping[type, Callable[[Any], Any]] = {
            Seal: lambda _: self._seal(),
            Open: lambda step: self._open(step.header),
            Doors: lambda _: self.doors,
            Admit: lambda step: self.admits(step.door),
            Bundles: lambda step: self._bundles(step.since),
        }
        return answers[type(step)](step)

    def asked(self, *kinds: type) -> int:
        return sum(isinstance(step, kinds) for step in self.steps)

    def _seal(self) -> MessageKeys:
        header = random.randbytes(37)
        self.network.made[header] = self.lane, self.generation
        return MessageKeys(header, *self._keys(header))

    def _open(self, header: bytes) -> OpenedKeys:
        lane, generation = self.network.made.get(header, (0, 1 << 20))
        if lane == self.lane:
            raise Reflected("the capsule was made by this same unit")
        if generation > self.generation:
            raise Behind(self.generation)
        if generation < self.network.cut <= self.generation:
            raise Ahead
        return OpenedKeys(lane, *self._keys(header))

    def _keys(self, header: bytes) -> tuple[bytes, bytes]:
        tag_key, aes_key = self.network.keys(header)
        return tag_key, aes_key[len(self.twist) :] + self.twist

    def _bundles(self, since: int | None) -> list[tuple[int, bytes]]:
        first = max(self.generation - 6, 0) if since is None else since + 1
        return [(each, b"bundle %d" % each) for each in range(first, self.generation + 1)]


class End:
    """One running handshake: `inbox` is what it has not read yet."""

    def __init__(self, gateway: Gateway, handshake: Handshake) -> None:
        self.gateway = gateway
        self.inbox = bytearray()
        self.result: Established | None = None
        self.error: Exception | None = None
        self._handshake = handshake
        self._waits_for = 0
        self._step: Step | None = None
        self._resume(lambda: next(handshake))

    @property
    def is_over(self) -> bool:
        return self._step is None

    @property
    def link(self) -> Established:
        if self.error:
            raise self.error
        assert self.result
        return self.result

    def run(self) -> bytes:
        """Go on until it waits for bytes, or ends; return what it sends."""
        sent = b""
        while self._step:
            if isinstance(self._step, Send):
                sent += self._step.data
                self._give(None)
            elif isinstance(self._step, Read):
                if len(self.inbox) < self._step.size:
                    break
                data = bytes(self.inbox[: self._step.size])
                del self.inbox[: self._step.size]
                self._give(data)
            else:
                self._ask(self._step)
        return sent

    def close(self) -> None:
        """Tell it that the other end is gone."""
        if self._step:
            self._resume(lambda: self._handshake.throw(Closed()))

    def _ask(self, step: Step) -> None:
        try:
            answer = self.gateway.answer(step)
        except Exception as error:
            thrown = error
            self._resume(lambda: self._handshake.throw(thrown))
        else:
            self._give(answer)

    def _give(self, answer: Any) -> None:
        self._resume(lambda: self._handshake.send(answer))

    def _resume(self, go: Callable[[], Step]) -> None:
        try:
            self._step = go()
        except StopIteration as stop:
            self._step, self.result = None, stop.value
        except Exception as error:
            self._step, self.error = None, error


Wire = Callable[[bytes], bytes]


def meet(first: End, second: End, to_second: Wire = bytes, to_first: Wire = bytes) -> list[bytes]:
    """Run both to their ends over a wire that may change what passes; return what was sent, in turns."""
    sent: list[bytes] = []
    for _ in range(12):
        for sender, receiver, wire in ((second, first, to_first), (first, second, to_second)):
            data = sender.run()
            if data:
                sent.append(data)
                receiver.inbox += wire(data)
    for end in (first, second):
        end.run()
        end.close()
    return sent


def linked(a: Gateway, b: Gateway, attempt: Resumable | Door | None = None) -> tuple[Established, Established]:
    """Return both ends' keys of a link."""
    first, second = a.connect(attempt), b.accept()
    meet(first, second)
    return first.link, second.link


def pair(**kinds: Any) -> tuple[Gateway, Gateway]:
    """Return two gateways of one network, on lanes 1 and 2."""
    network = Network()
    return Gateway(network, 1, **kinds), Gateway(network, 2, **kinds)
