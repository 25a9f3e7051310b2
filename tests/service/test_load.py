# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Five clients of one unit, in virtual time; tests/benchmarks/shared_unit.py does the same for an hour."""

from .conftest import Serve, Served
from .load import Found, Load

SECONDS = 90.0


def test_five_clients_share_a_slow_unit(serve: Serve) -> None:
    async def work(served: Served) -> Found:
        return await Load(served.paths, SECONDS).run()

    found = serve(work)
    assert max(found.p99(what) for what in ("seal", "open", "number")) < 0.150
    assert len(set(found.numbers)) == len(found.numbers) > 150
    assert found.keys == list(range(1, len(found.keys) + 1))
    # Nobody starves: the stream, which asks all the time, and the files get what is left.
    assert found.streamed > SECONDS * 4096
    assert found.files > SECONDS
    assert found.p99("key") < 0.5
