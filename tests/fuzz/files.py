# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Real files that the host reads, and what a fuzzer makes of them."""

import base64
import functools
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from conversation import FIRST
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import strategies as st
from support.public_network import public_network
from support.reference import load_vectors

from fuzz.fuzzing import Draw, altered
from ndks.driver.answers import Hello
from ndks.laptop.bindings import BindingStore
from ndks.network.network_file import Member

SERIAL, OTHER_SERIAL = "0011223344556677", "AABBCCDDEEFF0011"
UNIT_FILE, COUNTERS_FILE = f"units/{SERIAL}.json", f"counters/{SERIAL}.json"
CODE = bytes(range(32))
MARKER = "\N{BLACK STAR}"
VALUES = (  # what takes the place of a value
    *("null", "true", "0", "1", "-1", "2", "1.5", "NaN", "Infinity", "-Infinity", "1e999", "1" * 30, "9" * 5000),
    *('""', '"x"', '"0"', '"\\ud800"', '"\\u0000"', '"\\n"', '"' + "9" * 100 + '"', "[]", "{}", "[[]]", "[null]"),
    *('[["a", "b"]]', '[["a"]]', '[{"lane": 1}]', '{"f1": "sinusoid", "f2": "cosine"}', "[" * 2000, '"vernam"'),
    *(str(2**16), str(2**32), str(2**48), str(2**64), str(-(2**64)), '"ffffffffffffffffffffffffffffffff"', "65535"),
)
DISK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # in memory where there is such: every file is synced


@functools.cache
def bindings() -> dict[str, bytes]:
    """Return the bindings of a laptop with two units, made by the store itself."""
    with tempfile.TemporaryDirectory(dir=DISK) as name:
        store = BindingStore(Path(name), look)
        for serial in (SERIAL, OTHER_SERIAL):
            store.begin(hello(serial), with_network=False)
            store.minimum_counters(hello(serial)).note(0, message_counter=3)
        # The same bytes in every process, so that a finding comes again.
        (Path(name) / "host_secret").write_bytes(b"5a" * 32 + b"\n")
        for serial in (SERIAL, OTHER_SERIAL):
            store.begin(hello(serial), with_network=False)
        return files_in(Path(name))


def look(*, with_network: bool) -> tuple[tuple[str, str], ...]:
    return ("board", "Maker Model"), ("machine", "0123"), ("mac", "00:11:22:33:44:55")


def hello(serial: str = SERIAL, binding_id: str = "") -> Hello:
    return Hello(2, 0, "0.1.0", 3, "locked", [], serial, "11" * 16, binding_id, 1120, 10, 256, 1)


@functools.cache
def known_hello() -> Hello:
    return hello(binding_id=json.loads(bindings()[UNIT_FILE])["bindings"][0]["binding_id"])


@functools.cache
def network_json() -> bytes:
    members = (Member(1, SERIAL, "alice"), Member(2, OTHER_SERIAL, "bob", FIRST.id.hex()))
    with tempfile.TemporaryDirectory(dir=DISK) as name:
        replace(public_network(), next_lane=3, members=members).save(Path(name) / "network")
        return (Path(name) / "network").read_bytes()


@functools.cache
def with_code() -> bytes:
    """Return the file of a unit that was provisioned at this laptop, and not bound yet."""
    return json.dumps(json.loads(bindings()[UNIT_FILE]) | {"transport_code": CODE.hex()}).encode()


def published(kind: str) -> bytes:
    """Return the first request or package of the vectors."""
    return next(case["text"] for case in load_vectors("joining_files")["good"] if case["kind"] == kind).encode()


@functools.cache
def copied_files() -> bytes:
    """Return the files of an earlier time, with another secret."""
    files = bindings() | {"host_secret": b"77" * 32 + b"\n"}
    return json.dumps({name: base64.b64encode(content).decode() for name, content in files.items()}).encode()


def sealed_copy(content: bytes) -> bytes:
    sealed = AESGCM(CODE).encrypt(bytes(12), content, b"ndks backup 1")
    return json.dumps({"ndks_backup": 1, "sealed": base64.b64encode(sealed).decode()}).encode()


def content(draw: Draw, real: bytes) -> bytes:
    """Draw a file's content: anything, or the real content with bytes or values changed."""
    how = draw(st.sampled_from(("values", "values", "values", "bytes", "none", "anything")))
    if how == "anything":
        return draw(st.binary())
    if how == "bytes":
        return draw(altered(st.just(real)))
    for _ in range(draw(st.integers(1, 4)) if how == "values" else 0):
        real = with_another_value(draw, real)
    return real


def with_another_value(draw: Draw, text: bytes) -> bytes:
    """Draw JSON in which one value or name is changed or missing."""
    try:
        tree: Any = json.loads(text)
    except (ValueError, RecursionError):
        return draw(altered(st.just(text)))
    holders = [holder for holder in holders_in(tree) if holder]
    if not holders:
        return draw(st.sampled_from(VALUES)).encode()
    holder = draw(st.sampled_from(holders))
    key = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
    change = draw(st.sampled_from(("removed", "renamed", "another", "another", "another")))
    if change == "another":
        holder[key] = MARKER
        return json.dumps(tree).replace(json.dumps(MARKER), draw(st.sampled_from(VALUES)), 1).encode()
    value = holder.pop(key)
    if change == "renamed" and isinstance(holder, dict):
        holder[draw(st.text(max_size=8))] = value
    elif change == "renamed":
        holder += [value, value]
    return json.dumps(tree).encode()


def holders_in(tree: Any) -> list[Any]:
    """Return all lists and objects in a value, the outermost first."""
    values = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return [] if values is None else [tree, *(holder for value in values for holder in holders_in(value))]


def store_in(directory: Path) -> BindingStore:
    for name, text in bindings().items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        path.chmod(0o600)
    return BindingStore(directory, look)


def files_in(directory: Path) -> dict[str, bytes]:
    files = [path for path in directory.rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}
