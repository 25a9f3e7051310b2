# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Headers with kinds and numbers, beacons and notices: golden vectors, and any of them against the reference."""

import contextlib
from typing import Any

import network_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_reference import Generation, Operators
from network_vectors import GENERATIONS
from support.reference import load_vectors

from ndks_protocol import errors
from ndks_protocol.capsule import Header, HeaderKeys, header_keys
from ndks_protocol.commands import OF_CONTROL, WIRE_HEADER_SIZE
from ndks_protocol.control import ladder
from ndks_protocol.control.beacon import pack_beacon, unpack_beacon
from ndks_protocol.control.capsules import open_control, seal_control
from ndks_protocol.control.limits import ADMINISTRATOR_LANE, ADMINISTRATORS, BEACON_SIZE, EMPTY_NOTICE_SIZE
from ndks_protocol.control.notice import Notice, lanes_in, unpack_notice
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("control")

keys = st.binary(min_size=32, max_size=32)
salts = st.binary(min_size=8, max_size=8)
operators = st.builds(Operators, st.integers(1, 12), st.integers(0, 2), st.integers(0, 2))
lanes = st.sets(st.integers(2, 0xFFEF), max_size=96).map(lambda found: tuple(sorted(found)))


def opened(key: bytes, header_secret: bytes, capsule: bytes) -> tuple[Header, bytes]:
    header = HeaderKeys(CRYPTO, header_keys(CRYPTO, header_secret)).unmask(capsule[:WIRE_HEADER_SIZE])
    return header, open_control(CRYPTO, key, header, capsule)


def heard(generation: Generation, capsule: bytes) -> tuple[Header, tuple[int, int]]:
    """Return header, number and term of a beacon, as a unit in this generation gets them."""
    header, data = opened(generation.control_key, generation.secret, capsule)
    return header, unpack_beacon(data, generation.g)


def noticed(lane: int, key: bytes, g: int, capsule: bytes) -> Notice:
    """Return a notice as the unit on a lane gets it that has the member key of generation g."""
    header, data = opened(key, key, capsule)
    if (header.kind, header.lane, header.number) != (OF_CONTROL, ADMINISTRATOR_LANE + g % ADMINISTRATORS, g + 1):
        raise errors.UnitError(errors.HEADER)
    return unpack_notice(data, g, lane)


def fields_of(notice: Notice) -> dict[str, Any]:
    def named(g: int, operators: tuple[int, int, int], secret: bytes) -> dict[str, Any]:
        return {"g": g, "secret": secret.hex()} | dict(zip(("d", "f1", "f2"), operators, strict=True))

    merged = [named(g, its, secret) | {"r": r} for g, r, its, secret in notice.others]
    own = named(notice.generation, notice.operators, bytes(notice.secret))
    return own | {"revoked": lanes_in(notice.lanes), "merged": merged}


@pytest.mark.parametrize("case", VECTORS["headers"], ids=lambda case: f"{case['kind']}, {case['number']}")
def test_published_headers(case: dict[str, Any]) -> None:
    fields = [case[name] for name in ("suite", "cipher", "lane", "n")]
    header = Header.new(*fields, bytes.fromhex(case["salt"]), case["kind"], case["number"])
    keys = HeaderKeys(CRYPTO, header_keys(CRYPTO, GENERATIONS[case["generation"]].secret))
    assert header.clear.hex() == case["H"]
    assert keys.mask(header).hex() == case["wire"]
    again = keys.unmask(bytes.fromhex(case["wire"]))
    assert (again.kind, again.epoch, again.lane, again.number) == tuple(
        case[name] for name in ("kind", "number", "lane", "n")
    )


@pytest.mark.parametrize("case", VECTORS["beacons"], ids=lambda case: case["lane"])
def test_published_beacons(case: dict[str, Any]) -> None:
    generation = GENERATIONS[case["generation"]]
    data = pack_beacon(generation.g, case["number"], case["term"])
    assert data.hex() == case["data"]
    keys = HeaderKeys(CRYPTO, header_keys(CRYPTO, generation.secret))
    sender, salt = (case["lane"], case["n"]), bytes.fromhex(case["salt"])
    capsule = seal_control(CRYPTO, generation.control_key, keys, sender, salt, data)
    assert capsule.hex() == case["capsule"]
    assert len(capsule) == BEACON_SIZE
    header, content = heard(generation, capsule)
    assert (header.lane, header.number, *content) == (*sender, case["number"], case["term"])


