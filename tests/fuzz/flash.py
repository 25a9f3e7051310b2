# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that starts with anything in flash: real images with bytes changed, records moved or forged, files cut short.

script: an image, then changes, then what is asked. Forged are records of the kinds that whoever has the flash can tag:
the plain ones, and the open ones, whose key lies in the record of the binding.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import flash_reference
from conversation import ERASE, FIRST, MEMBER, SECOND, UID
from flash_reference import BINDING, LOG_SIZE, NVM_SIZE
from support.reference import flash_images, load_vectors

from fuzz.bench import Bench, fuzzed_unit, stranger
from fuzz.script import Script, block
from ndks_emulator import MemoryFlash, MemoryUnit
from ndks_protocol import commands, errors
from ndks_protocol.commands import HELLO, STATUS
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash import records

MOST_MEMORY = 400_000
LARGEST_INPUT = 1024

_PLACES = 3  # nvm and two snapshots
_KEKS = {binding.auth: binding.kek for binding in (FIRST, SECOND)}
_KINDS = (*records.PLAIN, *records.OPEN, records.ERASING)
_MOST_CHANGES = 12

Images = list[bytearray]


def run(data: bytes) -> None:
    script = Script(data)
    flash = MemoryFlash(UID)
    images = [bytearray(image) for image in _images()[script.number(2) % len(_images())]]
    for _ in range(script.byte() % _MOST_CHANGES):
        script.one_of(_CHANGES)(images, script)
    missing = script.byte()  # often all files are there, and can be written
    for place, sector in enumerate((flash.nvm, *flash.snapshots)):
        assert sector
        sector.content[:] = images[place].ljust(NVM_SIZE, b"\xff")[:NVM_SIZE]
        if place and len(images[place]) < NVM_SIZE:
            del sector.content[len(images[place]) :]
        if place and missing >> place & 1:
            flash.snapshots[place - 1] = None
    flash.drive_is_writable = not missing & 1
    _use(fuzzed_unit(flash), script)


def _use(unit: MemoryUnit, script: Script) -> None:
    """Start the unit, and do what an owner does; then start it again."""
    bench = Bench(unit, None, found=_host_of)
    bench.promises.forget()  # whoever writes flash can put an old image back
    for _ in range(2):
        assert bench.send(HELLO.code, b"") == 0
        assert bench.send(STATUS.code, b"") == 0
        bench.open_session()
        if bench.binding is None:
            bench.ask(commands.PROVISION.code, FIRST.secret + MEMBER)
            bench.open_session()
        cut = script.byte()
        bench.unit.power.steps_left = cut if cut & 1 else None
        for command, values in _REQUESTS:
            if script.byte() & 1 == 0:
                bench.ask(command.code, command.request.pack(*values))
        bench.restart()
    _give_up(bench)


def _give_up(bench: Bench) -> None:
    """Whatever is in flash, its owner can erase it and begin again."""
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
        assert bench.send(commands.PROVISION.code, FIRST.secret + MEMBER) == 0


_REQUESTS: tuple[tuple[commands.Command, tuple[Any, ...]], ...] = (
    (STATUS, ()),
    (commands.NEXT_INDEX, ()),
    (commands.ACKNOWLEDGE, (0, 1, 1)),
    (commands.ACKNOWLEDGE, (0, 3, 1)),
    (commands.SEAL_BEGIN, (b"token 01", 1, 0, bytes(8))),
    (commands.TRUST, (3, bytes(range(16)))),
    (commands.BIND, (SECOND.secret,)),
    (commands.CLOSE, (1,)),
)


def _host_of(firmware: Dispatcher) -> Any:
    """Who has the binding that is in flash; of one that was forged, nobody knows the rest."""
    binding = firmware.state.binding
    return binding and stranger(binding.auth, _KEKS.get(binding.auth, FIRST.kek), binding.id)


# Images


