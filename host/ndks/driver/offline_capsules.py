# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Opening of capsules with a file of the network, and no unit."""

from collections.abc import Iterator

from ndks_protocol import commands, errors
from ndks_protocol.capsule import Header, MessageKeys

from ..crypto import CRYPTO
from ..files import Sink, Source
from ..network.administration import Administration
from ..network.epochs import find_epoch
from ..network.network_file import Network
from .batches import BatchOpener
from .blocks import Progress, chunks_of
from .capsules import Checked, Unsealed, no_progress, read_header, refusal_at_end, refusals, write_all


def read_masked(known: Network | Administration, wire: bytes) -> Header:
    """Return an unmasked header. DeviceError HEADER."""
    with refusals():
        return find_epoch(known, wire)[1]


def unseal_offline(known: Network | Administration, source: Source, sink: Sink, progress: Progress) -> Unsealed:
    """Open a capsule as `unseal` does, with a file of the network and no unit; repeated capsules are not detected.

    A network file opens what was sealed in generation 0, an administrator's file everything.
    """
    with refusals():
        wire = read_header(source)
        header, _, _, texts = _open_offline(known, source, wire, progress)
        size = write_all(texts, sink)
    return Unsealed(header.lane, header.number, commands.CIPHERS[header.cipher], size, wire)


def check_offline(known: Network | Administration, source: Source) -> Checked:
    """Return what `check_capsule` does, with a file of the network and no unit. DeviceError."""
    with refusals():
        header, epoch, keys, texts = _open_offline(known, source, read_header(source), no_progress)
        refusal = refusal_at_end(texts)
    return Checked(header.lane, header.number, epoch, keys.checked, refusal)


class _OfflineKeys(MessageKeys):
    """The keys of a message from a file, which note the key check value."""

    checked = b""

    def check(self, size: int) -> bytes:
        self.checked = super().check(size)
        return self.checked


def _open_offline(
    known: Network | Administration, source: Source, wire: bytes, progress: Progress
) -> tuple[Header, int, _OfflineKeys, Iterator[bytes]]:
    """Begin to open a capsule with a file; return its header, its epoch, the keys, and the decrypted chunks."""
    from ..keys.generator import VectorGenerator  # here, because NumPy is slow to import

    network, header = find_epoch(known, wire)
    header.check(commands.SUITES.index(network.suite), commands.COMMON_LANE)
    if header.kind != commands.DATA:
        raise errors.UnitError(errors.KIND)
    bits = VectorGenerator.of(network).key(header.index)
    keys = _OfflineKeys(
        CRYPTO,
        network.secret,
        header,
        network.binding_id(header.lane),
        lambda offset, size: bits.read(8 * offset, 8 * size),
    )
    opener = BatchOpener(keys)
    texts = (opener.open(*chunk) for chunk in chunks_of(source, progress, batched=True))
    return header, network.epoch, keys, texts
