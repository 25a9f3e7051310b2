# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""settings.toml after a deployment, as CircuitPython 10 reads it."""

from hypothesis import example, given
from hypothesis import strategies as st

from ndks.board.settings import OURS, merged

KEYS = [*OURS, b"CIRCUITPY_HEAP_START_SIZE2", b"CIRCUITPY_HEAP", b"NDKS_CASE_LOOP", b"X"]
SPACES = st.sampled_from([b"", b" ", b"\t", b"  "])
VALUES = st.sampled_from([b"132000", b"3072", b"1", b'"text # 1"', b"0x1", b"", b"173000 # mine", b"132000 #", b"-1"])
OTHERS = st.sampled_from([b"", b"# a comment", b"[table]", b" [table]", b"no setting", b"\xff\xfe", b"=", b"\r"])
LINES = st.one_of(st.tuples(SPACES, st.sampled_from(KEYS), SPACES, st.just(b"="), SPACES, VALUES).map(b"".join), OTHERS)
ENDS = st.sampled_from([b"\n", b"\r\n"])
FILES = st.tuples(st.lists(st.tuples(LINES, ENDS).map(b"".join)), LINES).map(
    lambda parts: b"".join([*parts[0], parts[1]])
)


def value_of(key: bytes, settings: bytes) -> bytes | None:
    """Return what CircuitPython 10 takes for the value of a key (supervisor/shared/settings.c)."""
    for line in settings.split(b"\n"):
        text = line.lstrip(b" \t\r\v\f")
        if text.startswith(b"["):
            return None
        rest = text.removeprefix(key).lstrip(b" \t\r\v\f")
        if text.startswith(key) and rest.startswith(b"="):
            value = rest[1:].strip(b" \t\r\v\f")
            return value if value.startswith(b'"') else value.partition(b"#")[0].strip(b" \t\r\v\f")
    return None


@given(FILES)
@example(b"")
@example(b"X = 1")
@example(b"[table]\nCIRCUITPY_HEAP_START_SIZE = 1")
@example(b"CIRCUITPY_HEAP_START_SIZE = 1\rCIRCUITPY_PYSTACK_SIZE = 1")
def test_ours_are_read_and_all_others_stay(before: bytes) -> None:
    after, replaced = merged(before)
    for key, value in OURS.items():
        assert value_of(key, after) == value
        told = [text for text in replaced if f" {key.decode()} was " in text]
        assert told or value_of(key, before) in (None, value)
    for key in set(KEYS) - OURS.keys():
        assert value_of(key, after) == value_of(key, before)
    assert others(after) == others(before)


@given(FILES)
def test_a_second_time_changes_nothing(before: bytes) -> None:
    once, _ = merged(before)
    assert merged(once) == (once, [])


def others(settings: bytes) -> list[bytes]:
    """Return the lines without a setting of ours, and all of those in tables, which CircuitPython does not read."""
    lines = settings.split(b"\n")
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith(b"[")), len(lines))
    free = [line for line in lines[:at] if line and not any(value_of(key, line) is not None for key in OURS)]
    return [*free, *lines[at:]]
