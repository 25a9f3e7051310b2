# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The epoch of a capsule, and its keys, from a file: a network file has generation 0, an administrator's file all."""

from collections.abc import Iterator
from dataclasses import replace

from ndks_protocol import errors
from ndks_protocol.capsule import Header, HeaderKeys, check_wire_header, header_keys
from ndks_protocol.control.ladder import NEXT_EPOCH, parameters_of, ratchet
from ndks_protocol.generator import F1, F2

from ..crypto import CRYPTO
from .administration import Administration
from .generation import Generation
from .network_file import Network


def find_epoch(known: Network | Administration, wire: bytes) -> tuple[Network, Header]:
    """Return the network as it was in the epoch of a capsule, and the capsule's header.

    UnitError VERSION, HEADER: it is of no generation that the file has, or its header was altered.
    """
    check_wire_header(wire)
    for network, generation in _generations(known):
        try:
            header = HeaderKeys(CRYPTO, header_keys(CRYPTO, generation.secret)).unmask(wire)
        except errors.UnitError:
            continue
        return network_in(network, generation, header.epoch), header
    raise errors.UnitError(errors.HEADER)


def network_in(network: Network, generation: Generation, number: int) -> Network:
    """Return a network with the secret, parameters and operators of an epoch (PROTOCOL.md section 11)."""
    if not generation.g and not number:
        return network
    secret = ratchet(CRYPTO, generation.secret, NEXT_EPOCH, number)
    p1, p2 = parameters_of(CRYPTO, secret)
    digits, f1, f2 = generation.operators
    epoch = generation.g << 16 | number
    return replace(network, secret=secret, epoch=epoch, p1=p1, p2=p2, digits=digits, f1=F1[f1], f2=F2[f2])


def _generations(known: Network | Administration) -> Iterator[tuple[Network, Generation]]:
    """Yield the generations, the latest first, because most capsules are of that one."""
    if isinstance(known, Network):
        yield known, Generation(0, (known.digits, *known.operators), known.secret)
        return
    for generation in reversed(known.generations):
        yield known.network, generation
