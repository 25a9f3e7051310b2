# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The life cycle of a unit: blank, locked, unlocked or tampered, and the transitions between them."""

from ndks_protocol import errors, wire
from ndks_protocol.capsule import LARGEST_PIECE
from ndks_protocol.kdf import wipe

from .binding_record import BindingRecord
from .board import Board
from .flash import erasure, records
from .flash.counters import MessageCounter
from .flash.record_log import RecordLog
from .member import OpenMember
from .membership import Membership
from .messages.in_progress import Incoming, Sealing
from .messages.windows import Windows
from .network import has_generations, open_with_generations
from .sessions import Session

try:
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from .network.held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass


class State:
    """The state of a unit. `opened` is None while the unit is locked."""

    def __init__(self, board: Board):
        self.board = board
        self.dropped_frames = 0
        self.opened: "Membership | None" = None  # an OpenMember, once the unit has an epoch
        self.other: "OpenMember | None" = None  # the last other epoch that was used
        self.roles: "Network | None" = None  # epoch and role in a network, if they are needed in this session
        self.sealing = Sealing()
        self.incoming: "Incoming | None" = None
        # The buffer for a piece or a chunk, allocated at start: later the heap may have no contiguous block.
        self.piece = memoryview(bytearray(LARGEST_PIECE))
        self.log = RecordLog(board)
        self.windows = Windows(self.log)
        self.session = Session(board, self.log)
        self.load()
        if self.unfinished:
            self._try_to_erase(self.unfinished)
        self.erase_if_opened()
        self._complete_start()
        self.session.ephemeral.prepare()

    def load(self) -> None:
        """Load the state from flash."""
        self.lock()
        self.session.forget_attempts()
        self.log.load()
        self.unfinished = erasure.find_unfinished(self.board)  # until this erasure is complete, the unit ignores flash
        body = None if self.is_foreign or self.unfinished else self.log.body(records.BINDING)
        self.binding = BindingRecord(body) if body else None
        self.message_counter = MessageCounter(self.log)
        self.sealing = Sealing()
        if self.binding:
            self.log.set_auth(self.binding.auth)
            self.board.prepare_generator(self.binding.digits)

    @property
    def lifecycle(self) -> int:
        """One of wire.STATE_..."""
        if self.opened:
            return wire.STATE_PROVISIONED
        if self.binding:
            return wire.STATE_LOCKED
        return wire.STATE_TAMPERED if self.is_tampered else wire.STATE_BLANK

    @property
    def flags(self) -> int:
        """The flags of HELLO and STATUS."""
        flags = 0
        if self.log.format < records.OLDEST_FORMAT:
            flags |= wire.NOT_SEALED
        if not self.board.snapshots_writable:
            flags |= wire.READ_ONLY
        if self.log.format > records.CURRENT_FORMAT:
            flags |= wire.NEWER_STATE
        return flags

    @property
    def is_tampered(self) -> bool:
        """Whether the case is or was open. ZEROIZE resets this."""
        tampered = self.log.body(records.TAMPERED) is not None or self.unfinished == erasure.BY_TAMPERING
        return tampered or self.board.case_open

    @property
    def is_foreign(self) -> bool:
        """Whether another version of the firmware wrote the state, which must not be changed."""
        return not records.OLDEST_FORMAT <= self.log.format <= records.CURRENT_FORMAT

    @property
    def auth(self) -> "bytes | None":
        """The secret A of the binding, None without one."""
        return self.binding.auth if self.binding else None

    @property
    def bound(self) -> BindingRecord:
        """The binding. UnitError(BLANK): there is none."""
        if self.binding is None:
            raise errors.UnitError(errors.BLANK)
        return self.binding

    @property
    def member(self) -> OpenMember:
        """The unlocked member. UnitError LOCKED; NO_EPOCH: it waits for its first notice."""
        if self.opened is None:
            raise errors.UnitError(errors.LOCKED)
        if not isinstance(self.opened, OpenMember):
            raise errors.UnitError(errors.NO_EPOCH)
        return self.opened

    def unlock(self, kek: bytes) -> None:
        """Decrypt the secrets with the host's key. UnitError(KEK): the key is wrong."""
        self.lock()
        self.log.unlock(kek)
        try:
            record = self.log.body(records.MEMBERSHIP)
            if record is None:
                raise errors.UnitError(errors.KEK)
            if has_generations(self.log):
                open_with_generations(self)
            else:
                self.opened = OpenMember(self.board, self.log, record)
            self.message_counter.begin()
        except BaseException:
            self.lock()
            raise

    def lock(self) -> None:
        """Overwrite every secret, and discard the messages being sealed and opened."""
        self.board.forget_key()
        self.log.lock()
        wipe(self.piece)
        self.sealing.end()
        self.begin_opening(None)
        for secret in (self.opened, self.other, self.roles):
            if secret:
                secret.wipe()
        self.opened = self.other = self.roles = None

    def begin_opening(self, incoming: "Incoming | None") -> None:
        """Make this the message being opened, and discard the previous one."""
        if self.incoming:
            self.incoming.wipe()
        self.incoming = incoming

    def end_session(self) -> None:
        """End the session and lock the unit."""
        self.session.end()
        self.lock()

    def settle_binding(self) -> None:
        """Complete a change of the binding that a power cut has interrupted."""
        if self.binding:
            settled = self.binding.as_settled()
            self.log.settle(settled.body)
            self.binding = settled

    def erase(self, cause: bytes) -> None:
        """Erase everything. UnitError(STORAGE): the files are not writable; the next start tries again."""
        self.end_session()
        self.session.ephemeral.wipe()
        try:
            erasure.erase(self.board, self.log.storage, self.log.erases, cause)
        finally:
            self.load()

    def erase_if_opened(self) -> bool:
        """Erase everything if the case is open, and return whether there was anything to erase."""
        if not self.board.case_open or self.unfinished:
            return False
        if not (self.binding or self.is_foreign or self.log.has_remains):
            self.session.forget()
            return False
        self._try_to_erase(erasure.BY_TAMPERING)
        return True

    def _try_to_erase(self, cause: bytes) -> None:
        try:
            self.erase(cause)
        except errors.UnitError:
            pass  # the next start tries again; until then the unit ignores flash, where all secrets are sealed

    def _complete_start(self) -> None:
        """Count this start. On a blank unit, complete an erasure that a power cut interrupted at its very end."""
        try:
            if self.binding is None:
                if not self.is_foreign and not self.unfinished:
                    self.log.complete()
            elif self.log.body(records.BOOTS):
                self.log.count(records.BOOTS)
            else:
                self.log.append(records.BOOTS, records.FIRST)
        except errors.UnitError:
            pass  # the log is full until the next UNLOCK: do not count this start
