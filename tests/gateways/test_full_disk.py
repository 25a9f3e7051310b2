# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Gateways whose disk is full: a revocation is seen, links go on, and no peer is taken unpinned."""

import pytest

from gateways.ends import HOST, FakeGate, FakeStore, Network, run, until, world
from gateways.revoking import RevokingGate
from ndks.exceptions import FileError
from ndks_gateways.running.partners import Partner
from ndks_gateways.running.settings import Address, Settings


def test_a_full_disk_hides_no_revocation():
    async def work() -> None:
        network = Network(revoked={2})

        class Full(FakeStore):
            def drop_pairs(self) -> None:
                raise FileError("the disk is full")

        settings = Settings("office", True, Address(HOST, 0), Address(HOST, 0))
        partner = Partner(settings, RevokingGate(network, 1), Full(), lambda _: ())
        partner._header = (await FakeGate(network, 2).seal()).header
        assert await partner.is_revoked()

    run(work)


def no_room(_what: object) -> None:
    raise FileError("the disk is full")


@pytest.mark.parametrize("full", ["a", "b", "ab"])
def test_a_full_disk_ends_no_tunnel(full: str):
    """A new pair door cannot be kept: the one of before is at both ends, and opens."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            reader, writer = await made.connect()
            for side in full:
                getattr(made, side).store.keep_pairs = no_room
            for links in 2, 3, 4:
                made.a.end._linking.renew()
                await until(lambda links=links: made.a.tally.full == made.b.tally.full == links)
                writer.write(b"data")
                assert await reader.readexactly(4) == b"data"
            assert made.a.tally.cuts == 0
            writer.close()

    run(work)


@pytest.mark.parametrize("full", ["a", "b"])
def test_a_peer_that_cannot_be_pinned_gets_no_link(full: str):
    async def work() -> None:
        async with world(through_proxy=False) as made:
            await made.a.linked()
            side = made.a if full == "a" else made.b
            side.store.forget()
            side.store.pin = no_room
            made.a.end._linking.wipe()
            made.a.end.forget()
            await until(lambda: side.tally.failed["FILE"])
            assert side.end.link is None
            assert side.store.peer is None
            del side.store.pin
            await until(lambda: made.a.end.link and made.b.end.link)

    run(work)
