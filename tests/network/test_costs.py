# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What things cost on the channel, from the product: messages and bytes as PROTOCOL.md says."""

import pytest
from benchmarks.network import Network, Row, rows_of

BEACON = 78
REPORT = 83 + 8  # of messages of one generation
MEMBERS = (2, 10)


def bundle(members: int, lanes: int, revoked: int, known: int) -> int:
    """Return the size of a bundle without a merge; `known`: the generations before it, 8 at most."""
    return members * (115 + 2 * revoked) + 13 * lanes + 133 + 2 * known


@pytest.fixture(scope="module", params=MEMBERS)
def rows(request: pytest.FixtureRequest) -> tuple[int, dict[str, Row]]:
    return request.param, {row.what: row for row in rows_of(Network(request.param))}


def test_a_renewal_is_one_beacon(rows: tuple[int, dict[str, Row]]) -> None:
    row = rows[1]["renewal"]
    assert (row.sent.total(), row.size) == (1, BEACON)


def test_a_message_is_one_capsule(rows: tuple[int, dict[str, Row]]) -> None:
    row = rows[1]["message of 100 bytes"]
    assert (row.sent["message"], row.size) == (1, 176)


def test_quiet_is_a_beacon_in_8_ticks_and_a_bundle_in_512(rows: tuple[int, dict[str, Row]]) -> None:
    members, by_name = rows
    row = by_name["1000 quiet ticks"]
    assert row.sent["beacon"] == 125
    assert 1 <= row.sent["bundle"] <= 2
    assert row.size == 125 * BEACON + row.sent["bundle"] * bundle(members, members, 0, 0)


def test_a_join_is_a_bundle_and_a_beacon(rows: tuple[int, dict[str, Row]]) -> None:
    members, by_name = rows
    row = by_name["join"]
    assert row.size == row.sent["bundle"] * bundle(members + 1, members + 1, 0, 1) + row.sent["beacon"] * BEACON


def test_a_failover_is_few_beacons(rows: tuple[int, dict[str, Row]]) -> None:
    row = rows[1]["failover"]
    assert 1 <= row.sent["beacon"] <= 5
    assert row.size == row.sent["beacon"] * BEACON + row.sent["report"] * REPORT
    assert 33 <= row.ticks <= 33 + 16 + 8
