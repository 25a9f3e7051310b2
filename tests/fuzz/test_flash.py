# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that starts with arbitrary flash: real images with changed bytes, moved or forged records, shortened files.

The forged records are of the kinds that anyone with the flash can tag: plain ones, and open ones, whose key is in the
record of the binding.
"""

import functools
import hashlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import flash_reference
from conversation import ERASE, FIRST, SECOND, UID
from flash_reference import LOG_SIZE, NVM_SIZE
from hypothesis import given
from hypothesis import strategies as st
from support.reference import flash_images, load_vectors

from fuzz.bench import PRIVATE, PUBLIC, Bench, fuzzed_unit
from fuzz.fuzzing import FUZZED, Draw, bounded, byte, flag, place
from ndks_emulator import MemoryFlash
from ndks_protocol import commands, errors
from ndks_protocol.commands import HELLO, STATUS
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash import records

KEKS = {binding.auth: binding.kek for binding in (FIRST, SECOND)}
BODIES = (  # those that fit, and others
    *(b"\3" + bytes(4), b"\1", SECOND.auth + bytes(16) + SECOND.id + b"\3\0", bytes(4), bytes(8), bytes(12), b""),
    *(b"\xff" * 8, b"\3" + b"\xff" * 4, PRIVATE + PUBLIC),
)
REQUESTS: tuple[tuple[commands.Command, tuple[Any, ...]], ...] = (
    (STATUS, ()),
    (commands.NEXT_INDEX, ()),
    (commands.ACKNOWLEDGE, (0, 1, 1)),
    (commands.ACKNOWLEDGE, (0, 3, 1)),
    (commands.SEAL_BEGIN, (b"token 01", 1, 0, bytes(8))),
    (commands.TRUST, (3, bytes(range(16)))),
    (commands.BIND, (SECOND.secret,)),
    (commands.JOINING_KEY, ()),
    (commands.CLOSE, (1,)),
)
Images = list[bytearray]  # nvm and two snapshots

which = st.integers(0, 2)
snapshot = st.integers(1, 2)
kinds = st.sampled_from((*records.PLAIN, *records.OPEN, records.JOINING_KEY, records.ERASING))
sequences = st.sampled_from((0, 1, 1000, 0xFFFFFFFF)) | st.integers(0, 0xFFFFFFFF)
aligned = st.integers(0, 255).map(lambda line: 16 * line)
contents = st.binary(max_size=64) | st.builds(lambda value, size: bytes([value]) * size, byte, place)


@functools.cache
def known_images() -> list[list[bytes]]:
    """Return images of units that are blank, bound or erased, or whose power was cut in between."""
    vectors = load_vectors("flash")
    described = [step["flash"] for step in vectors["steps"] if "flash" in step]
    described += [vectors["interrupted_binding"]["before"]]
    described += [erasure["before"] for erasure in vectors["interrupted_erasures"].values()]
    return [flash_images(each) for each in ({"nvm": [], "snapshots": [[], []]}, *described)]


def put(image: bytearray, offset: int, content: bytes) -> None:
    image[offset : offset + len(content)] = content
    del image[NVM_SIZE:]


def write(images: Images, draw: Draw) -> None:
    put(images[draw(which)], draw(place), draw(contents))


def flip(images: Images, draw: Draw) -> None:
    image, offset = images[draw(which)], draw(place)
    if image:
        image[offset % len(image)] ^= draw(byte)


def move(images: Images, draw: Draw) -> None:
    """Copy a part of one place to another, usually whole records."""
    start, size = draw(aligned), draw(aligned)
    put(images[draw(which)], draw(aligned), images[draw(which)][start : start + size])


def cut(images: Images, draw: Draw) -> None:
    del images[draw(snapshot)][draw(place) :]


def make_whole(images: Images, draw: Draw) -> None:
    """Make the digest of a snapshot correct again."""
    image = images[draw(snapshot)]
    image[:] = image[:LOG_SIZE].ljust(LOG_SIZE, b"\xff")
    image += hashlib.sha256(image).digest()


def forge(images: Images, draw: Draw) -> None:
    number, body = draw(which), draw(st.sampled_from(BODIES) | st.binary(max_size=300))
    owner = next((binding for binding in (FIRST, SECOND) if binding.auth in images[0]), FIRST)
    put(images[number], draw(aligned), flash_reference.record(draw(kinds), draw(sequences), body, owner))
    if number and draw(flag):
        images[number][:] = flash_reference.snapshot(bytes(images[number].ljust(NVM_SIZE, b"\xff")))


changes = st.lists(st.sampled_from((forge, forge, forge, flip, write, move, cut, make_whole)), max_size=6)


@FUZZED
@given(st.data(), st.sampled_from(range(len(known_images()))), changes)
def test_flash(data: st.DataObject, number: int, changes: list[Callable[[Images, Draw], None]]) -> None:
    with bounded(data.draw, 1_500_000):
        images = [bytearray(image) for image in known_images()[number]]
        for change in changes:
            change(images, data.draw)
        flash = MemoryFlash(UID)
        flash.nvm.content[:] = images[0].ljust(NVM_SIZE, b"\xff")
        for slot, image in enumerate(images[1:]):
            flash.snapshots[slot].content[:] = image
            if data.draw(st.sampled_from([False] * 7 + [True])):
                flash.snapshots[slot] = None
        flash.drive_is_writable = data.draw(st.sampled_from([True] * 7 + [False]))
        live(Bench(fuzzed_unit(flash), None, found=host_of), data.draw)


def host_of(firmware: Dispatcher) -> Any:
    """Return the binding in flash, or None. The KEK of a forged binding is unknown; that of FIRST takes its place."""
    binding = firmware.state.binding
    return binding and SimpleNamespace(auth=binding.auth, kek=KEKS.get(binding.auth, FIRST.kek), id=binding.id)


def live(bench: Bench, draw: Draw) -> None:
    """Use the unit as its owner does, then restart it."""
    bench.promises.forget()  # anyone who can write flash can restore an old image
    for _ in range(2):
        assert bench.send(HELLO.code, b"") == 0
        assert bench.send(STATUS.code, b"") == 0
        bench.open_session()
        if bench.binding is None:
            if draw(flag):
                bench.code_of(commands.JOINING_KEY)
            bench.provision()
            bench.open_session()
        bench.unit.power.steps_left = draw(st.none() | byte)
        for command, values in draw(st.lists(st.sampled_from(REQUESTS), max_size=8)):
            bench.code_of(command, *values)
        bench.restart()
    give_up(bench)


def give_up(bench: Bench) -> None:
    """Check that the owner can erase the unit and provision it again, with any content of flash."""
    flags = bench.firmware.state.flags
    code = bench.send(commands.ZEROIZE.code, ERASE)
    if flags & commands.NEWER_STATE:
        assert code == errors.STATE_FORMAT
    elif flags & commands.READ_ONLY:
        assert code == errors.STORAGE
    else:
        assert (code, bench.firmware.state.lifecycle) == (0, commands.STATE_BLANK)
        bench.restart()
        assert bench.firmware.state.lifecycle == commands.STATE_BLANK
        assert bench.provision() == 0
