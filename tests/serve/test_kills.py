# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Servers, units, services and the database are killed under load: no key is issued twice, none delivered twice."""

import random
from pathlib import Path

from support.power_cuts import FULL

from .databases import Cluster
from .estate import Estate, estate
from .load import Account, Load

KILLS, KEYS = (20, 100_000) if FULL else (4, 1_000)


def test_twelve_clients_while_all_is_killed(tmp_path: Path, certificates: Path, cluster: Cluster) -> None:
    chance = random.Random(5)
    kinds = (Estate.kill_server, Estate.kill_unit, Estate.kill_service, Estate.kill_database)
    with estate(tmp_path, certificates, cluster) as found:
        with Load(found.servers) as load:
            for number in range(KILLS):
                load.reach(KEYS * (number + 1) // (KILLS + 1))
                kinds[number % len(kinds)](found, chance.randrange(12))
            load.reach(KEYS)
            found.wait_until_ready()
            load.goes_on()
        for server in found.servers:
            assert server.end() == 0
            assert "Traceback" not in server.log
    account = load.account
    assert account.wrong == []
    assert account.total >= KEYS
    print(f"{KILLS} kills; {account.total} keys issued, {account.delivered} delivered, {account.lost} lost")
    print(f"refusals and failures: {account.said}")


def test_an_account_sees_what_must_not_be() -> None:
    key, other = {"key_ID": "1", "key": "a"}, {"key_ID": "2", "key": "b"}
    account = Account()
    account.issue([key, other])
    account.deliver("SAE_B", [key], [key])
    account.deliver("SAE_C", [key], [key])
    assert account.wrong == []
    account.issue([key])
    account.deliver("SAE_B", [key], [key])
    account.deliver("SAE_B", [other], [key | {"key": "c"}])
    assert [each.partition(":")[0] for each in account.wrong] == [
        *("issued twice", "SAE_B has got a key twice", "SAE_B has got other keys than the master"),
        "SAE_B has got a key twice",
    ]
