# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Administrators' files, NAME.ndksadmin (PROTOCOL.md section 13). Whoever has one admits, revokes and reads everything.

The file is on disk before anything that follows from it is sent. Two copies of one file are not safe: both would give
the same lanes and generations. A copy from a backup acts only after it has learned the network's present bundle.
"""

import base64
import contextlib
import json
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from ndks_protocol.control.limits import LAST_GENERATION, LAST_MEMBER_LANE
from ndks_protocol.generator import F1, F2, MAX_DIGITS

from ..exceptions import FileError, NetworkFileError, UsageError, reason
from ..files import refuse_public
from ..strict_json import is_version, loads, typed
from ..system_errors import file_errors
from ..whole_file import write_private
from .administration import Administration
from .administrator import Administrator
from .bundle import Bundle
from .generation import Admission, AdmittedMember, Generation, State
from .joining_file import checked_bytes, checked_serial_number, content_of
from .locked_file import locked_file
from .network_file import Network

SUFFIX = ".ndksadmin"
FORMAT = 1
MARK = "ndks_administrator"
LARGEST = 1 << 28  # bytes: seven bundles for 60,000 members are 70 MB


def save(state: Administration, path: Path | str, *, overwrite: bool = False) -> None:
    """Write a file atomically, with mode 0600. FileError, also if it exists, unless `overwrite`."""
    path = Path(path)
    try:
        write_private(path, (json.dumps(_values(state), indent=1) + "\n").encode(), overwrite=overwrite)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from None


def load(path: Path | str) -> Administration:
    """Read a file. FileError, also if other users may read it; NetworkFileError: it is damaged."""
    path = Path(path)
    return parsed(path, content_of(path, LARGEST))


@contextlib.contextmanager
def opened(path: Path | str) -> Generator[Administrator]:
    """Open a file for changes, by one process at a time: each bundle is in the file before it is returned."""
    with locked_file(Path(path)) as locked:
        yield Administrator(load(locked), lambda state: save(state, locked, overwrite=True))


def _values(state: Administration) -> dict[str, Any]:
    return {
        MARK: FORMAT,
        "network": state.network.values(),
        "root": state.root.hex(),
        "number": state.number,
        "numbers": state.numbers,
        "next_lane": state.next_lane,
        "revocations": state.revocations,
        "g": state.g,
        "authority": state.authority,
        "members": [_of_member(member) for member in state.members],
        "generations": [_of_generation(generation) for generation in state.generations],
        "bundles": [base64.b64encode(bundle.content).decode() for bundle in state.bundles],
    }


def _of_member(member: AdmittedMember) -> dict[str, Any]:
    first = {"lane": member.lane, "uid": member.serial_number, "state": member.state.name.lower()}
    return first | {"joined": member.joined} | asdict(member.admission)


def _of_generation(generation: Generation) -> dict[str, Any]:
    values = {"g": generation.g, "operators": generation.operators, "secret": generation.secret.hex()}
    return values | {"revoked": generation.revoked, "members": generation.members}


def parsed(path: Path, content: bytes) -> Administration:
    """Return what the content of a file says. Errors as `load`."""
    state = _parsed(path, content)
    with file_errors():
        refuse_public(path)
    return state


def _parsed(path: Path, content: bytes) -> Administration:
    try:
        values: Any = loads(content)
    except (ValueError, RecursionError):
        raise _damaged(path, "it is not JSON, or a field is repeated") from None
    if not isinstance(values, dict) or MARK not in values:
        raise _damaged(path, "it is no file of an administrator")
    values = cast(dict[str, Any], values)
    if not is_version(values[MARK], FORMAT):
        raise _damaged(path, f"its format version is not {FORMAT}, the only one that this ndks knows")
    try:
        return _state(values)
    except UsageError as error:
        raise _damaged(path, str(error)) from None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        # The text of these exceptions could quote a secret.
        raise _damaged(path, "a field is missing, unknown, or has the wrong type or value") from None


def _state(values: dict[str, Any]) -> Administration:
    del values[MARK]
    state = Administration(
        network=Network.from_values(values.pop("network")),
        root=bytes.fromhex(values.pop("root")),
        members=tuple(map(_member, values.pop("members"))),
        generations=tuple(map(_generation, values.pop("generations"))),
        bundles=tuple(Bundle.parse(base64.b64decode(text, validate=True)) for text in values.pop("bundles")),
        **{name: typed(kind, values.pop(name)) for name, kind in _PLAIN.items()},
    )
    if values:
        raise ValueError
    return state


_PLAIN = {"number": int, "numbers": int, "next_lane": int, "revocations": int, "g": int, "authority": str}
_TEXTS = ("label", "request", "who", "when", "why")


def _member(values: dict[str, Any]) -> AdmittedMember:
    lane, joined = (typed(int, values.pop(name)) for name in ("lane", "joined"))
    uid, state = checked_serial_number(values.pop("uid")), State[values.pop("state").upper()]
    commitments = tuple((typed(str, name), checked_bytes(mac).hex()) for name, mac in values.pop("commitments"))
    texts = {name: typed(str, values.pop(name)) for name in _TEXTS}
    if values or not -1 <= joined <= LAST_GENERATION or not all(text.isprintable() for text in texts.values()):
        raise ValueError
    return AdmittedMember(lane, uid, joined, state, Admission(commitments=commitments, **texts))


def _generation(values: dict[str, Any]) -> Generation:
    digits, f1, f2 = (typed(int, number) for number in values.pop("operators"))
    revoked, members = (tuple(typed(int, lane) for lane in values.pop(name)) for name in ("revoked", "members"))
    generation = Generation(typed(int, values.pop("g")), (digits, f1, f2), bytes.fromhex(values.pop("secret")))
    if values or len(generation.secret) != 32 or not all(1 <= lane <= LAST_MEMBER_LANE for lane in revoked + members):
        raise ValueError
    if not 1 <= digits <= MAX_DIGITS or f1 not in range(len(F1)) or f2 not in range(len(F2)):
        raise ValueError
    return Generation(generation.g, generation.operators, generation.secret, revoked, members)


def _damaged(path: Path, why: str) -> NetworkFileError:
    return NetworkFileError(f"{path}: {why}", "check that this is the administrator's file, or restore it from a copy")
