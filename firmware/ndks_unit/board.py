# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Hardware abstraction of a unit: serial line, flash, entropy, AES, SHA-256. An RP2040 and a PC differ only here."""

from ndks_protocol.kdf import Crypto

try:
    from typing import Protocol

    class KeyBits(Protocol):
        """The bits of one key."""

        @property
        def index(self) -> int: ...

        @property
        def piece(self) -> int:
            """The maximum number of bytes per read: it ends before the watchdog expires, or feeds the watchdog."""
            ...

        def read_into(self, view: "bytearray | memoryview", first: int) -> None:
            """Fill `view` with the bits from element `first` on, a multiple of 8."""

    class KeyGenerator(Protocol):
        """A generator with the same bits as `ndks_protocol.generator.Generator`."""

        def key(self, index: int) -> KeyBits: ...

except ImportError:  # not on the board, where annotations are not evaluated
    pass

# Reasons of the last reset
RESET_POWER_ON = 0
RESET_BROWNOUT = 1
RESET_SOFTWARE = 2
RESET_WATCHDOG = 3
RESET_PIN = 4
RESET_OTHER = 5

TICKS_PERIOD = 1 << 29  # modulus of `ticks_ms`


class Board(Crypto):
    """The hardware of one unit."""

    uid = bytes(8)  # the unique id of the chip
    block = 256  # bytes to allocate at once while the unit serves requests: a fragmented heap may have no larger block
    reset_reason = RESET_OTHER
    received: "bytes | bytearray" = b""  # valid until the next call of `receive`

    @property
    def case_open(self) -> bool:
        """Whether the case is open, or has been open since the board started."""
        raise NotImplementedError

    def ticks_ms(self) -> int:
        """Return a monotonic time in milliseconds, modulo TICKS_PERIOD."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether a host has opened the serial line."""
        raise NotImplementedError

    def receive(self) -> int:
        """Receive bytes into `received`, and return their number. Wait for a short time at most."""
        raise NotImplementedError

    def write(self, data: "bytes | memoryview") -> bool:
        """Send all of `data`. Return False if the host has left or does not read."""
        raise NotImplementedError

    def nvm_read(self, offset: int, size: int) -> bytes:
        """Return bytes of the nvm sector. Erased bytes are FF."""
        raise NotImplementedError

    def nvm_write(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        """Write to the nvm sector. If the bytes there are not all FF, the whole sector is erased first."""
        raise NotImplementedError

    @property
    def snapshots_writable(self) -> bool:
        """Whether the snapshot files exist and are writable."""
        raise NotImplementedError

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        """Return up to `size` bytes of a snapshot file. OSError: it is missing."""
        raise NotImplementedError

    def snapshot_write(self, slot: int, data: "bytes | bytearray") -> None:
        """Overwrite a snapshot file in place. OSError: it is not writable."""
        raise NotImplementedError

    def entropy(self, size: int) -> bytes:
        """Return unique random bytes. For unpredictable values the host contributes random bytes of its own."""
        raise NotImplementedError

    def free_memory(self) -> int:
        """Return the free heap in bytes, 0 if the platform has no limit."""
        raise NotImplementedError

    def generator(self, p1: str, p2: str, digits: int) -> "KeyGenerator | None":  # noqa: ARG002 (for those that have one)
        """Return a faster generator with the bits of `Generator(p1, p2, digits)`, or None."""
        return None

    def prepare_generator(self, digits: int) -> None:
        """Load the tables and modules of `generator` for this d early: later the heap may have no room for them."""

    def tidy(self) -> None:
        """Collect garbage: in a pause between two requests, and before and after a module is loaded for one."""

    def feed_watchdog(self) -> None:
        """Feed the watchdog and sample the case switch. Call this every few seconds."""

    def led(self, on: bool) -> None:
        """Switch the LED, which is on while the unit serves a request."""
