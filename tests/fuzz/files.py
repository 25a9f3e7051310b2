# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that the host reads: networks, bindings, sealed copies of these, typed codes; any bytes, and altered JSON.

script: which file, then either its bytes or changes to a real one. What is refused leaves every file as it was.
"""

import base64
import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from conversation import FIRST
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.public_network import public_network

from fuzz.script import Script
from ndks.driver.answers import Hello
from ndks.exceptions import NdksError
from ndks.laptop import backup, words
from ndks.laptop.bindings import BindingStore
from ndks.network.network_file import Member, Network, admit_unit, note_binding
from ndks_protocol import commands

MOST_MEMORY = 1_000_000
LARGEST_INPUT = 4096

_SERIAL = "0011223344556677"
_OTHER_SERIAL = "AABBCCDDEEFF0011"
_CHARACTERISTICS = (("board", "Maker Model"), ("machine", "0123"), ("mac", "00:11:22:33:44:55"))
_CODE = bytes(range(32))
_NONCE, _COPY_HEADER = bytes(12), b"ndks backup 1"

# What takes the place of a value
_VALUES = (
    *("null", "true", "0", "1", "-1", "2", "1.5", "NaN", "Infinity", "-Infinity", "1e999", "1" * 30, "9" * 5000),
    *('""', '"x"', '"0"', '"\\ud800"', '"\\u0000"', '"\\n"', '"' + "9" * 100 + '"', "[]", "{}", "[[]]", "[null]"),
    *('[["a", "b"]]', '[["a"]]', '[{"lane": 1}]', '{"f1": "sinusoid", "f2": "cosine"}', "[" * 2000, '"vernam"'),
    *(str(2**16), str(2**32), str(2**48), str(2**64), str(-(2**64)), '"ffffffffffffffffffffffffffffffff"', "65535"),
)


def run(data: bytes) -> None:
    script = Script(data)
    with _directory() as directory:
        script.one_of(_TARGETS)(directory, script)


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    """One in memory where there is such a file system: every file is synced."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as name:
        yield Path(name)


def _refused(directory: Path, what: Callable[[], object]) -> bool:
    """Whether a request is refused; if so, with an error of ours, and no file was changed."""
    before = _files(directory)
    refusal = None
    try:
        what()
    except NdksError as error:
        refusal = error
    if refusal is None:
        return False
    assert str(refusal)
    assert refusal.advice
    assert _files(directory) == before, "what was refused has changed a file"
    return True


