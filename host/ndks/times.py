# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How long the host waits, in seconds, and why so long. Read them as `times.NAME`: tests shorten them here."""

# Answers. A unit works on one request at a time; 1 KB of key takes a board up to 0.7 s.
DEFAULT_TIMEOUT = 10.0  # for one answer, behind the chunks in flight, unless --timeout says otherwise
LIST_TIMEOUT = 5.0  # for an answer to `ndks list`: a silent port must not hold it up; a unit may finish a chunk first
PROBE_TIMEOUT = 2.0  # for the greeting at a port that may be a unit's: a unit that is idle answers at once
LONGEST_DELAY = 70.0  # for the end of DELAYED: after wrong proofs a unit refuses all for a minute at most

# Reading. Between two reads the host looks at its deadlines and at Ctrl-C.
READ_SLICE = 0.05  # for the first byte, in one read of a port

# Trying again.
RETRY_PAUSE = 0.05  # between two tries: no person notices it, and no processor
PORT_IN_USE = 2.0  # for a port that another program has: a modem manager may probe a new port for some seconds
PORT_LISTING = 0.1  # for a list of ports that cannot be read: a device that was just unplugged is off it by then

# Files.
LOCK_TIMEOUT = 10.0  # for a network file: another command has it while it reads, asks nobody, and writes
