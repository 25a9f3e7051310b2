# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests to join a network: the public half of a blank unit's joining key, which is not secret."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from ndks_protocol.session import PUBLIC_KEY_SIZE

from ..exceptions import CheckFailed, UsageError
from ..strict_json import typed
from .commitments import COMMITMENT_SIZE, Commitments
from .joining_file import (
    FORMAT,
    JoiningFile,
    checked_bytes,
    checked_date,
    checked_serial_number,
    content_of,
    encoded,
    version_of,
)
from .network_file import check_name

SUFFIX = ".ndksrequest"
_LONGEST_LABEL = 64  # characters


@dataclass(frozen=True)
class JoinRequest(JoiningFile):
    """A blank unit's request to join. `network` is the name of a network, "" for any; `label` is meant for its file."""

    label: str
    public_key: bytes

    MARK = "ndks_join_request"
    FIELDS = frozenset({MARK, "date", "network", "uid", "label", "public_key"})
    WHAT = "request"

    @classmethod
    def new(cls, serial_number: str, public_key: bytes, *, network: str = "", label: str = "") -> Self:
        """Return a request of now. UsageError: the network's name or the label is not one."""
        _check_texts(network, label)
        values: dict[str, object] = {cls.MARK: FORMAT, "network": network, "uid": serial_number, "label": label}
        return cls.parsed(encoded(values | {"public_key": public_key.hex()}), "the request")

    def check_network(self, name: str) -> None:
        """Raise CheckFailed if the request is for a network of another name."""
        if self.network not in ("", name):
            what = f"the request is for network {self.network}, and the network file is that of {name}"
            raise CheckFailed(what, "name the right network file, or have a request without a network made")

    @classmethod
    def _from_values(cls, values: dict[str, Any], content: bytes) -> Self:
        network, label = typed(str, values["network"]), typed(str, values["label"])
        public_key = checked_bytes(values["public_key"])
        if len(public_key) != PUBLIC_KEY_SIZE:
            raise ValueError
        _check_texts(network, label)
        date, serial_number = checked_date(values["date"]), checked_serial_number(values["uid"])
        return cls(serial_number, date, network, content, label, public_key)


@dataclass(frozen=True)
class CommittedRequest(JoinRequest):
    """A request to the administrators of a network, with commitments to the laptop and the network around it."""

    commitments: Commitments = ()

    VERSION = 2
    FIELDS = JoinRequest.FIELDS | {"commitments"}

    @classmethod
    def committed(
        cls, serial_number: str, public_key: bytes, commitments: Commitments, *, network: str = "", label: str = ""
    ) -> Self:
        """Return a request of now. UsageError: the network's name or the label is not one."""
        _check_texts(network, label)
        values: dict[str, object] = {cls.MARK: cls.VERSION, "network": network, "uid": serial_number, "label": label}
        values |= {"public_key": public_key.hex(), "commitments": commitments}
        return cls.parsed(encoded(values), "the request")

    @classmethod
    def _from_values(cls, values: dict[str, Any], content: bytes) -> Self:
        commitments = tuple((name, checked_bytes(mac).hex()) for name, mac in values["commitments"])
        if not all(isinstance(name, str) and len(mac) == 2 * COMMITMENT_SIZE for name, mac in commitments):
            raise TypeError
        return replace(super()._from_values(values, content), commitments=commitments)


def load_request(path: Path | str) -> JoinRequest:
    """Read a request of either format. FileError, JoiningFileError."""
    content = content_of(Path(path), JoinRequest.LARGEST)
    kind = CommittedRequest if version_of(content, JoinRequest.MARK) == CommittedRequest.VERSION else JoinRequest
    return kind.parsed(content, str(path))


def _check_texts(network: str, label: str) -> None:
    if network:
        check_name(network)
    if not label.isprintable() or len(label) > _LONGEST_LABEL:
        raise UsageError(f"a label has at most {_LONGEST_LABEL} printable characters")
