# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Network files: the secret, parameters and members of a network (PROTOCOL.md section 8)."""

import json
import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast

from ndks_protocol import commands
from ndks_protocol.generator import F1, F2
from ndks_protocol.generator import Generator as KeyGenerator
from ndks_protocol.network_id import network_id

from ..crypto import CRYPTO
from ..exceptions import FileError, NetworkFileError, UsageError, reason
from ..files import read_small, refuse_public
from ..paths import is_there
from ..strict_json import is_version, loads, typed
from ..system_errors import file_errors
from ..whole_file import write_private

SUFFIX = ".ndksnet"
FORMAT = 1
_FIELDS = {"ndks_network", *("name", "suite", "cipher", "p1", "p2", "d", "epoch", "secret", "next_lane", "members")}
_OPTIONAL_FIELDS = {"network_id", "operators"}
_SECRET_SIZE = 32
_BINDING_ID = re.compile("[0-9a-fA-F]{32}")
_NO_BINDING_ID = "00" * 16
_DECIMALS = 40  # of random parameters


@dataclass(frozen=True)
class Member:
    """A unit that was provisioned from this file."""

    lane: int
    serial_number: str
    label: str
    binding_id: str = _NO_BINDING_ID


@dataclass(frozen=True)
class Network:
    """A network with its secret: anyone who reads its file can compute every key."""

    name: str
    suite: str
    cipher: str
    p1: str = field(repr=False)  # a part of the key in suite paper
    p2: str = field(repr=False)
    digits: int
    epoch: int
    secret: bytes = field(repr=False)
    next_lane: int = 1
    members: tuple[Member, ...] = ()
    f1: str = F1[0]
    f2: str = F2[0]

    def __post_init__(self) -> None:
        """Check all values. UsageError."""
        check_name(self.name)
        _check_choice("suite", self.suite, commands.SUITES)
        _check_choice("cipher", self.cipher, commands.CIPHERS)
        _check_choice("operator f1", self.f1, F1)
        _check_choice("operator f2", self.f2, F2)
        try:
            KeyGenerator(self.p1, self.p2, self.digits, self.f1, self.f2)  # checks the parameters
        except ValueError as error:
            raise UsageError(str(error)) from None
        if (
            len(self.secret) != _SECRET_SIZE
            or not 0 <= self.epoch < 1 << 32
            or not 1 <= self.next_lane <= commands.MAX_LANE + 1
        ):
            raise UsageError("secret, epoch or next_lane is out of range")
        lanes = {member.lane for member in self.members if 1 <= member.lane < self.next_lane}
        if len(lanes) != len(self.members):
            raise UsageError("two members have the same lane, or a lane is not below next_lane")
        if not all(member.label.isprintable() for member in self.members):
            raise UsageError("a label must be printable")
        if not all(_BINDING_ID.fullmatch(member.binding_id) for member in self.members):
            raise UsageError("a binding id has 32 hexadecimal digits")

    @classmethod
    def new(
        cls,
        name: str,
        *,
        p1: str | None = None,
        p2: str | None = None,
        digits: int = 3,
        suite: str = "hybrid",
        cipher: str = "vernam",
        f1: str = F1[0],
        f2: str = F2[0],
    ) -> Self:
        """Return a network with a random secret; p1 and p2 are random with 40 decimals unless given."""
        p1 = f"0.{_random_decimals()}" if p1 is None else p1
        p2 = f"{10 + secrets.randbelow(90)}.{_random_decimals()}" if p2 is None else p2
        return cls(name, suite, cipher, p1, p2, digits, 0, secrets.token_bytes(_SECRET_SIZE), f1=f1, f2=f2)

    @property
    def network_id(self) -> str:
        """The network id in hex, equal for all units with the same keys (PROTOCOL.md section 2)."""
        suite = commands.SUITES.index(self.suite)
        return network_id(CRYPTO, self.secret, suite, self.digits, self.p1, self.p2, *self.operators).hex()

    @property
    def operators(self) -> tuple[int, int]:
        """The numbers of f1 and f2 on the wire; both are 0 for equation 7."""
        return F1.index(self.f1), F2.index(self.f2)

    def member(self, lane: int) -> Member | None:
        """Return the member on a lane, or None."""
        return next((member for member in self.members if member.lane == lane), None)

    def binding_id(self, lane: int) -> bytes:
        """Return the binding id of the unit on a lane, or b"" if it is unknown."""
        member = self.member(lane)
        known = member and member.binding_id.strip("0")
        return bytes.fromhex(member.binding_id) if member and known else b""

    def membership(self, lane: int) -> tuple[object, ...]:
        """Return the fields that make a unit the member on a lane, secret ones among them (`wire.MEMBERSHIP`)."""
        suite, cipher = commands.SUITES.index(self.suite), commands.CIPHERS.index(self.cipher)
        parameters = (self.digits, self.secret, self.name, self.p1, self.p2, *self.operators)
        return (self.epoch, lane, suite, cipher, *parameters)

    @property
    def gives_lanes(self) -> bool:
        return self.next_lane <= commands.MAX_LANE

    def closed(self) -> Self:
        """Return the network as one whose lanes are all taken: from now on, an administrator gives them."""
        return replace(self, next_lane=commands.MAX_LANE + 1)

    def admit(self, serial_number: str, label: str) -> tuple[Self, int]:
        """Return the network with this unit as a member on the next lane, and the lane."""
        lane = self.next_lane
        if not self.gives_lanes:
            what = "all lanes of this network are taken, or it was upgraded"
            raise UsageError(what, "use its administrator's file, or make a new network: ndks network new NAME")
        others = tuple(member for member in self.members if member.serial_number != serial_number)
        members = (*others, Member(lane, serial_number, label))
        return replace(self, next_lane=lane + 1, members=members), lane

    def values(self) -> dict[str, Any]:
        """Return the fields of the file."""
        values: dict[str, Any] = {
            "ndks_network": FORMAT,
            "name": self.name,
            "suite": self.suite,
            "cipher": self.cipher,
            "p1": self.p1,
            "p2": self.p2,
            "d": self.digits,
            "epoch": self.epoch,
            "secret": self.secret.hex(),
            "network_id": self.network_id,
            "next_lane": self.next_lane,
            "members": [_stored(member) for member in self.members],
        }
        if any(self.operators):
            values["operators"] = {"f1": self.f1, "f2": self.f2}  # omitted for eq. 7: older versions read such a file
        return values

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the file atomically, with mode 0600. FileError, also if it exists, unless `overwrite`."""
        path = Path(path)
        try:
            write_private(path, (json.dumps(self.values(), indent=2) + "\n").encode(), overwrite=overwrite)
        except OSError as error:
            raise FileError(f"{path} cannot be written: {reason(error)}") from None

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a network file. FileError, also if other users may read it; NetworkFileError."""
        path = Path(path)
        return cls.parsed(path, cls._content(path))

    @classmethod
    def parsed(cls, path: Path, content: bytes) -> Self:
        """Return what the content of a file says. Errors as `load`."""
        network = cls._parsed(path, content)
        with file_errors():
            refuse_public(path)  # last: the mode of a file that is not a network file does not matter
        return network

    @classmethod
    def units_in(cls, path: Path) -> int:
        """Return how many units the network in a file has, whoever may read it; 0 for any other file."""
        try:
            return len(cls._parsed(path, cls._content(path)).members) if is_there(path) and path.is_file() else 0
        except FileError:
            return 0

    @staticmethod
    def _content(path: Path) -> bytes:
        try:
            return read_small(path)
        except FileNotFoundError:
            other = path.with_name(path.name + SUFFIX)
            raise FileError(
                f"there is no {path}",
                f"use {other}" if is_there(other) else "check the name, or make a network: ndks network new NAME",
            ) from None
        except OSError as error:
            raise FileError(f"{path} cannot be read: {reason(error)}", "check the path and its permissions") from None

    @classmethod
    def _parsed(cls, path: Path, content: bytes) -> Self:
        try:
            values: Any = loads(content)
        except (ValueError, RecursionError):
            raise _damaged(path, "it is not JSON, or a field is repeated") from None
        if not isinstance(values, dict) or "ndks_network" not in values:
            raise _damaged(path, "it is not a network file")
        try:
            return cls.from_values(cast(dict[str, Any], values))
        except UsageError as error:
            raise _damaged(path, str(error)) from None
        except (KeyError, TypeError, ValueError, OverflowError):
            # The text of these exceptions could quote the secret.
            raise _damaged(path, "a field is missing or has the wrong type") from None

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Return what the fields of a file say. UsageError, KeyError, TypeError, ValueError, OverflowError."""
        if not is_version(values["ndks_network"], FORMAT):
            raise UsageError(f"its format version is not {FORMAT}, the only one that this ndks knows")
        if values.keys() - _OPTIONAL_FIELDS != _FIELDS:
            # An unknown field could change the keys, and saving would lose it.
            raise UsageError("it has unknown fields, or lacks some")
        network = cls(
            typed(str, values["name"]),
            typed(str, values["suite"]),
            typed(str, values["cipher"]),
            typed(str, values["p1"]),
            typed(str, values["p2"]),
            typed(int, values["d"]),
            typed(int, values["epoch"]),
            bytes.fromhex(values["secret"]),
            typed(int, values["next_lane"]),
            tuple(map(_member, typed(list, values["members"]))),
            *_operators(values.get("operators", {"f1": F1[0], "f2": F2[0]})),
        )
        if values.get("network_id", network.network_id) != network.network_id:
            raise UsageError("its secret or parameters do not match its network_id")
        return network


def check_name(name: str) -> None:
    """Check the name of a network. UsageError."""
    if "/" in name or "\\" in name:
        raise UsageError("a network's name cannot contain a slash", "take it out; ndks network new -o names the file")
    if not name.isprintable() or not 1 <= len(name.encode()) <= commands.MAX_NAME:
        raise UsageError(f"a network's name has 1 to {commands.MAX_NAME} printable bytes")


def _stored(member: Member) -> dict[str, Any]:
    """Return a member for the file, in which its serial number is named uid."""
    values = asdict(member)
    return {"lane": values.pop("lane"), "uid": values.pop("serial_number"), **values}


def _member(values: dict[str, Any]) -> Member:
    def from_file(lane: Any, uid: Any, label: Any, binding_id: Any = _NO_BINDING_ID) -> Member:
        return Member(typed(int, lane), typed(str, uid), typed(str, label), typed(str, binding_id))

    return from_file(**values)


def _operators(values: Any) -> tuple[str, str]:
    if typed(dict, values).keys() != {"f1", "f2"}:
        raise UsageError("its operators must be f1 and f2")
    return typed(str, values["f1"]), typed(str, values["f2"])


def _check_choice(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"there is no such {what}", f"choose one of {', '.join(known)}")


def _damaged(path: Path, why: str) -> NetworkFileError:
    return NetworkFileError(
        f"{path}: {why}",
        "check that this is the network file; if it is damaged, restore it; units work without it",
    )


def _random_decimals() -> str:
    return f"{secrets.randbelow(10**_DECIMALS):0{_DECIMALS}d}"
