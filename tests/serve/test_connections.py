# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which connections make room for others, when a client has all of them."""

import contextlib
import time
from pathlib import Path

from .key_servers import running
from .raw_connections import BOTH, ENC, is_open, plain, until_end


def test_one_sae_with_all_connections_makes_room_for_others(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"connections": 4}) as server, contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(plain(server)) for _ in range(4)]
        assert all(map(is_open, greedy))
        assert is_open(greedy[0])  # so the second one is idle for longest
        others = [stack.enter_context(plain(server, "SAE_B")) for _ in range(2)]
        assert all(map(is_open, others))
        assert [is_open(each) for each in greedy] == [True, False, False, True]
        assert is_open(stack.enter_context(plain(server)))  # each has two: its own
        assert all(map(is_open, others))
        metrics = server.monitor("/metrics")[1]
        assert "ndks_serve_connections 4\n" in metrics
        assert "ndks_serve_turned_away_total 3\n" in metrics


def test_connections_that_are_gone_take_no_place(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"connections": 3}) as server, contextlib.ExitStack() as stack:
        staying = [stack.enter_context(plain(server, each)) for each in ("SAE_A", "SAE_B")]
        for _ in range(8):
            with plain(server) as short:
                assert is_open(short)
            while "ndks_serve_connections 2\n" not in server.monitor("/metrics")[1]:
                time.sleep(0.01)
        assert all(map(is_open, staying))
        assert "ndks_serve_turned_away_total 0\n" in server.monitor("/metrics")[1]


def test_connections_with_a_request_are_cut_off_last(certificates: Path) -> None:
    head = f"POST {ENC} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
    with running(certificates, sae=BOTH, limits={"connections": 3}) as server, contextlib.ExitStack() as stack:
        idle, *asking = (stack.enter_context(plain(server)) for _ in range(3))
        for each in asking:
            each.sendall(head)
            assert each.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
        others = [stack.enter_context(plain(server, "SAE_B")) for _ in range(2)]
        assert all(map(is_open, others))
        assert not is_open(idle)
        asking[0].sendall(b"{}")
        assert asking[0].recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        assert until_end(asking[1]) == b""


def test_clients_that_are_not_served_count_as_one(certificates: Path) -> None:
    with running(certificates, limits={"connections": 4}) as server, contextlib.ExitStack() as stack:
        names = ("SAE_A", "NOBODY", "SAE_C", "SAE_D")  # those of the other site are not served here, either
        mine, *strangers = (stack.enter_context(plain(server, each)) for each in names)
        assert is_open(mine)
        assert is_open(stack.enter_context(plain(server)))
        assert is_open(mine)
        assert until_end(strangers[0]) == b""