@functools.cache
def _images() -> list[list[bytes]]:
    """nvm and snapshots of units that are blank, bound, erased, or were cut in between."""
    vectors = load_vectors("flash")
    described = [step["flash"] for step in vectors["steps"] if "flash" in step]
    described += [vectors["interrupted_binding"]["before"]]
    described += [erasure["before"] for erasure in vectors["interrupted_erasures"].values()]
    blank = {"nvm": [], "snapshots": [[], []]}
    return [flash_images(each) for each in (blank, *described)]


# Changes


def _write(images: Images, script: Script) -> None:
    place, offset, content = script.byte() % _PLACES, script.number(2) % NVM_SIZE, script.block()
    images[place][offset : offset + len(content)] = content
    del images[place][NVM_SIZE:]


def _flip(images: Images, script: Script) -> None:
    image, offset = images[script.byte() % _PLACES], script.number(2) % NVM_SIZE
    image[offset % max(1, len(image)) : offset % max(1, len(image)) + 1] = bytes([script.byte()])


def _fill(images: Images, script: Script) -> None:
    place, start, size = script.byte() % _PLACES, script.number(2) % NVM_SIZE, script.number(2)
    end = min(start + size, len(images[place]))
    images[place][start:end] = bytes([script.byte()]) * max(0, end - start)


def _copy(images: Images, script: Script) -> None:
    """A part of one place to another, whole records mostly."""
    source, target = script.byte() % _PLACES, script.byte() % _PLACES
    start, to, size = (16 * (script.number(2) % 256) for _ in range(3))
    part = images[source][start : start + size]
    images[target][to : to + len(part)] = part
    del images[target][NVM_SIZE:]


def _cut(images: Images, script: Script) -> None:
    del images[1 + script.byte() % 2][script.number(2) % NVM_SIZE :]


def _make_whole(images: Images, script: Script) -> None:
    """The snapshot's digest is right again."""
    image = images[1 + script.byte() % 2]
    image[:] = image[:LOG_SIZE].ljust(LOG_SIZE, b"\xff")
    image += hashlib.sha256(image).digest()


def _forge(images: Images, script: Script) -> None:
    place, offset = script.byte() % _PLACES, 16 * (script.number(2) % 256)
    kind, sequence = script.one_of(_KINDS), script.number(4)
    body = script.block()[:NVM_SIZE]
    record = flash_reference.record(kind, sequence, body, _binding_in(images[0]))
    images[place][offset : offset + len(record)] = record
    del images[place][NVM_SIZE:]
    if place and script.byte() & 1 == 0:
        image = images[place].ljust(NVM_SIZE, b"\xff")
        images[place][:] = flash_reference.snapshot(bytes(image))


def _binding_in(nvm: bytearray) -> Any:
    """The owner's, by what nvm says."""
    for binding in (FIRST, SECOND):
        if binding.auth in nvm:
            return binding
    return FIRST


_CHANGES: tuple[Callable[[Images, Script], None], ...] = (_forge, _flip, _write, _copy, _fill, _cut, _make_whole)


def seeds() -> Iterator[bytes]:
    for number in range(len(_images())):
        yield number.to_bytes(2) + bytes(3)
    bodies = {
        records.STATE_FORMAT: b"\3" + bytes(4),
        records.TAMPERED: b"\1",
        BINDING: SECOND.auth + bytes(16) + SECOND.id + b"\3\0",
        records.ERASING: b"\1",
        records.WRONG_ATTEMPTS: bytes(4),
        records.BOOTS: bytes(8),
    }
    for number in range(1, len(_images()), 9):
        for kind in range(len(_KINDS)):
            body = bodies.get(_KINDS[kind], bytes(12))
            for offset in (0, 200, 254):
                where = bytes([0, 0, offset, kind, 0, 0, 2, 0])
                yield number.to_bytes(2) + bytes([1, 0]) + where[1:] + block(body) + bytes(3)
        for change in range(1, len(_CHANGES)):
            yield number.to_bytes(2) + bytes([2, change, 1, 0, 16, 0, 0, 0, 64, 6, 0, 0])
