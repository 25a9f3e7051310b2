# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Verbs by which a blank unit becomes a member of a network: from its file, or by a package."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from ndks_protocol import commands, errors
from ndks_protocol.binding import BINDING_SIZE

from ..exceptions import DeviceError, FileError, NdksError
from ..laptop.bound_unit import Binding
from ..laptop.words import from_words, to_words
from ..network.admission import admit_unit, note_binding
from ..network.commitments import Commitments
from ..network.join_package import JoinPackage
from ..network.join_request import CommittedRequest, JoinRequest
from ..network.network_file import Network
from .answers import BLANK
from .opened import OpenUnit, step

TellCode = Callable[[str], object]
_Network = TypeVar("_Network")


@dataclass(frozen=True)
class _Joined(Generic[_Network]):
    serial_number: str
    lane: int
    network: _Network
    binding: Binding | None = None
    transport_code: str = field(default="", repr=False)  # "" when the unit is bound to this laptop


class Joined(_Joined[Network]):
    """A unit that has become a member of a network, bound to this laptop or to a transport code of 24 words."""


class JoinedByPackage(_Joined[str]):
    """A unit that a package has made a member, bound as `Joined`. `network` is a name: this laptop has no secret."""


class JoiningVerbs(OpenUnit):
    """The verbs of a blank unit."""

    @step
    def check_blank(self) -> None:
        """Raise the error with which the unit would refuse PROVISION, without sending it the secret."""
        self._owner.check_blank()

    @step
    def check_at_port(self) -> None:
        """Raise DeviceError DENIED if a service holds the unit: it becomes a member, and is bound, at its port only."""
        self._owner.check_at_port()

    @step
    def join(
        self,
        network_file: Path | str,
        label: str = "",
        *,
        bind: bool = True,
        tell_code: TellCode = lambda _: None,
    ) -> Joined:
        """Make a blank unit a member of the network in a file, on a lane that no unit has had, bound to this laptop.

        The file is written before the unit gets its lane, so that no lane is given twice, even after an interruption.
        With `bind=False` the unit is bound to the returned transport code: `bind` it with that code at another laptop.
        `tell_code` is called with the code as soon as the unit is, or may be, bound to it, for the case that something
        fails then. A unit that is to be bound here can be bound without the code: the laptop keeps it until then.
        DeviceError PROVISIONED, TAMPERED, STORAGE; UsageError when all lanes are taken; FileError, NetworkFileError.
        """
        self._owner.check_blank()
        if bind:
            self._owner.prepare_binding()  # a failure after provisioning would leave a unit whose code nobody has
        path = Path(network_file)
        network, lane = admit_unit(path, self.hello.serial_number, label)
        words = self._enter(commands.PROVISION, network.membership(lane), keep=bind, tell_code=tell_code)
        joined = Joined(self.hello.serial_number, lane, network, transport_code=words)
        if not bind:
            return joined
        binding = self.bind(words)
        try:
            note_binding(path, lane, binding.binding_id)
        except (NdksError, OSError) as error:
            raise _not_noted(joined, binding.binding_id, error) from None
        return replace(joined, binding=binding, transport_code="")

    @step
    def provision(self, network: Network, lane: int) -> bytes:
        """Make a blank unit a member of a network, bound to a transport code of 32 bytes; return the code.

        Anyone who has the code can `bind` the unit, once. `join` chooses a lane that no other unit has: two units on
        one lane would use keys twice. DeviceError PROVISIONED for a member, TAMPERED.
        """
        return from_words(self._enter(commands.PROVISION, network.membership(lane)))

    @step
    def joining_key(self) -> bytes:
        """Make a joining key, and return its public half of 32 bytes; the one made before becomes void.

        Whoever has it can seal a membership to this unit (`join_request`). DeviceError PROVISIONED, TAMPERED, STORAGE.
        """
        self._owner.check_blank()
        return bytes(self._link.call(commands.JOINING_KEY).public)

    @step
    def join_request(
        self, *, network: str = "", label: str = "", commitments: Commitments | None = None
    ) -> JoinRequest:
        """Return a request to join, for the administrator of a network: `save` it, and say its six words by voice.

        An earlier request of the unit becomes void. `network` is the name of the network, for him to compare.
        `commitments` are for the authority of a network with administrators. UsageError for an invalid
        name or label; else as `joining_key`.
        """
        serial_number, names = self.hello.serial_number, {"network": network, "label": label}
        JoinRequest.new(serial_number, bytes(32), **names)  # checks, before the key
        if commitments is None:
            return JoinRequest.new(serial_number, self.joining_key(), **names)
        return CommittedRequest.committed(serial_number, self.joining_key(), commitments, **names)

    @step
    def join_package(
        self, package: JoinPackage | Path | str, *, bind: bool = True, tell_code: TellCode = lambda _: None
    ) -> JoinedByPackage:
        """Make a blank unit a member by a package that was sealed to its joining key. Compare the six words first.

        Only the unit can open the package: this laptop sees no secret of the network. `bind` and `tell_code` are as for
        `join`. AuthenticationError PACKAGE: the package is for another unit or for a key that is void, or it was
        altered, PUBLIC_KEY; DeviceError NO_JOINING_KEY, PROVISIONED, TAMPERED, STORAGE; FileError, JoiningFileError.
        """
        package = package if isinstance(package, JoinPackage) else JoinPackage.load(package)
        return self._by_package(commands.PROVISION_SEALED, package, bind=bind, tell_code=tell_code)

    @step
    def enrol(
        self, package: JoinPackage, *, bind: bool = True, tell_code: TellCode = lambda _: None
    ) -> JoinedByPackage:
        """Make a blank unit a member of an administered network by a package for it.

        It then waits for its notice of a generation: `notice`. `bind`, `tell_code` and errors are as in `join_package`.
        """
        return self._by_package(commands.ENROL, package, bind=bind, tell_code=tell_code)

    @step
    def bind(self, code: bytes | str = b"", *, with_network: bool | None = None) -> Binding:
        """Bind the unit to this laptop, in place of the transport code or of its current binding to this laptop.

        `code` has 32 bytes or 24 words; it may be left out where the unit was provisioned at this laptop to be bound
        here. `with_network` binds the unit to the laptop's network as well; by default as in the binding before.
        UsageError for wrong words; AuthenticationError KEK or LOCKED for a wrong code.
        """
        return self._owner.bind(from_words(code) if isinstance(code, str) else code, with_network=with_network)

    def _by_package(
        self, command: commands.Command, package: JoinPackage, *, bind: bool, tell_code: TellCode
    ) -> JoinedByPackage:
        self._owner.check_blank()
        package.check_unit(self.hello.serial_number)
        if bind:
            self._owner.prepare_binding()
        words = self._enter(command, (package.sealed,), keep=bind, tell_code=tell_code)
        joined = JoinedByPackage(package.serial_number, package.lane, package.network, transport_code=words)
        return replace(joined, binding=self.bind(words), transport_code="") if bind else joined

    def _enter(
        self,
        command: commands.Command,
        membership: tuple[object, ...],
        *,
        keep: bool = False,
        tell_code: TellCode = lambda _: None,
    ) -> str:
        """Make the unit a member, bound to a new transport code; return the code in words.

        With `keep` the code is on this laptop's disk before the unit has it: no power cut can lose it.
        """
        code = secrets.token_bytes(BINDING_SIZE)
        is_sent = False
        if keep:
            self._owner.keep_code(code)
        try:
            with self._owner.anonymous_session():
                is_sent = True
                self._link.call(command, code, *membership)
        except BaseException as error:
            if is_sent and not self._has_refused(error):  # nobody knows whether the unit has it
                tell_code(to_words(code))
            elif keep:
                self._owner.drop_code()
            raise
        tell_code(to_words(code))
        return to_words(code)

    def _has_refused(self, error: BaseException) -> bool:
        """Return whether the unit has said that it is no member. An altered line may have hidden its answer."""
        is_refusal = isinstance(error, DeviceError) and error.number != errors.SESSION_ENDED
        return is_refusal and self.hello.state == BLANK


def _not_noted(joined: Joined, binding_id: str, error: NdksError | OSError) -> FileError:
    """Return the error of a unit that is a member and bound, and whose network file could not be written."""
    what = f"unit {joined.serial_number} is a member, lane {joined.lane}, and bound to this laptop; not noted: {error}"
    return FileError(what, f"ndks trust {joined.lane} {binding_id} --network FILE notes it in the network file")