def _files(directory: Path) -> dict[str, bytes]:
    files = [path for path in directory.rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


# What is read


def _network(directory: Path, script: Script) -> None:
    path = directory / "test.ndksnet"
    path.write_bytes(_content(script, _network_json()))
    is_refused = _refused(directory, lambda: Network.load(path))
    if not is_refused:
        network = Network.load(path)
        network.save(path)
        assert Network.load(path) == network
        commands.PROVISION.request.pack(
            *(bytes(32), network.epoch, 1, 0, 0, network.digits, network.secret, network.name, network.p1, network.p2),
            *network.operators,
        )
        for member in network.members:
            assert network.member(member.lane) == member
            assert len(network.binding_id(member.lane)) in (0, 16)
    assert _refused(directory, lambda: admit_unit(path, _SERIAL, "label")) >= is_refused
    assert _refused(directory, lambda: note_binding(path, 1, FIRST.id.hex())) >= is_refused


def _unit_file(directory: Path, script: Script) -> None:
    store = _store(directory)
    (directory / "units" / f"{_SERIAL}.json").write_bytes(_content(script, _unit_json()))
    _use(directory, store)


def _host_secret(directory: Path, script: Script) -> None:
    store = _store(directory)
    (directory / "host_secret").write_bytes(_content(script, b"ab" * 32))
    _use(directory, store)


def _use(directory: Path, store: BindingStore) -> None:
    """All that a session and `ndks bind` do with the bindings."""
    hello = _hello()
    is_refused = _refused(directory, lambda: store.unit(_SERIAL))
    if not is_refused:
        commands.UNLOCK.request.pack(bytes(32), store.minimum_counters(hello).of(0).message_counter, 0)
    for step in (
        lambda: store.knows(hello),
        lambda: store.keys(hello),
        lambda: store.finish(hello),
        lambda: store.minimum_counters(hello).note(0, message_counter=5),
        lambda: store.begin(hello, with_network=True),
        store.export,
        lambda: backup.seal(store),
    ):
        _refused(directory, step)
    if not _refused(directory, lambda: store.unit(_SERIAL)):
        unit = store.unit(_SERIAL)
        store._save(unit)
        assert store.unit(_SERIAL) == unit


def _counters_file(directory: Path, script: Script) -> None:
    """Whatever is in it, a minimum is noted, and read again."""
    store = _store(directory)
    (directory / "counters" / f"{_SERIAL}.json").write_bytes(_content(script, _bindings()[f"counters/{_SERIAL}.json"]))
    store.minimum_counters(_hello()).note(0, message_counter=7, exported=9)
    minimum_counters = store.minimum_counters(_hello())
    assert minimum_counters.of(0).message_counter >= 7
    assert minimum_counters.of(0).exported >= 9


def _copy(directory: Path, script: Script) -> None:
    """A copy whose seal is altered, mostly."""
    store = _store(directory)
    copy = _content(script, _sealed_copy())
    _refused(directory, lambda: backup.restore(store, copy, script.one_of((_CODE, bytes(32))), overwrite=True))
    _refused(directory, lambda: backup.restore(store, copy, _CODE, overwrite=False))
    _use(directory, store)


def _copy_of_anything(directory: Path, script: Script) -> None:
    """One that was sealed with the right code, and holds what it should not."""
    store = _store(directory)
    sealed = AESGCM(_CODE).encrypt(_NONCE, _content(script, _copied_files()), _COPY_HEADER)
    copy = json.dumps({"ndks_backup": 1, "sealed": base64.b64encode(sealed).decode()}).encode()
    _refused(directory, lambda: backup.restore(store, copy, _CODE, overwrite=True))
    assert {name.partition("/")[0] for name in _files(directory)} <= {"host_secret", "units", "counters"}
    _use(directory, store)


def _words(directory: Path, script: Script) -> None:
    text = _content(script, words.to_words(_CODE).encode()).decode(errors="replace")
    if not _refused(directory, lambda: words.from_words(text)):
        code = words.from_words(text)
        assert words.from_words(words.to_words(code)) == code


_TARGETS: tuple[Callable[[Path, Script], None], ...] = (
    *(_network, _unit_file, _copy, _copy_of_anything, _host_secret, _words, _counters_file),
)


# What is in the files


def _store(directory: Path) -> BindingStore:
    """A laptop with two units."""
    for name, content in _bindings().items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    return BindingStore(directory, _look)


def _look(*, with_network: bool) -> tuple[tuple[str, str], ...]:
    return _CHARACTERISTICS


def _hello() -> Hello:
    return Hello(2, 0, "0.1.0", 3, "locked", [], _SERIAL, "11" * 16, _known_binding())


@functools.cache
def _known_binding() -> str:
    return json.loads(_unit_json())["bindings"][0]["binding_id"]


@functools.cache
def _bindings() -> dict[str, bytes]:
    """Made by the store itself."""
    with _directory() as directory:
        store = BindingStore(directory, _look)
        for serial in (_SERIAL, _OTHER_SERIAL):
            store.begin(replace(Hello(2, 0, "", 3, "locked", [], serial, "11" * 16, "")), with_network=False)
            store.minimum_counters(Hello(2, 0, "", 3, "locked", [], serial, "11" * 16, "")).note(0, message_counter=3)
        # The same bytes in every process, so that a reproducer reproduces.
        (directory / "host_secret").write_bytes(b"5a" * 32 + b"\n")
        store.begin(Hello(2, 0, "", 3, "locked", [], _SERIAL, "11" * 16, ""), with_network=False)
        store.begin(Hello(2, 0, "", 3, "locked", [], _OTHER_SERIAL, "11" * 16, ""), with_network=False)
        return _files(directory)


def _unit_json() -> bytes:
    return _bindings()[f"units/{_SERIAL}.json"]


@functools.cache
def _network_json() -> bytes:
    members = (Member(1, _SERIAL, "alice"), Member(2, _OTHER_SERIAL, "bob", FIRST.id.hex()))
    with _directory() as directory:
        replace(public_network(), next_lane=3, members=members).save(directory / "network")
        return (directory / "network").read_bytes()


@functools.cache
def _copied_files() -> bytes:
    """Those of another time: there is another secret."""
    files = _bindings() | {"host_secret": b"77" * 32 + b"\n"}
    return json.dumps({name: base64.b64encode(content).decode() for name, content in files.items()}).encode()


@functools.cache
def _sealed_copy() -> bytes:
    sealed = AESGCM(_CODE).encrypt(_NONCE, _copied_files(), _COPY_HEADER)
    return json.dumps({"ndks_backup": 1, "sealed": base64.b64encode(sealed).decode()}).encode()


# Changes


def _content(script: Script, real: bytes) -> bytes:
    """What is in the file: anything, or the real content with bytes or values changed."""
    what = script.byte()
    if what & 3 == 0:
        return script.rest()
    content = real
    for _ in range(what >> 4):
        content = _spliced(content, script) if what & 3 == 1 else _with_another_value(content, script)
    return content


def _spliced(content: bytes, script: Script) -> bytes:
    start, removed = script.number(2) % (len(content) + 1), script.byte()
    return content[:start] + script.take(script.byte() & 15) + content[start + removed :]


def _with_another_value(content: bytes, script: Script) -> bytes:
    """JSON in which one value, or one name, is another, or is missing."""
    try:
        tree: Any = json.loads(content)
    except (ValueError, RecursionError):
        return _spliced(content, script)
    holders = [holder for holder in _holders(tree) if holder]
    if not holders:
        return script.one_of(_VALUES).encode()
    holder = script.one_of(holders)
    key = script.one_of(list(holder) if isinstance(holder, dict) else range(len(holder)))
    change = script.byte() % 8
    if change == 0:
        del holder[key]
    elif change == 1 and isinstance(holder, dict):
        holder[script.take(script.byte() & 15).decode(errors="replace")] = holder.pop(key)
    elif change == 2 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        marker = "\N{BLACK STAR}"
        holder[key] = marker
        return json.dumps(tree).replace(json.dumps(marker), script.one_of(_VALUES), 1).encode()
    return json.dumps(tree).encode()


def _holders(tree: Any) -> list[Any]:
    """All that holds other values, the outermost first."""
    if isinstance(tree, dict):
        return [tree, *(holder for value in tree.values() for holder in _holders(value))]
    if isinstance(tree, list):
        return [tree, *(holder for value in tree for holder in _holders(value))]
    return []


def seeds() -> Iterator[bytes]:
    for target in range(len(_TARGETS)):
        yield bytes([target, 1])
        for value in range(len(_VALUES)):
            for key in {value % 12, 4}:
                yield bytes([target, 0x12, value % 3, key, 7, value])
        for key in range(12):
            yield bytes([target, 0x12, 0, key, 0])
            yield bytes([target, 0x11, key, 9 * key, 1, 1, 0x39])
    for target, content in enumerate((_network_json(), _unit_json(), _sealed_copy(), _copied_files())):
        yield bytes([target, 0]) + content
    yield bytes([5, 0]) + words.to_words(_CODE).encode()
