# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bundles, asks, pieces, messages, reports, vouchers and symbols: golden vectors, and any against the reference."""

import contextlib
from random import Random
from typing import Any

import ed25519_reference
import network_reference as reference
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks.agent.packets import (
    Ask,
    BadPacket,
    Message,
    Report,
    Voucher,
    digest_of,
    parse_housekeeping,
    parse_message,
)
from ndks.agent.pieces import Assembly, split
from ndks.exceptions import BadSymbols
from ndks.network.bundle import NONE, BadBundle, Bundle, pack_ask, parse_ask
from ndks.symbols.symbols import Symbols, marked, unmarked

BUNDLES = load_vectors("bundles")
HOUSEKEEPING = load_vectors("housekeeping")
SIGNING_KEY = bytes.fromhex(BUNDLES["signing_key"])
SEED = bytes.fromhex(load_vectors("network_keys")["signing_seed"])

numbers = st.integers(1, (1 << 48) - 1)


def known(g: int) -> int:
    return -1 if g == NONE else g


def checked(content: bytes) -> Bundle:
    bundle = Bundle.parse(content)
    if not bundle.is_signed_by(SIGNING_KEY):
        raise BadBundle
    return bundle


@pytest.mark.parametrize("case", BUNDLES["good"], ids=lambda case: case["g"])
def test_published_bundles(case: dict[str, Any]) -> None:
    bundle = checked(bytes.fromhex(case["bundle"]))
    notices = tuple((bytes.fromhex(hint), bytes.fromhex(notice)) for _, hint, notice in case["notices"])
    assert (bundle.g, bundle.previous) == (case["g"], known(case["previous"]))
    assert (bundle.notices, bundle.record.hex()) == (notices, case["record"])
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    made = Bundle.signed(key, bundle.g, bundle.previous, list(notices), bundle.record)
    assert made.content.hex() == case["bundle"]
    for hint, notice in notices:
        assert bundle.notices_for(hint) == [notice]


@pytest.mark.parametrize("case", BUNDLES["bad"], ids=lambda case: case["why"])
def test_published_bad_bundles(case: dict[str, str]) -> None:
    with pytest.raises(BadBundle):
        checked(bytes.fromhex(case["bundle"]))


@pytest.mark.parametrize(("g", "packet"), BUNDLES["asks"])
def test_published_asks_for_bundles(g: int, packet: str) -> None:
    assert pack_ask(known(g)).hex() == packet
    assert parse_ask(bytes.fromhex(packet)) == known(g)
    for other in (packet[:-2], packet + "00", "40" + packet[2:]):
        with pytest.raises(BadBundle):
            parse_ask(bytes.fromhex(other))


@pytest.mark.parametrize("pieces", BUNDLES["pieces"], ids=len)
def test_published_pieces(pieces: list[str]) -> None:
    packet = bytes.fromhex(BUNDLES["packet"])
    size = len(pieces[0]) // 2 - 13
    assert [piece.hex() for piece in split(packet, size)] == pieces
    shuffled = [bytes.fromhex(piece) for piece in pieces + pieces[:1]]
    Random(1).shuffle(shuffled)
    assembly = Assembly(1 << 20)
    assert [whole for whole in map(assembly.add, shuffled) if whole] == [packet]


@pytest.mark.parametrize("case", BUNDLES["bad_pieces"], ids=lambda case: case["why"])
def test_published_bad_pieces(case: dict[str, str]) -> None:
    assert Assembly(1 << 20).add(bytes.fromhex(case["piece"])) == b""


@pytest.mark.parametrize("case", BUNDLES["ed25519"], ids=lambda case: case["message"][:8])
def test_published_signatures(case: dict[str, str]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["seed"]))
    message = bytes.fromhex(case["message"])
    assert key.public_key().public_bytes_raw().hex() == case["public"]
    assert key.sign(message).hex() == case["signature"]
    ours = ed25519_reference.signature(bytes.fromhex(case["seed"]), message)
    assert ours.hex() == case["signature"]


def test_published_messages() -> None:
    for case in HOUSEKEEPING["messages"]:
        message = Message(case["s"], case["content"], bytes.fromhex(case["bytes"]))
        assert message.packed().hex() == case["data"]
        assert parse_message(bytes.fromhex(case["data"])) == message


