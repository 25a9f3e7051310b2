# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages in capsules: a received one is opened, stored, and only then accepted."""

import contextlib
import io
import itertools
from collections.abc import Callable, Generator
from pathlib import Path

from ndks_protocol import commands, errors

from ..exceptions import DeviceError, UsageError
from ..files import Sink, Source, reading, storing, writing
from ..line.link import Link
from . import capsules
from .answers import Inspected, name_of
from .blocks import Progress
from .capsules import Checked, Unsealed
from .opened import OpenUnit, advising, step

_NOT_NEW = (errors.DUPLICATE, errors.TOO_OLD, errors.TOO_FAR, errors.SENDERS)
_STORED = "nothing: the message is stored, but the unit may open it a second time"


class ReceivedMessage:
    """A message in its capsule; `unsealed` describes it once all of it is verified."""

    unsealed: Unsealed | None = None

    def __init__(self, link: Link, source: Source, mode: str, flags: int) -> None:
        if mode not in (*capsules.MODES, capsules.FASTER):
            raise UsageError("there is no such mode")
        self._link = link
        self._source = source
        self._mode = mode
        self._flags = flags

    def unseal_into(self, sink: Sink, progress: Progress = capsules.no_progress) -> Unsealed:
        """Write the data to `sink`. The data is authentic only when this has returned."""
        self.unsealed = capsules.unseal(self._link, self._source, sink, self._mode, self._flags, progress)
        return self.unsealed

    def read(self) -> bytes:
        """Return the data."""
        sink = io.BytesIO()  # hides the data until all of it is verified
        self.unseal_into(sink)
        return sink.getvalue()


class MessageVerbs(OpenUnit):
    """The commands for capsules, and operations made of them."""

    @step
    def encrypt(
        self,
        source: "Path | str | Source",
        target: "Path | str | Sink",
        *,
        cipher: str = "",
        mode: str = "b",
        overwrite: bool = False,
        progress: Progress = capsules.no_progress,
        told_check: Callable[[bytes, bytes], object] | None = None,
    ) -> int:
        """Seal a file of any length in a capsule and return the size of its data in bytes.

        In mode "b" the unit encrypts; in mode "a" the host encrypts with keys from the unit. `cipher` defaults to that
        of the network. A target path is written atomically; FileError if it exists, unless `overwrite`. `progress` is
        called with the number of bytes read since the last call; `told_check`, at the end, with the header and the key
        check value of the capsule, b"" if the unit does not tell it: this unit itself does not open the capsule.
        """
        cipher = cipher or self.unlock().cipher
        if mode not in capsules.MODES or cipher not in commands.CIPHERS:
            raise UsageError("there is no such mode or cipher")
        with reading(source) as readable, writing(target, overwrite=overwrite) as sink:
            pieces = capsules.pieces_to_seal(readable, cipher, mode, progress)
            header, chunks, check = capsules.seal(self._link, pieces, cipher, mode)
            self._owner.note_sealed()
            capsules.write_all(itertools.chain([header], chunks), sink)
            if told_check:
                told_check(header, check())
            return pieces.size

    @step
    def decrypt(
        self,
        source: "Path | str | Source",
        target: "Path | str | Sink",
        *,
        mode: str = capsules.FASTER,
        again: bool = False,
        allow_jump: bool = False,
        overwrite: bool = False,
        progress: Progress = capsules.no_progress,
    ) -> Unsealed:
        """Open a capsule, store its data, and then accept it: an interrupted call can be repeated.

        Nothing is written to `target` before the whole capsule is verified; a file gets mode 0600. `again` opens a
        capsule that was accepted before, and accepts nothing. `allow_jump` opens one that is more than 2^20 numbers
        ahead. `mode` is the faster one by default: "a" for cipher aes and more than 4 KB, else "b". DeviceError: SUITE,
        KIND, REFLECTED, DUPLICATE, TOO_OLD, TOO_FAR, SENDERS; AuthenticationError: CAPSULE_VERSION, HEADER, AUTH,
        DIVERGED, BINDING.
        """
        taking = self.taking_message(source, mode=mode, again=again, allow_jump=allow_jump)
        with taking as message, storing(target, overwrite=overwrite) as sink:
            return message.unseal_into(sink, progress)

    @contextlib.contextmanager
    def taking_message(
        self,
        source: "Path | str | Source",
        *,
        mode: str = capsules.FASTER,
        again: bool = False,
        allow_jump: bool = False,
    ) -> Generator[ReceivedMessage]:
        """Yield the message in a capsule; accept it when the block ends without an exception.

        The block stores the data. If it fails, or with `again`, the capsule is not accepted and can be opened again.
        Raises the errors of `decrypt`. Other threads wait for the block.
        """
        flags = (commands.AGAIN if again else 0) | (commands.ALLOW_JUMP if allow_jump else 0)
        with self.turn(), reading(source) as readable:
            message = ReceivedMessage(self._link, readable, mode, flags)
            yield message
            if message.unsealed and not again:
                with advising(_STORED):
                    self.accept(message.unsealed.header, allow_jump=allow_jump)

    @step
    def seal(self, data: bytes, *, cipher: str = "", mode: str = "b") -> bytes:
        """Seal bytes in a capsule and return it; see `encrypt`."""
        sink = io.BytesIO()
        self.encrypt(io.BytesIO(data), sink, cipher=cipher, mode=mode)
        return sink.getvalue()

    @step
    def unseal(
        self, capsule: bytes, *, mode: str = capsules.FASTER, again: bool = False, allow_jump: bool = False
    ) -> bytes:
        """Open and accept a capsule and return its data; see `decrypt`. `taking_message` loses none in a crash."""
        taking = self.taking_message(io.BytesIO(capsule), mode=mode, again=again, allow_jump=allow_jump)
        with taking as message:
            return message.read()

    @step
    def accept(self, header: bytes, *, allow_jump: bool = False) -> None:
        """Report that the message of the capsule with this header is stored: the unit does not open it twice."""
        self._link.call(commands.ACCEPT, header[: commands.WIRE_HEADER_SIZE], allow_jump)

    @step
    def check_message(self, source: "Path | str | Source") -> Checked:
        """Return the key check value of a capsule as this unit computes it, to compare it by another channel.

        The text is not kept, nothing is accepted, and the capsule may have been accepted before. DeviceError as
        `decrypt`; REFLECTED for the unit's own capsules: `encrypt` tells the check value of these.
        """
        with reading(source) as readable:
            return capsules.check_capsule(self._link, readable)

    @step
    def inspect(self, header: bytes) -> Inspected:
        """Return the fields of a capsule's header; abort any opening in progress. DeviceError."""
        header = capsules.read_header(io.BytesIO(header))
        seen = self._link.call(commands.OPEN_BEGIN, header, commands.AGAIN | commands.ALLOW_JUMP)
        try:
            self._link.call(commands.OPEN_BEGIN, header, 0)
            state = "new"
        except DeviceError as error:
            if error.number not in _NOT_NEW:
                raise
            state = error.code
        return Inspected(seen.lane, seen.number, name_of(commands.CIPHERS, seen.cipher), state)
