# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Search for keys with equal beginnings or extreme Hamming distances, which few angular frequencies would cause."""

import numpy as np
import numpy.typing as npt

from ndks_laboratory.outcome import Outcome

from ..attack import KEYS, Adversary, Bits, Finding, Oracle, Seen
from .predictions import UNLIKELY, nothing, tail

_PREFIX = 64  # bits
_KINDS = 2  # of tests: prefixes, distances
_ROWS = 256  # of the distance matrix at once


class KeyReuse(Adversary):
    """Compares the prefixes and Hamming distances of all pairs of keys."""

    name = "key reuse between key indices"
    label = "A8"
    needs = frozenset({KEYS})

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        """Compare all pairs; the p-value covers both kinds of tests. The oracle is not used."""
        del oracle
        count, size = seen.keys.shape
        pairs = count * (count - 1) // 2
        if not pairs:
            return nothing(self.name, "one key alone has no pairs", {"keys": count})
        sharing = shared_prefixes(seen.keys)
        of_prefixes = min(1.0, pairs * 2.0 ** -min(_PREFIX, size)) if sharing else 1.0
        agreement, first, second = farthest_from_half(seen)
        of_distances = min(1.0, 2 * pairs * tail(max(agreement, size - agreement), size))
        p_value = min(1.0, _KINDS * min(of_prefixes, of_distances))
        details = {
            "keys": count,
            "bits": size,
            "keys_sharing_prefix": sharing,
            "prefix_bits": min(_PREFIX, size),
            "p_value_prefixes": of_prefixes,
            "most_alike": [first, second],
            "agreement": agreement,
            "p_value_distances": of_distances,
        }
        summary = (
            f"{sharing} of {count} keys share their first {_PREFIX} bits with another; keys {first} and {second} "
            f"agree in {agreement} of {size} bits"
        )
        return Finding(self.name, Outcome.of(p_value >= UNLIKELY, summary), 0.0, p_value, 2 * pairs, details)


def shared_prefixes(keys: Bits) -> int:
    """Return the number of keys that share their prefix with another."""
    packed = np.packbits(keys[:, :_PREFIX], axis=1)
    _, counts = np.unique(packed, axis=0, return_counts=True)
    return int(counts[counts > 1].sum())


def farthest_from_half(seen: Seen) -> tuple[int, int, int]:
    """Return the number of equal bits and the indices of the pair whose number is farthest from half."""
    signs = 1 - 2 * seen.keys.astype(np.float32)
    best = (0.0, 0, 0)
    for start in range(0, len(signs), _ROWS):
        seen.check_time()
        products: npt.NDArray[np.float32] = np.abs(signs[start : start + _ROWS] @ signs[start:].T)
        products[np.tril_indices(len(products), 0, products.shape[1])] = 0  # keeps each pair of different keys once
        row, column = divmod(int(products.argmax()), products.shape[1])
        best = max(best, (float(products[row, column]), start + row, start + column))
    _, first, second = best
    agreement = int(np.count_nonzero(seen.keys[first] == seen.keys[second]))
    return agreement, first + 1, second + 1
