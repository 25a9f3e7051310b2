# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules of arbitrary bytes, opened offline, by a unit in mode b, and in mode a: all three must agree."""

import hashlib
import io

from capsule_reference import Message, chunk, derive, masked_header, suite_network
from conversation import FIRST, OWN_LANE
from hosts.capsules import chunks_of, opener_of
from hypothesis import given
from hypothesis import strategies as st
from support.public_network import public_network
from support.reference import load_vectors

from fuzz.bench import Bench, bound_bench
from fuzz.fuzzing import FUZZED, altered, bounded, byte
from ndks.driver.offline_capsules import unseal_offline
from ndks.exceptions import DeviceError
from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHUNK, TAG_SIZE
from ndks_protocol.commands import WIRE_HEADER_SIZE

NETWORK = suite_network()
UNIT_ALONE = (  # what a unit knows beside the network's secret
    *(errors.RANGE, errors.REFLECTED, errors.DUPLICATE, errors.TOO_OLD, errors.TOO_FAR, errors.SENDERS),
)
OWN = [
    Message(NETWORK, bytes([1, 1, cipher, 0, 0, 0, 3]) + bytes(5) + bytes([9]) + bytes(8), bytes(size)).capsule
    for cipher in (0, 1)
    for size in (0, 40, 1008, 1030)
]
PUBLISHED = [
    bytes.fromhex(each.get("capsule", "")) for kind in ("good", "bad") for each in load_vectors("capsules")[kind]
]

whole = st.sampled_from(OWN + [capsule for capsule in PUBLISHED if 0 < len(capsule) < 4096])
salts = st.sampled_from((bytes(8), b"saltsalt"))
lanes = st.sampled_from((3, 3, 9, OWN_LANE, 0, 0xFFFF))
numbers = st.sampled_from((1, 2, 300, (1 << 20) + 1, (1 << 48) - 1, 0))
bodies = st.binary(max_size=64) | st.sampled_from((bytes(CHUNK), bytes(CHUNK - 1)))


def usual(value: int) -> st.SearchStrategy[int]:
    return st.sampled_from([True] * 7 + [False]).flatmap(lambda is_usual: st.just(value) if is_usual else byte)


def clear_header(suite: int, cipher: int, kind: int, zero: int, index: int, salt: bytes) -> bytes:
    return bytes([1, suite, cipher, kind, zero]) + index.to_bytes(8) + salt


# In the clear; some of no capsule that there can be
indices = st.builds(lambda lane, number: lane << 48 | number, lanes, numbers)
headers = st.builds(clear_header, usual(1), usual(1), usual(0), usual(0), indices, salts)


def forged(clear: bytes, parts: list[bytes]) -> bytes:
    """Draw chunks of any content with correct tags, usually under a valid header."""
    tag_key = derive(NETWORK.secret, "ndks capsule auth", clear)
    chunks = [chunk(tag_key, i, int(i == len(parts) - 1), body) for i, body in enumerate(parts)]
    return masked_header(NETWORK.secret, clear) + b"".join(chunks)


def sealed(clear: bytes, data: bytes, binding_id: bytes, *, is_paper_right: bool) -> bytes:
    """Draw a correct capsule, sometimes with other paper bits or another binding."""
    if clear[1] > 1 or clear[2] > 1:
        return masked_header(NETWORK.secret, clear)
    paper = None if is_paper_right else hashlib.shake_128(data).digest(len(data) + 32)
    return Message(NETWORK, clear, data, binding_id, paper).capsule


made = st.builds(
    sealed, headers, bodies, st.sampled_from((bytes(16), FIRST.id)), is_paper_right=st.sampled_from((True, True, False))
)
parts = whole | altered(whole) | made | altered(made) | st.builds(forged, headers, st.lists(bodies, max_size=2))
capsules = st.lists(parts, min_size=1, max_size=2).map(b"".join) | st.binary(max_size=200)

Verdict = tuple[int, bytes]  # code of the error, 0 for none; what came out


@FUZZED
@given(st.data(), capsules, st.sampled_from((0, 1, 2, 3, 4, 255)))
def test_capsules(data: st.DataObject, capsule: bytes, flags: int) -> None:
    with bounded(data.draw, 4_000_000):
        offline = opened_offline(capsule)
        assert offline[0] in (0, *errors.TABLE)
        for mode in "ba" if len(capsule) >= WIRE_HEADER_SIZE else "":
            bench = bound_bench()
            bench.open_session()
            verdict = opened_by_unit(bench, capsule, flags, mode)
            if verdict[0] not in UNIT_ALONE:
                assert verdict == offline, f"mode {mode} gives {verdict}, offline gives {offline}"
            check_acceptance(bench, capsule[:WIRE_HEADER_SIZE], verdict[0])


def opened_offline(capsule: bytes) -> Verdict:
    sink = io.BytesIO()
    try:
        opened = unseal_offline(public_network(), io.BytesIO(capsule), sink, int)
    except DeviceError as error:  # anything else is a finding
        return error.number, b""
    assert opened.size == len(sink.getvalue())
    return 0, sink.getvalue()


def opened_by_unit(bench: Bench, capsule: bytes, flags: int, mode: str) -> Verdict:
    try:
        open_chunk, data = opener_of(bench.ask, capsule[:WIRE_HEADER_SIZE], flags, mode), b""
        for part in chunks_of(capsule):
            if len(part[2]) <= TAG_SIZE:
                return errors.AUTH, b""  # says the host
            data += open_chunk(*part)
        return 0, data
    except errors.UnitError as error:
        return error.code, b""


def check_acceptance(bench: Bench, header: bytes, code: int) -> None:
    """Check that an opened message can be accepted once, and is then not opened again."""
    accepted = bench.code_of(commands.ACCEPT, header, 1)
    if code == 0:
        assert accepted == 0
    if accepted == 0:
        assert bench.code_of(commands.OPEN_BEGIN, header, commands.ALLOW_JUMP) == errors.DUPLICATE
        assert bench.code_of(commands.ACCEPT, header, 0) == 0