@pytest.mark.parametrize("case", VECTORS["bad_beacons"], ids=lambda case: case["why"])
def test_published_bad_beacons(case: dict[str, Any]) -> None:
    with pytest.raises(errors.UnitError, match=f"^{case['error']}$"):
        heard(GENERATIONS[case["generation"]], bytes.fromhex(case["capsule"]))


@pytest.mark.parametrize("case", VECTORS["notices"], ids=lambda case: f"{case['lane']}, {case['g']}")
def test_published_notices(case: dict[str, Any]) -> None:
    key, g, capsule = bytes.fromhex(case["member_key"]), case["g"], bytes.fromhex(case["capsule"])
    notice = noticed(case["lane"], key, g, capsule)
    assert notice.pack().hex() == case["data"]
    fields = fields_of(notice)
    merged = [{name: side[name] for name in ("g", "secret", "d", "f1", "f2", "r")} for side in case["merged"]]
    assert fields == {name: case[name] for name in ("g", "secret", "d", "f1", "f2", "revoked")} | {"merged": merged}
    sender = ADMINISTRATOR_LANE + g % ADMINISTRATORS, g + 1
    own = HeaderKeys(CRYPTO, header_keys(CRYPTO, key))
    assert seal_control(CRYPTO, key, own, sender, bytes.fromhex(case["salt"]), notice.pack()) == capsule
    assert len(capsule) == EMPTY_NOTICE_SIZE + 2 * len(case["revoked"]) + 38 * len(merged)


@pytest.mark.parametrize("case", VECTORS["bad_notices"], ids=lambda case: case["why"])
def test_published_bad_notices(case: dict[str, Any]) -> None:
    key = bytes.fromhex(next(good["member_key"] for good in VECTORS["notices"] if (good["lane"], good["g"]) == (1, 6)))
    with pytest.raises(errors.UnitError, match=f"^{case['error']}$"):
        noticed(case["lane"], key, case["g"], bytes.fromhex(case["capsule"]))


@given(keys, operators, lanes, st.data())
def test_any_notice(secret: bytes, chain: Operators, revoked: tuple[int, ...], data: st.DataObject) -> None:
    g = data.draw(st.integers(0, 300))
    others = sorted(data.draw(st.sets(st.integers(0, max(0, g - 1)), max_size=6 if g else 0)))
    merged = [Generation(other, secret[::-1], chain, revoked[:other]) for other in others]
    new, root = Generation(g, secret, chain, revoked), bytes(32)
    key = reference.member_key(root, 1, g)
    salt = data.draw(salts)
    capsule = reference.notice(key, g, reference.notice_data(new, merged), salt)
    notice = noticed(1, member_key(root, g), g, capsule)
    assert notice.pack() == reference.notice_data(new, merged)
    assert [other[1] for other in notice.others] == [len(side.revoked) for side in merged]


def member_key(root: bytes, g: int) -> bytes:
    return ladder.ratchet(CRYPTO, ladder.first_member_key(CRYPTO, root, 1), ladder.NEXT_MEMBER_KEY, g)


@given(keys, salts, st.integers(0, 65534), st.integers(0, 16383), st.integers(0, 0xFFFFFFFF), st.data())
def test_any_beacon(secret: bytes, salt: bytes, g: int, number: int, term: int, data: st.DataObject) -> None:
    lane, n = data.draw(st.integers(1, 0xFFEF)), data.draw(st.integers(1, (1 << 48) - 1))
    generation = Generation(g, secret)
    capsule = generation.beacon(lane, n, number, term, salt)
    header, content = heard(generation, capsule)
    assert (header.lane, header.number, *content) == (lane, n, number, term)
    place = data.draw(st.integers(1, len(capsule) - 1))
    changed = capsule[:place] + bytes([capsule[place] ^ 1 << data.draw(st.integers(0, 7))]) + capsule[place + 1 :]
    with pytest.raises(errors.UnitError, match=r"^(HEADER|AUTH)$"):
        heard(generation, changed)


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_no_notice_or_beacon(data: bytes, starts_right: bool) -> None:
    for unpack in (lambda content: unpack_notice(content, 5, 1), lambda content: unpack_beacon(content, 5)):
        with contextlib.suppress(errors.UnitError):
            unpack(b"\2\0\5" + data if starts_right else data)
