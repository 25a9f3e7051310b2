# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""settings.toml of a board: two lines for the firmware beside whatever else the user has there.

CircuitPython takes the first line that has a key, and reads nothing after a line that begins with `[`.
"""

import re

# In one large piece of heap, garbage collections are fewer and shorter than in several. With 132,000 bytes, a piece of
# 26 KB of RAM is left, which the heap takes for a block that fits into no hole. CircuitPython 10.2.1 hangs with 164,000
# at every start. The firmware needs up to 1,839 bytes of the stack of Python's frames, which has 2,048 otherwise.
OURS = {b"CIRCUITPY_HEAP_START_SIZE": b"132000", b"CIRCUITPY_PYSTACK_SIZE": b"3072"}

_LINE = re.compile(rb"\s*(" + b"|".join(OURS) + rb")\s*=(.*)", re.DOTALL)
_END = re.compile(rb"\s*\[")


def merged(before: bytes) -> tuple[bytes, list[str]]:
    """Return the settings with those of the firmware added, and what was replaced, in words for the user."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+", before)
    end = next((number for number, line in enumerate(lines) if _END.match(line)), len(lines))
    wanted, kept, replaced = dict(OURS), list[bytes](), list[str]()
    for line in lines[:end]:
        found = _LINE.match(line)
        if not found:
            kept.append(line)
            continue
        key = found[1]
        value = found[2].partition(b"#")[0].strip()
        if value != OURS[key]:
            replaced.append(_told(key, value))
        if key in wanted:
            kept.append(line if value == wanted[key] else _line(key))
            del wanted[key]
    if kept and wanted and not kept[-1].endswith(b"\n"):
        kept[-1] += b"\n"
    return b"".join([*kept, *map(_line, wanted), *lines[end:]]), replaced


def _line(key: bytes) -> bytes:
    return key + b" = " + OURS[key] + b"\n"


def _told(key: bytes, value: bytes) -> str:
    return (
        f"settings.toml: {key.decode()} was {value.decode(errors='replace')}; the firmware needs {OURS[key].decode()}"
    )