def test_published_housekeeping() -> None:
    digest = digest_of(bytes.fromhex(HOUSEKEEPING["capsule"]))
    known = [Report(case["first"], case["last"], as_starts(case["starts"])) for case in HOUSEKEEPING["reports"]]
    known += [Voucher(case["s"], digest) for case in HOUSEKEEPING["vouchers"]]
    known += [Ask(case["lane"], tuple(case["s"])) for case in HOUSEKEEPING["asks"]]
    published = [case["data"] for name in ("reports", "vouchers", "asks") for case in HOUSEKEEPING[name]]
    assert [each.packed().hex() for each in known] == published
    assert [parse_housekeeping(bytes.fromhex(data)) for data in published] == known


def as_starts(starts: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((g, s) for g, s in starts)


@pytest.mark.parametrize("case", HOUSEKEEPING["bad_messages"], ids=lambda case: case["why"])
def test_published_bad_messages(case: dict[str, str]) -> None:
    with pytest.raises(BadPacket):
        parse_message(bytes.fromhex(case["data"]))


@pytest.mark.parametrize("case", HOUSEKEEPING["bad_housekeeping"], ids=lambda case: case["why"])
def test_published_bad_housekeeping(case: dict[str, str]) -> None:
    with pytest.raises(BadPacket):
        parse_housekeeping(bytes.fromhex(case["data"]))


@pytest.mark.parametrize(("text", "coded"), HOUSEKEEPING["symbols"], ids=lambda text: text[:8])
def test_published_symbols(text: str, coded: str) -> None:
    symbols = Symbols.decode(bytes.fromhex(coded))
    assert Symbols.parse(text) == symbols
    assert "".join("." * run.nothings + run.text() for run in symbols.runs()) == text


def test_published_symbols_of_a_capsule() -> None:
    for text, data in HOUSEKEEPING["marked_symbols"]:
        assert marked(Symbols.parse(text)).hex() == data
        assert unmarked(bytes.fromhex(data)) == Symbols.parse(text)


def test_published_silences() -> None:
    for count, bits, coded in HOUSEKEEPING["long_silences"]:
        assert Symbols.of_runs([(count, bits)]).coded.hex() == coded
        (run,) = Symbols.decode(bytes.fromhex(coded)).runs()
        assert (run.nothings, run.text()) == (count, bits)


@pytest.mark.parametrize("case", HOUSEKEEPING["bad_symbols"], ids=lambda case: case["why"])
def test_published_bad_symbols(case: dict[str, str]) -> None:
    with pytest.raises(BadSymbols):
        Symbols.decode(bytes.fromhex(case["data"]))


@given(numbers, st.integers(0, 1), st.binary(max_size=50))
def test_any_message(s: int, content: int, data: bytes) -> None:
    packed = reference.message(s, content, data)
    assert parse_message(packed) == Message(s, content, data)
    assert Message(s, content, data).packed() == packed


@given(st.sets(numbers, min_size=1, max_size=17), st.data())
def test_any_report(found: set[int], data: st.DataObject) -> None:
    first, *starts, last = sorted(found | {0, (1 << 48) - 1})
    first += 1
    generations = [(data.draw(st.integers(0, 65534)), s) for s in starts]
    packed = reference.report(first, last, generations)
    assert parse_housekeeping(packed) == Report(first, last, tuple(generations))
    assert Report(first, last, tuple(generations)).packed() == packed


@given(numbers, st.binary(max_size=200), st.integers(1, 0xFFEF), st.lists(numbers, max_size=32))
def test_any_voucher_and_ask(s: int, capsule: bytes, lane: int, wanted: list[int]) -> None:
    assert Voucher(s, digest_of(capsule)).packed() == reference.voucher(s, capsule)
    assert parse_housekeeping(reference.voucher(s, capsule)) == Voucher(s, digest_of(capsule))
    assert Ask(lane, tuple(wanted)).packed() == reference.ask_for(lane, wanted)
    assert parse_housekeeping(reference.ask_for(lane, wanted)) == Ask(lane, tuple(wanted))


@given(st.binary(max_size=80))
def test_any_bytes_are_taken_as_they_are_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadPacket):
        assert parse_housekeeping(data).packed() == data
    with contextlib.suppress(BadPacket):
        assert parse_message(data).packed() == data
    with contextlib.suppress(BadBundle):
        assert Bundle.parse(data).content == data


@given(st.binary(min_size=1, max_size=4000), st.integers(1, 1200))
def test_any_packet_in_pieces(packet: bytes, size: int) -> None:
    pieces = split(packet, size)
    assert pieces == (reference.pieces(packet, size) if len(packet) > size else [packet])
