# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exit statuses of the command, and the error codes that are no exception of the package."""

FAILED = 1
INTERRUPTED = 130

# The help, the manual page and docs/command.md are made from this table.
EXIT_STATUSES = {
    0: "ok",
    FAILED: "failed: a check, a file; or you did not confirm",
    2: "usage",
    3: "no unit, or several",
    4: "device error",
    5: "authentication",
    6: "time-out, or the unit was removed",
    129: "ended by SIGHUP, unless that was ignored from the start",
    INTERRUPTED: "interrupted",
    143: "ended by SIGTERM",
}
OWN_CODES = {
    "INTERRUPTED": (INTERRUPTED, "the user pressed Ctrl-C"),
    "UNEXPECTED": (FAILED, "a bug in `ndks`; the message names its kind and place"),
}
