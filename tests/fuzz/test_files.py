# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that the host reads, with any bytes and with altered JSON: networks, files of joining, bindings, copies, codes.

A refused file leaves every other file unchanged.
"""

import contextlib
import functools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from conversation import FIRST
from hypothesis import given
from hypothesis import strategies as st

from fuzz.files import (
    CODE,
    COUNTERS_FILE,
    DISK,
    OTHER_SERIAL,
    SERIAL,
    UNIT_FILE,
    bindings,
    content,
    copied_files,
    files_in,
    known_hello,
    network_json,
    published,
    sealed_copy,
    store_in,
    with_code,
)
from fuzz.fuzzing import FUZZED, Draw, bounded
from ndks.confinement.compare import compare
from ndks.confinement.key_checks import checks_of
from ndks.confinement.record import KeyRecord, MessageRecord, Record
from ndks.exceptions import NdksError
from ndks.laptop import backup, words
from ndks.laptop.bindings import BindingStore
from ndks.network.admission import admit_by_request, admit_unit, note_binding
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import JoinRequest
from ndks.network.network_file import Network
from ndks_protocol import commands


def network(directory: Path, draw: Draw) -> None:
    path = directory / "test.ndksnet"
    path.write_bytes(content(draw, network_json()))
    is_refused = refused(directory, lambda: Network.load(path))
    if not is_refused:
        loaded = Network.load(path)
        loaded.save(path)
        assert Network.load(path) == loaded
        names = loaded.secret, loaded.name, loaded.p1, loaded.p2, *loaded.operators
        commands.PROVISION.request.pack(bytes(32), loaded.epoch, 1, 0, 0, loaded.digits, *names)
        for member in loaded.members:
            assert loaded.member(member.lane) == member
            assert len(loaded.binding_id(member.lane)) in (0, 16)
    assert refused(directory, lambda: admit_unit(path, SERIAL, "label")) >= is_refused
    assert refused(directory, lambda: note_binding(path, 1, FIRST.id.hex())) >= is_refused


def join_request(directory: Path, draw: Draw) -> None:
    path, network_file = directory / "request", directory / "test.ndksnet"
    path.write_bytes(content(draw, published("request")))
    network_file.write_bytes(network_json())
    if not refused(directory, lambda: JoinRequest.load(path)):
        request = JoinRequest.load(path)
        assert (request.network + request.label + request.date).isprintable()
        assert len(request.words.split()) == 6
        if not refused(directory, lambda: admit_by_request(network_file, request)):
            assert Network.load(network_file).members[-1].serial_number == request.serial_number


def join_package(directory: Path, draw: Draw) -> None:
    path = directory / "package"
    path.write_bytes(content(draw, published("package")))
    if not refused(directory, lambda: JoinPackage.load(path)):
        package = JoinPackage.load(path)
        assert (package.network + package.date).isprintable()
        refused(directory, lambda: package.check_unit(SERIAL))
        refused(directory, lambda: package.check_unit(package.serial_number))
        commands.PROVISION_SEALED.request.pack(bytes(32), package.sealed)


def unit_file(directory: Path, draw: Draw) -> None:
    store = store_in(directory)
    real = draw(st.sampled_from((bindings()[UNIT_FILE], with_code())))
    (directory / UNIT_FILE).write_bytes(content(draw, real))
    use(directory, store)


def host_secret(directory: Path, draw: Draw) -> None:
    store = store_in(directory)
    (directory / "host_secret").write_bytes(content(draw, b"ab" * 32))
    use(directory, store)


def counters_file(directory: Path, draw: Draw) -> None:
    """For any content of the file, a new minimum is written and read back."""
    store = store_in(directory)
    (directory / COUNTERS_FILE).write_bytes(content(draw, bindings()[COUNTERS_FILE]))
    store.minimum_counters(known_hello()).note(0, message_counter=7, exported=9)
    minimum = store.minimum_counters(known_hello()).of(0)
    assert minimum.message_counter >= 7
    assert minimum.exported >= 9


def copy(directory: Path, draw: Draw) -> None:
    """Draw a copy, usually with an altered seal."""
    store = store_in(directory)
    altered_copy = content(draw, sealed_copy(copied_files()))
    code = draw(st.sampled_from((CODE, bytes(32))))
    refused(directory, lambda: backup.restore(store, altered_copy, code, overwrite=True))
    refused(directory, lambda: backup.restore(store, altered_copy, CODE, overwrite=False))
    use(directory, store)


def copy_of_anything(directory: Path, draw: Draw) -> None:
    """Draw a copy that is sealed with the correct code but has invalid content."""
    store = store_in(directory)
    sealed = sealed_copy(content(draw, copied_files()))
    refused(directory, lambda: backup.restore(store, sealed, CODE, overwrite=True))
    assert {name.partition("/")[0] for name in files_in(directory)} <= {"host_secret", "units", "counters"}
    use(directory, store)


def typed_words(directory: Path, draw: Draw) -> None:
    text = content(draw, words.to_words(CODE).encode()).decode(errors="replace")
    if not refused(directory, lambda: words.from_words(text)):
        code = words.from_words(text)
        assert words.from_words(words.to_words(code)) == code


def use(directory: Path, store: BindingStore) -> None:
    """Do everything that a session and `ndks bind` do with the bindings."""
    known = known_hello()
    is_refused = refused(directory, lambda: store.unit(SERIAL))
    if not is_refused:
        commands.UNLOCK.request.pack(bytes(32), store.minimum_counters(known).of(0).message_counter, 0)
    for step in (
        lambda: store.knows(known),
        lambda: store.code(known),
        lambda: store.keys(known),
        lambda: store.finish(known),
        lambda: store.minimum_counters(known).note(0, message_counter=5),
        lambda: store.begin(known, with_network=True),
        store.export,
        lambda: backup.seal(store),
    ):
        refused(directory, step)
    if not refused(directory, lambda: store.unit(SERIAL)):
        unit = store.unit(SERIAL)
        store._save(unit)
        assert store.unit(SERIAL) == unit


def refused(directory: Path, what: Callable[[], object]) -> bool:
    """Return whether an operation is refused; check that the error is an NdksError, and that no file was changed."""
    before = files_in(directory)
    refusal = None
    try:
        what()
    except NdksError as error:
        refusal = error
    assert refusal is None or (str(refusal) and refusal.advice)
    assert refusal is None or files_in(directory) == before, "what was refused has changed a file"
    return refusal is not None


@functools.cache
def confinement_record() -> Record:
    """Return a record as of a unit."""
    keys = tuple(KeyRecord(index, checks_of(bytes(32), index)) for index in (1, 2, 1 << 47))
    messages = MessageRecord("ab" * 32, "cd" * 16, 2, 7, "ef" * 8), MessageRecord("ba" * 32, "dc" * 16, error="AUTH")
    ids, date = ("01" * 8, "02" * 8), "2026-11-28T21:32:30+00:00"
    return Record(SERIAL, "office", *ids, 4, 1, "hybrid", 3, "sinusoid", "cosine", date, 1, 256, keys, messages)


def confinement(directory: Path, draw: Draw) -> None:
    path, again = directory / "record", directory / "again"
    confinement_record().save(again)
    path.write_bytes(content(draw, again.read_bytes()))
    read: list[Record] = []
    if not refused(directory, lambda: read.append(Record.load(path))):
        read[0].save(again, overwrite=True)
        assert Record.load(again) == read[0]
        with contextlib.suppress(NdksError):  # two records of one unit
            assert compare([read[0], replace(confinement_record(), serial_number=OTHER_SERIAL)])


TARGETS = (
    confinement,
    network,
    join_request,
    join_package,
    unit_file,
    copy,
    copy_of_anything,
    host_secret,
    typed_words,
    counters_file,
)


@FUZZED
@given(st.data(), st.sampled_from(TARGETS))
def test_files(data: st.DataObject, target: Callable[[Path, Draw], None]) -> None:
    with bounded(data.draw, 4_000_000), tempfile.TemporaryDirectory(dir=DISK) as name:
        target(Path(name), data.draw)
