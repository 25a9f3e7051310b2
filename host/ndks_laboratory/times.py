# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Times of the laboratory in seconds, with their reasons. Waiting for a unit is the host's: `ndks.times`."""

# Sides: processes in cages
PROCESS = 600.0  # for one step of a side: a board needs minutes for long messages
CAGE_TRIED = 60.0  # to try whether this system can make a cage; it makes one in a tenth of a second

# Networks of emulated units
NETWORK = 200.0  # for what a network does by itself, or for a command; an idle computer needs 10

# The regular channel between two sides
CHANNEL = 120.0  # for the connection, and for each read and write: the other side may still encrypt
CHANNEL_LOOK = 0.2  # between two checks of whether the other side still runs

# Probes of a cage
PROBE = 2.0  # for an answer from another process of the same computer, which may be busy
PROBE_LOOK = 0.1  # between two checks of whether the probe is over

# Adversaries
BUDGET = 600.0  # for one passive attack, unless the caller gives another: a busy computer needs ten times as long
STRANGER = 30.0  # for DELAYED to end, when a wrong laptop asks
ACTIVE_BUDGET = 300.0  # for one active attack: slow boards need it; two emulated units need 2 s at most
LONG_KEY = 120.0  # for the long key: a unit that is slower gets a shorter one

# Networks in homologation
OPENED = 30.0  # for a unit whose case was opened to erase itself; a board needs 2 s
