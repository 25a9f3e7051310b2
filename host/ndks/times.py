# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Timeouts and pauses of the host, in seconds. Read them as `times.NAME`: tests shorten them here."""

# Answers. A unit works on one request at a time; 1 KB of key takes a board up to 0.7 s.
DEFAULT_TIMEOUT = 10.0  # for one answer; --timeout changes it
LIST_TIMEOUT = 5.0  # for one answer in `ndks list`: short for silent ports, long enough for a unit to finish a chunk
PROBE_TIMEOUT = 2.0  # for the HELLO answer of a port that may be a unit: an idle unit answers at once
OPENING_TIMEOUT = 30.0  # for what may need steps of a ratchet: 4096 take a board 4 s, and a move twice as many
NOTICE_TIMEOUT = 90.0  # for NOTICE and HINT: 65534 steps take it a minute
LONGEST_DELAY = 70.0  # for DELAYED to end: after wrong proofs a unit refuses everything for a minute at most

# Reading. Between two reads the host looks at its deadlines and at Ctrl-C.
READ_SLICE = 0.05  # for the first byte of one read of a port

# Retries.
RETRY_PAUSE = 0.05  # between two attempts: too short for a person to notice, but long enough to spare the processor
PORT_IN_USE = 2.0  # for a port held by another program: a modem manager may probe a new port for some seconds
PORT_LISTING = 0.1  # for a list of ports that cannot be read: the system has removed an unplugged device by then

# Files.
LOCK_TIMEOUT = 10.0  # for the lock of a network file: a command holds it only while it reads and writes the file
