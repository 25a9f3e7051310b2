# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Promises of a unit with its own flash for any input: no number for two messages, no key offered twice.

And no ephemeral key of a session twice, from one start to the next, whatever its random bytes are.
"""

from collections.abc import Callable

from conversation import MEMBER

from ndks.crypto import CRYPTO
from ndks_protocol import commands
from ndks_protocol.capsule import HeaderKeys, header_keys
from ndks_protocol.commands import Command

_BINDING_SIZE = 32  # in PROVISION
_SECRET_AT = 9  # behind it
_PUBLIC_SIZE = 32
_BEACON_AT = 13  # in the answer to TICK


class Promises:
    """The answers so far of a unit, which begins as a member of the network of the vectors."""

    def __init__(self) -> None:
        self.begin(MEMBER)
        self.start()
        self._keepers: dict[Command, Callable[[bytes, bytes], None]] = {
            commands.PROVISION: lambda request, _: self.begin(request[_BINDING_SIZE:]),
            commands.OPEN_SESSION: lambda _, answer: self._keep_key(answer[:_PUBLIC_SIZE]),
            commands.JOINING_KEY: lambda _, answer: self._keep_key(answer),
            commands.UNLOCK: lambda request, _: self._raise_floor(request),
            commands.SEAL_BEGIN: self._keep_number,
            commands.SEAL_KEYS: self._keep_number,
            commands.ACKNOWLEDGE: self._acknowledge,
            commands.NEXT_INDEX: lambda _, answer: self._keep_index(answer[:4], int.from_bytes(answer[4:])),
            commands.TICK: lambda _, answer: self._keep_beacon(answer[_BEACON_AT:]),
        }

    def keep(self, command: Command, request: bytes, answer: bytes) -> None:
        """Check an answer against the earlier ones. Raises AssertionError."""
        keeper = self._keepers.get(command)
        if keeper:
            keeper(request, answer)

    def forget(self) -> None:
        """Forget all promises, because the flash has been replaced."""
        self._keepers = {}

    def start(self) -> None:
        """Note that the unit starts."""
        self._public_keys: set[bytes] = set()

    def begin(self, membership: bytes) -> None:
        """Note that the unit has become a member, by the fields of PROVISION after the binding."""
        self._header_keys = HeaderKeys(CRYPTO, header_keys(CRYPTO, membership[_SECRET_AT : _SECRET_AT + 32]))
        self._numbers: dict[int, bytes] = {}  # the request of each message
        self._floor = 0
        self._used: dict[bytes, int] = {}  # by epoch: the highest key that was acknowledged

    def _keep_key(self, public: bytes) -> None:
        assert public not in self._public_keys, "a key pair is used twice"
        self._public_keys.add(public)

    def _raise_floor(self, request: bytes) -> None:
        self._floor = max(self._floor, int.from_bytes(request[32:40]))

    def _keep_number(self, request: bytes, answer: bytes) -> None:
        number = self._header_keys.unmask(answer[: commands.WIRE_HEADER_SIZE]).number
        if number not in self._numbers:
            assert number > self._floor, "a number that the host knows of is given again"
            self._numbers[number] = request
        assert self._numbers[number] == request, "a number is given to two messages"

    def _acknowledge(self, request: bytes, answer: bytes) -> None:
        epoch = request[:4]
        self._used[epoch] = max(self._used.get(epoch, 0), commands.ACKNOWLEDGE.request.unpack(request)[1])
        self._keep_index(epoch, int.from_bytes(answer))

    def _keep_beacon(self, beacon: bytes) -> None:
        if beacon:
            self._keep_number(beacon, beacon)

    def _keep_index(self, epoch: bytes, index: int) -> None:
        assert index > self._used.get(epoch, 0), "a key is offered again"
        assert index <= commands.MAX_IN_TURN + 1, "a key is offered that is only read"
