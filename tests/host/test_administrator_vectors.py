# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What administrators make: golden vectors of records and notices, and whole lives against the reference."""

from random import Random
from typing import Any

import network_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_reference import Member
from support.public_network import public_network
from support.reference import load_vectors

from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.administrator_keys import AdministratorKeys
from ndks.network.administrator_record import BadRecord, Record
from ndks.network.generation import AdmittedMember, State
from ndks_protocol.control.notice import unpack_notice

BUNDLES = load_vectors("bundles")
NOTICES = load_vectors("control")["notices"]
ROOT = bytes.fromhex(BUNDLES["root"])
SALT = bytes.fromhex(BUNDLES["salt"])


def record_of(case: dict[str, Any]) -> Record:
    members = tuple(
        AdmittedMember(lane, uid.upper(), joined, State(state)) for lane, uid, joined, state in case["members"]
    )
    operators = case["d"], case["f1"], case["f2"]
    return Record(case["g"], operators, bytes.fromhex(case["secret"]), tuple(case["known"]), members)


@pytest.mark.parametrize("case", BUNDLES["good"], ids=lambda case: case["g"])
def test_published_records(case: dict[str, Any]) -> None:
    record = record_of(case)
    assert record.sealed(ROOT).hex() == case["record"]
    assert Record.unsealed(ROOT, bytes.fromhex(case["record"])) == record


@pytest.mark.parametrize("case", BUNDLES["bad_records"], ids=lambda case: case["why"])
def test_published_bad_records(case: dict[str, str]) -> None:
    with pytest.raises(BadRecord):
        Record.unsealed(ROOT, bytes.fromhex(case["record"]))


@pytest.mark.parametrize("case", NOTICES, ids=lambda case: f"{case['lane']}, {case['g']}")
def test_published_notices(case: dict[str, Any]) -> None:
    keys = AdministratorKeys(ROOT)
    lane = case["lane"]
    content = unpack_notice(bytes.fromhex(case["data"]), case["g"], lane)
    hint, notice = keys.notice(lane, content, bytes.fromhex(case["salt"]))
    assert hint == reference.hint(bytes.fromhex(case["member_key"]))
    assert notice.hex() == case["capsule"]
    assert keys.public.hex() == BUNDLES["signing_key"]


class Twin:
    """An administrator, and what the reference says of its bundles."""

    def __init__(self, root: bytes, number: int, seed: int) -> None:
        self.random = Random(seed)
        state = Administration(public_network(), root, number)
        self.product = Administrator(state, random_bytes=self.random_bytes)
        self.drawn: list[bytes] = []

    def random_bytes(self, size: int) -> bytes:
        self.drawn.append(self.random.randbytes(size))
        return self.drawn[-1]

    def issue(self, *, merge: bool) -> tuple[bytes, bytes]:
        """Return the bundle of the product, and that of the reference."""
        before = self.product.state
        self.drawn = []
        bundle = self.product.issue(merge=merge)
        return bundle.content, self.expected(before, bundle.g, merge=merge)

    def expected(self, before: Administration, g: int, *, merge: bool) -> bytes:
        drawn = list(self.drawn)
        operators = reference.Operators(3, 0, 0)
        secret = drawn.pop(0) if g else before.network.secret
        state = self.product.state
        inside = [member.lane for member in state.members if member.state == State.IN]
        revoked = tuple(member.lane for member in state.members if member.state == State.REVOKED)
        new = reference.Generation(g, secret, operators, revoked)
        notices: list[tuple[bytes, bytes]] = []
        for lane in inside:
            sides = [each for each in before.generations if merge and lane in each.members][-reference.PAST :]
            merged = [reference.Generation(each.g, each.secret, operators, each.revoked) for each in sides]
            key = reference.member_key(state.root, lane, g)
            data = reference.notice_data(new, merged)
            notices.append((reference.hint(key), reference.notice(key, g, data, drawn.pop(0))))
        known = [each.g for each in before.generations][-8:]
        rows = [
            Member(each.lane, bytes.fromhex(each.serial_number), each.joined, int(each.state)) for each in state.members
        ]
        record = reference.sealed_record(state.root, reference.record_body(new, known, rows))
        previous = reference.NOBODY if before.g < 0 else before.g
        return reference.bundle(state.root, g, previous, notices, record)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 3), st.integers(0, 1000), st.lists(st.integers(0, 5)))
def test_any_life(root: bytes, number: int, seed: int, steps: list[int]) -> None:
    twin = Twin(root, number, seed)
    for count, step in enumerate([0, 4, *steps[:8], 4]):
        inside = [member.lane for member in twin.product.state.members if member.state == State.IN]
        if step < 2:
            twin.product.admit(f"{count:016X}")
        elif step < 4 and inside:
            (twin.product.revoke if step == 2 else twin.product.retire)([twin.random.choice(inside)])
        elif step >= 4:
            product, expected = twin.issue(merge=step == 5)
            assert product == expected
