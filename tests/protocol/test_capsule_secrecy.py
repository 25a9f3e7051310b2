# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Secrecy against an eavesdropper: equal messages and repetitions in a message are not visible."""

import math
from collections.abc import Iterable
from itertools import combinations

import pytest

from ndks.network.network_file import Network
from protocol.capsules import NETWORK_NAMES, NETWORKS, new_header, sealed

HYBRID = [network for network in NETWORKS if network.suite == "hybrid"]
each_network = pytest.mark.parametrize("network", NETWORKS, ids=NETWORK_NAMES)
each_hybrid_network = pytest.mark.parametrize("network", HYBRID, ids=lambda network: network.cipher)


def distance(first: bytes, second: bytes) -> int:
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()


def assert_unrelated(texts: list[bytes]) -> None:
    """Check that the Hamming distance of any two texts is as of random texts: with N bits its mean is N / 2.

    By Hoeffding's inequality its deviation is t sqrt(N) / 2 or more with probability at most 2 exp(-t^2 / 2). With
    t = sqrt(2 ln(2 M / p)), the probability that any of M pairs exceeds it is at most p = 2^-40.
    """
    pairs = list(combinations(texts, 2))
    bits = 8 * len(texts[0])
    allowed = math.sqrt(2 * math.log(2 * len(pairs) * 2.0**40)) * math.sqrt(bits) / 2
    for first, second in pairs:
        assert abs(distance(first, second) - bits / 2) < allowed


def assert_no_block_twice(texts: Iterable[bytes]) -> None:
    """Check that no aligned block of 16 bytes repeats; of 2^14 random blocks two are equal with probability 2^-101."""
    blocks = [text[start : start + 16] for text in texts for start in range(0, len(text) - 15, 16)]
    assert len(set(blocks)) == len(blocks)


def ciphertext(capsule: bytes) -> bytes:
    """Return a capsule without its header and tags."""
    chunks = [capsule[start : start + 1040] for start in range(37, len(capsule), 1040)]
    return b"".join(chunk[:-16] for chunk in chunks)


def sealed_often(network: Network, data: bytes, count: int) -> list[bytes]:
    return [sealed(network, new_header(network, 2, number), data) for number in range(1, count + 1)]


@each_hybrid_network
def test_the_same_message_many_times(network: Network) -> None:
    capsules = sealed_often(network, b"PAY 0100 EUR TO BOB. " * 10, 100)
    assert_unrelated([capsule[1:37] for capsule in capsules])
    assert_unrelated([ciphertext(capsule) for capsule in capsules])
    assert_unrelated([capsule[1:] for capsule in capsules])
    assert_no_block_twice(capsule[1:] for capsule in capsules)


@each_hybrid_network
def test_the_same_message_under_the_same_number(network: Network) -> None:
    """As after a restored image of a unit: the salts differ, and therefore all of a hybrid capsule."""
    headers = [new_header(network, 2, 9, salt.to_bytes(8)) for salt in range(60)]
    capsules = [sealed(network, header, bytes(200)) for header in headers]
    assert_unrelated([capsule[1:] for capsule in capsules])
    assert_no_block_twice(capsule[1:] for capsule in capsules)


@each_hybrid_network
@pytest.mark.parametrize("symbol", [b"\0", b"A", b"\xff"])
def test_one_symbol_all_over(network: Network, symbol: bytes) -> None:
    text = ciphertext(sealed(network, new_header(network, 2, 3), symbol * 16_000))
    assert_no_block_twice([text])
    chunks = [text[start : start + 1024] for start in range(0, 15 * 1024, 1024)]
    assert_unrelated(chunks)
    # No symbol is preferred either. By Bernstein's inequality a count of mean m deviates by s or more with probability
    # at most 2 exp(-s^2 / (2 m + 2 s / 3)); this s makes that 2^-40 for all 256 counts together.
    mean, needed = len(text) / 256, math.log(2 * 256 * 2.0**40)
    allowed = needed / 3 + math.sqrt(needed**2 / 9 + 2 * mean * needed)
    assert all(abs(text.count(byte) - mean) < allowed for byte in range(256))


@each_hybrid_network
def test_a_bit_of_the_message_or_of_the_number(network: Network) -> None:
    data = bytes(500)
    header = new_header(network, 2, 4)
    sent = sealed(network, header, data)
    other_data = sealed(network, header, b"\1" + data[1:])
    # One number and salt, which a unit never uses twice: the equality of the messages is then visible.
    assert distance(sent[37:-24], other_data[37:-24]) == 1
    assert_unrelated([sent[1:], sealed(network, new_header(network, 2, 5), data)[1:]])
    assert_unrelated([sent[1:], sealed(network, new_header(network, 3, 4), data)[1:]])


@each_network
def test_no_message_looks_like_another_in_any_suite(network: Network) -> None:
    """Suite paper has only this property, because its bits are not random."""
    capsules = sealed_often(network, b"the same " * 20, 60)
    assert_no_block_twice(capsules)
    assert len({capsule[1:17] for capsule in capsules}) == len(capsules)


@each_network
def test_headers_hide_suite_cipher_lane_and_number(network: Network) -> None:
    """Masked headers equal random bits, except for the version, although the fields count up."""
    headers = [sealed(network, new_header(network, 2, number), b"")[:37] for number in range(1, 101)]
    assert {header[0] for header in headers} == {1}
    assert_unrelated([header[1:] for header in headers])


def test_the_suites_and_ciphers_of_one_number_share_no_bytes() -> None:
    capsules = [sealed(network, new_header(network, 2, 8), bytes(320)) for network in NETWORKS]
    assert_no_block_twice(capsules)
    # The first one is vernam in suite paper, whose bits are not random.
    assert_unrelated([ciphertext(capsule) for capsule in capsules[1:]])
