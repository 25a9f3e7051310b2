# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The network of the published vectors. Its secret is public, so it is for tests only."""

from ndks.network.network_file import Network

from .reference import load_vectors

NETWORK_NAME = "ndks-test"


def public_network() -> Network:
    values = load_vectors("suite")["network"]
    secret = bytes.fromhex(values["secret"])
    return Network(NETWORK_NAME, "hybrid", "vernam", values["p1"], values["p2"], values["d"], 0, secret)
