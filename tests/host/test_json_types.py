# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files of JSON: true is no 1, and 1.0 is none, though they are equal in Python. Whatever stands there, none crashes.

Each number and each boolean of each kind of file is exchanged for its equals of other types: such a file is refused.
"""

import base64
import copy
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks.agent.running import places
from ndks.agent.running.membership import Membership
from ndks.confinement.key_checks import checks_of
from ndks.confinement.record import KeyRecord, MessageRecord, Record
from ndks.driver.streams import StreamPlan, _load_plan, plan_of
from ndks.exceptions import NdksError
from ndks.laptop import administrators, backup
from ndks.laptop.bindings import BindingStore
from ndks.laptop.bound_unit import Binding, BoundUnit, content_of, unit_from
from ndks.laptop.counters import MinimumCounters
from ndks.laptop.homes import home
from ndks.network import administrator_file
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import JoinRequest, load_request
from ndks.network.member_package import MemberPackage
from ndks.network.network_file import Member, Network
from ndks.network.opening import Opening
from ndks_gateways.running.store import Store as Tunnel
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.tables import Delivered, Mark, Run
from ndks_laboratory.faraday import LaptopChannel
from ndks_laboratory.faraday import record as faraday

SERIAL = "0011223344556677"
CODE = bytes(32)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)

NETWORK = Network("office", "hybrid", "vernam", "0.52", "25", 3, 1, bytes(32), 2, (Member(1, SERIAL, "alice"),))
CONFINED = Record(
    *(SERIAL, "office", "01" * 8, "02" * 8, 1, 1, "hybrid", 1, "sinusoid", "cosine", "2026-11-28", 1, 256),
    keys=(KeyRecord(1, checks_of(bytes(32), 1)),),
    messages=(MessageRecord("ab" * 32, "cd" * 16, 1, 1, "ef" * 8),),
)
IN_CAGE = faraday.Record(
    *(SERIAL, "01" * 8, 1, 1, "hybrid", 1, "11" * 16, "2026-11-28", "2026-11-28"),
    *((LaptopChannel("interface", "eth0", "down", False),), (LaptopChannel("port", "1", "?", True),), False),
    *((faraday.Commitment(1, 1, "33" * 32), faraday.Commitment(2, 1, "33" * 32)), (2,)),
    faraday.RecordedMessage("vernam", 1, "44" * 32, "55" * 32, True, "deleted"),
    faraday.Authentication(3, "66" * 32),
)
MARK = Mark(Run(1, 1, 1), Delivered(1, 1, 1, 1, "SAE_A"))


class Kind(NamedTuple):
    """A kind of file: `make` writes a good one, or returns its content; `read` returns what it says.

    `read` raises NdksError, or returns None, for what it refuses.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]


def _vector(name: str, number: int) -> Callable[[Path], object]:
    return lambda _: load_vectors(name)["good"][number]["text"].encode()


def _bound(path: Path) -> BoundUnit | None:
    try:
        return unit_from(SERIAL, path.read_bytes())
    except ValueError:
        return None


def _backup(_: Path) -> bytes:
    sealed = AESGCM(CODE).encrypt(bytes(12), b"{}", b"ndks backup 1")
    return json.dumps({"ndks_backup": 1, "sealed": base64.b64encode(sealed).decode()}).encode()


def _restored(path: Path) -> list[str]:
    return backup.restore(BindingStore(path.parent / "none"), path.read_bytes(), CODE, overwrite=True)


def _counters(path: Path) -> MinimumCounters:
    return MinimumCounters(path, "11" * 16)


def _minimum(path: Path) -> int | None:
    return _counters(path).of(1).exported or None


def _member(path: Path) -> Membership | None:
    return Membership.load(_put(path, places.directory_of(SERIAL) / "member.json").parent.name)


def _made(path: Path) -> tuple[int, int]:
    return administrators.made_here(_put(path, home() / "administrators" / "0011.json").stem)


def _put(path: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(path.read_bytes())
    return place


def _plan(path: Path) -> StreamPlan | None:
    target = path.parent / "key"
    _put(path, plan_of(target))
    return _load_plan(target, force=False)


def _json(**values: object) -> Callable[[Path], object]:
    return lambda _: json.dumps(values).encode()


KINDS = (
    Kind("network", NETWORK.save, Network.load),
    Kind("administrator", lambda _: load_vectors("member_files")["administrator"].encode(), administrator_file.load),
    Kind("request", _vector("joining_files", 0), JoinRequest.load),
    Kind("request of either version", _vector("member_files", 0), load_request),
    Kind("package", lambda _: _package(), JoinPackage.load),
    Kind("member's package", _vector("member_files", 2), MemberPackage.load),
    Kind("opening", Opening("00" * 32, bytes(32), [("board", "Maker")]).save, Opening.load),
    Kind("membership", _json(ndks_member=1, network="office", tick=1, signing_key="00" * 32), _member),
    Kind("generation made", _json(ndks_generation_made=1, g=1, changes=1), _made),
    Kind(
        "binding",
        lambda _: content_of(BoundUnit(SERIAL, (Binding("11" * 16, True, (("board", "x"),)),), 1, 1, "22" * 32)),
        _bound,
    ),
    Kind("backup", _backup, _restored),
    Kind("counters", lambda path: _counters(path).note(1, message_counter=1, exported=1), _minimum),
    Kind("stream", _json(k=1, epoch=1, bits=1, serial="", network="", complete=True), _plan),
    Kind("confinement", CONFINED.save, Record.load),
    Kind("faraday", IN_CAGE.save, faraday.Record.load),
    Kind("tunnel", Tunnel, Tunnel),
    Kind("mark of a ledger", lambda path: MarkFile(path).write(MARK), lambda path: MarkFile(path).read()),
)


def _package() -> bytes:
    return next(case["text"] for case in load_vectors("joining_files")["good"] if case["kind"] == "package").encode()


def _content(kind: Kind, path: Path) -> Any:
    made = kind.make(path)
    return json.loads(made if isinstance(made, bytes) else path.read_bytes())


def _is_taken(kind: Kind, path: Path, tree: Any) -> bool:
    path.write_text(json.dumps(tree))
    path.chmod(0o600)
    try:
        return kind.read(path) is not None
    except NdksError:
        return False


def _places(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield where each value is that is no list and no object, and the value."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    if not isinstance(tree, dict | list):
        yield above, tree
    for name, value in inner:
        yield from _places(value, (*above, name))


def _with(tree: Any, place: tuple[Any, ...], value: object) -> Any:
    tree = copy.deepcopy(tree)
    holder = tree
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value
    return tree


def _equals(value: object) -> list[object]:
    """Return the values of other types that are equal to a number or a boolean."""
    others = (bool(value), int(value), float(value)) if isinstance(value, int) else ()
    return [other for other in others if other == value and type(other) is not type(value)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_only_equal_in_python_is_refused(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "file"
    tree = _content(kind, path)
    assert _is_taken(kind, path, tree)
    changed = [(place, other) for place, value in _places(tree) for other in _equals(value)]
    assert changed
    taken = [change for change in changed if _is_taken(kind, path, _with(tree, *change))]
    assert taken == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(data=st.data())
def test_no_value_is_too_much(kind: Kind, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever takes the place of a value, the file is taken or refused in words, and nothing else is raised."""
    logging.getLogger("ndks").setLevel(logging.ERROR)  # each damaged file of counters is told
    path = tmp_path / "drawn"
    path.unlink(missing_ok=True)
    tree = _content(kind, path)
    place, _ = data.draw(st.sampled_from(list(_places(tree))))
    _is_taken(kind, path, _with(tree, place, data.draw(VALUES)))
