# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The numbers of a network's agents (PROTOCOL.md section 12): times in ticks, sizes in bytes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How long a host waits, and how much it keeps and takes. What limits the packets themselves is in `packets`."""

    slot_bits: int = 16  # z = bits of a random number of so many bits
    longest_tick: int = 16  # a host that was asleep has not really waited
    rest: int = 16  # between two copies of a message, two asks for bundles
    first_report: int = 4  # after a message
    report_pause: int = 128  # between reports, at most
    first_ask: int = 8  # between asks for messages, after the first
    ask_pause: int = 128  # at most
    wait: int = 256  # for which a bundle waits for the one before it
    answers: int = 32  # between two answers to asks for bundles
    shows: int = 64  # between two copies of the bundle of this side
    repeat: int = 512  # between repetitions by the master's host, where the channel does not retain bundles
    keep: int = 400  # own capsules kept for those who ask
    keep_generations: int = 16  # that they come from: as many as a report can name
    bundles: int = 7  # kept whole
    candidates: int = 64  # bundles that wait
    waiting: int = 1000  # messages of one sender that wait for earlier ones
    waiting_bytes: int = 1 << 26  # of those of all senders
    arrived_bytes: int = 1 << 28  # of messages and losses that no program has taken; more wait with their senders
    vouchers: int = 4096  # of all senders
    message: int = 1 << 16  # bytes of a message
    piece: int = 0  # bytes of a packet's part, at most 1200; 0: the channel takes whole packets
    assembled: int = 1 << 24  # bytes of packets of which parts are missing
