# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What differs between an RP2040 and a PC, and nothing else: the serial line, flash, randomness, AES, SHA-256."""

from ndks_protocol.kdf import Crypto

try:
    from typing import Protocol

    class KeyBits(Protocol):
        """The bits of one key. Those that are made fast also have `piece`: how many bytes at most to ask for at a time
        so that the watchdog is fed in time; reads feed it too if they take longer.
        """

        @property
        def index(self) -> int: ...

        def read(self, first: int, count: int) -> bytearray: ...

    class KeyGenerator(Protocol):
        """Makes what `ndks_protocol.generator.Generator` makes: the same bits."""

        def key(self, index: int) -> KeyBits: ...

except ImportError:  # not on the board, where annotations are not evaluated
    pass

# Why the board started last
RESET_POWER_ON = 0
RESET_BROWNOUT = 1
RESET_SOFTWARE = 2
RESET_WATCHDOG = 3
RESET_PIN = 4
RESET_OTHER = 5

TICKS_PERIOD = 1 << 29  # of `ticks_ms`


class Board(Crypto):
    """The hardware of one unit."""

    uid = bytes(8)  # of this board, for life
    reset_reason = RESET_OTHER

    @property
    def case_open(self) -> bool:
        """Whether the case is open, or was since the board was started."""
        raise NotImplementedError

    def ticks_ms(self) -> int:
        """Return milliseconds from any beginning, modulo TICKS_PERIOD."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether a host holds the serial line open."""
        raise NotImplementedError

    def read(self) -> bytes:
        """Return the bytes that have arrived; b"" when there are none. Does not wait for long."""
        raise NotImplementedError

    def write(self, data: "bytes | memoryview") -> bool:
        """Send all of `data`; return False after giving up on a host that has left or does not read."""
        raise NotImplementedError

    def nvm_read(self, offset: int, size: int) -> bytes:
        """Return bytes of the nvm sector; erased ones are FF."""
        raise NotImplementedError

    def nvm_write(self, offset: int, data: "bytes | bytearray") -> None:
        """Write to the nvm sector: over bytes that are all FF this programs, else it erases the whole sector first."""
        raise NotImplementedError

    @property
    def snapshots_writable(self) -> bool:
        """Whether the snapshot files are there and can be written."""
        raise NotImplementedError

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        """Return bytes of a snapshot file, fewer at its end; OSError when it is missing."""
        raise NotImplementedError

    def snapshot_write(self, slot: int, data: "bytes | bytearray") -> None:
        """Overwrite a snapshot file in place; OSError when it cannot be written."""
        raise NotImplementedError

    def entropy(self, size: int) -> bytes:
        """Return random bytes, never the same twice; a host adds its own to those that must not be guessed."""
        raise NotImplementedError

    def free_memory(self) -> int:
        """Return the free heap in bytes, 0 when the platform has no such limit."""
        raise NotImplementedError

    def generator(self, p1: str, p2: str, digits: int) -> "KeyGenerator | None":  # noqa: ARG002 (for those that have one)
        """Return what makes the bits of `Generator(p1, p2, digits)` faster, None if nothing here does."""
        return None

    def prepare_generator(self, digits: int) -> None:
        """Load early what `generator` will need for this d: later the heap may have no room for it."""

    def tidy(self) -> None:
        """Use a pause between requests for what would be in the way of the next."""

    def feed_watchdog(self) -> None:
        """Put off the watchdog's reset, and see whether the case is open; called every few seconds."""

    def led(self, on: bool) -> None:
        """Show that a request is being served."""
