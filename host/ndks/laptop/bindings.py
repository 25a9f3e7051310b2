# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Store of this laptop's bindings (PROTOCOL.md section 6).

    DIRECTORY/host_secret           32 random bytes in hex: the secret input of every binding, beside the fingerprint
    DIRECTORY/units/SERIAL.json     the bindings of one unit, with the laptop's characteristics
    DIRECTORY/counters/SERIAL.json  the minimum counters of that unit (ndks.laptop.counters)

DIRECTORY is NDKS_HOME, else the user's configuration directory for ndks. All files have mode 0600.
"""

import hmac
import logging
import re
import secrets
import shlex
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from ndks_protocol import errors
from ndks_protocol.binding import BINDING_SIZE, BindingKeys

from ..crypto import CRYPTO
from ..exceptions import AuthenticationError, FileError, UsageError, reason
from ..files import read_private, refuse_public
from ..on_disk import remove_done
from ..owners import refuse_foreign
from ..paths import make_private_directory
from ..whole_file import write_private
from .bound_unit import Binding, BoundUnit, content_of, unit_from
from .counters import Minimum, MinimumCounters
from .fingerprint import Characteristics, characteristics, differences, fingerprint
from .homes import HOME, home, other_homes

_log = logging.getLogger(__name__)

_UNIT_FILE = re.compile(r"(units|counters)/[0-9A-F]{16}\.json")
_KINDS = ("units", "counters")
_UNBOUND = (
    "if the unit is new: ndks bind, with its 24 words; otherwise use the laptop that it is bound to; "
    "if that is lost, erase the unit: ndks zeroize"
)
_AWAY = "undo the change; if that is impossible: ndks zeroize, then provision the unit on a new lane"


class Greeting(Protocol):
    """The fields of HELLO that a store needs: serial number, salt and binding id, in hex."""

    @property
    def serial_number(self) -> str: ...
    @property
    def salt(self) -> str: ...
    @property
    def binding_id(self) -> str: ...


class BindingStore:
    """The bindings of this laptop in a directory."""

    def __init__(self, directory: Path | None = None, look: Callable[..., Characteristics] = characteristics) -> None:
        self.directory = directory or home()
        self._look = look

    def knows(self, hello: Greeting) -> bool:
        """Return whether the unit is bound to this laptop."""
        return self.unit(hello.serial_number).binding(hello.binding_id) is not None

    def keys(self, hello: Greeting) -> BindingKeys:
        """Return the keys that unlock the unit. AuthenticationError LOCKED, with the reason; FileError."""
        binding = self.unit(hello.serial_number).binding(hello.binding_id)
        if binding is None and self.code(hello):
            what = f"unit {hello.serial_number} was made a member here, and is not bound to this laptop yet"
            raise AuthenticationError(errors.LOCKED, what, "bind it, without words: ndks bind")
        if binding is None:
            raise AuthenticationError(errors.LOCKED, *self._why_unknown(hello.serial_number))
        try:
            present = self._look(with_network=binding.with_network)
        except UsageError as error:  # there is no network
            what = f"this laptop has changed since the unit was bound to it: {error}"
            raise AuthenticationError(errors.LOCKED, what, _AWAY) from None
        changed = differences(binding.characteristics, present)
        if changed:
            # No attempt is made: the unit would count it as a wrong one.
            what = f"this laptop has changed since the unit was bound to it: {', '.join(changed)}"
            raise AuthenticationError(errors.LOCKED, what, _AWAY)
        keys = BindingKeys(CRYPTO, self._binding(hello, present))
        if keys.id.hex() != hello.binding_id:
            what = f"the laptop's secret in {self._secret_path} is not the one of the unit's binding"
            raise AuthenticationError(errors.LOCKED, what, "restore it: ndks bind --restore FILE")
        return keys

    def begin(self, hello: Greeting, *, with_network: bool | None = None) -> bytes:
        """Make a new binding of the unit, store it beside the one that it replaces, and return it."""
        unit = self.unit(hello.serial_number)
        old = unit.binding(hello.binding_id)
        if with_network is None:
            with_network = old is not None and old.with_network
        present = self._look(with_network=with_network)
        value = self._binding(hello, present, create=True)
        new = Binding(BindingKeys(CRYPTO, value).id.hex(), with_network, present)
        kept = (old,) if old and old.binding_id != new.binding_id else ()
        # Each provisioning has a new salt, hence a new binding, and restarts the counters.
        fresh = BoundUnit(hello.serial_number, transport_code=unit.transport_code)
        known = unit if old or unit.binding(new.binding_id) else fresh
        self._save(replace(known, bindings=(new, *kept)))
        return value

    def finish(self, hello: Greeting) -> Binding:
        """Delete the replaced bindings of the unit and return its current one."""
        unit = self.unit(hello.serial_number)
        binding = unit.binding(hello.binding_id)
        if binding is None:
            raise AuthenticationError(errors.LOCKED)
        if len(unit.bindings) > 1 or unit.transport_code:
            try:
                self._save(replace(unit, bindings=(binding,), transport_code=""))
            except (FileError, OSError) as error:  # harmless: the unit is bound, with one stored binding too many
                _log.warning("the old binding of unit %s cannot be deleted: %s", hello.serial_number, error)
        return binding

    def keep_code(self, serial_number: str, code: bytes) -> None:
        """Store the transport code of a unit until it is bound to this laptop. FileError, OSError."""
        self._save(replace(self.unit(serial_number), transport_code=code.hex()))

    def drop_code(self, serial_number: str) -> None:
        """Delete the stored transport code of a unit. FileError, OSError."""
        unit = replace(self.unit(serial_number), transport_code="")
        if unit == BoundUnit(serial_number):
            self.forget(serial_number)
        else:
            self._save(unit)

    def code(self, hello: Greeting) -> bytes:
        """Return the stored transport code, if the unit is bound to it, else b"". FileError."""
        code = bytes.fromhex(self.unit(hello.serial_number).transport_code)
        return code if code and BindingKeys(CRYPTO, code).id.hex() == hello.binding_id else b""

    def minimum_counters(self, hello: Greeting) -> MinimumCounters:
        """Return the minimum counters of the unit. FileError."""
        unit = self.unit(hello.serial_number)
        before = {unit.epoch: Minimum(unit.own_number)} if unit.binding(hello.binding_id) else {}
        return MinimumCounters(self._path(hello.serial_number, "counters"), hello.salt, before)

    def forget(self, serial_number: str) -> None:
        """Delete the files of a unit."""
        for kind in _KINDS:
            remove_done(self._path(serial_number, kind), f"unit {serial_number} is erased")

    def unit(self, serial_number: str) -> BoundUnit:
        """Return a unit with its bindings. FileError."""
        files, path = self._own_files(), self._path(serial_number)
        if path not in files:
            return BoundUnit(serial_number)
        refuse_public(*files)
        try:
            return unit_from(serial_number, read_private(path))
        except ValueError:
            raise _damaged(path) from None

    def units(self) -> list[str]:
        """Return the serial numbers of all units in the store. FileError."""
        refuse_foreign([self.directory])  # what is in it may not even be seen
        refuse_foreign(self.directory / kind for kind in _KINDS)
        return sorted(path.stem for path in (self.directory / "units").glob("*.json"))

    def check(self) -> None:
        """Raise the error with which no unit would open: FileError, AuthenticationError LOCKED, OSError."""
        files = self._own_files()
        refuse_public(*files)
        if self.units():
            self._secret(create=False)

    def prepare(self) -> None:
        """Create the laptop's secret and the directories, where missing. OSError, FileError."""
        self._own_files()
        self._secret(create=True)
        self._make_directories()

    def refuse_existing(self, *, overwrite: bool) -> None:
        """Raise FileError if the store has bindings, unless `overwrite`."""
        if self._secret_path.exists() and not overwrite:
            advice = "keep a copy of them first, ndks bind --backup FILE; then repeat with --force to overwrite them"
            raise FileError(f"{self.directory} has bindings already", advice)

    def export(self) -> dict[str, bytes]:
        """Return the content of all files by their paths in the directory, for `replace`."""
        paths = self._own_files()
        self._secret(create=False)  # raises if it is missing or damaged
        return {path.relative_to(self.directory).as_posix(): read_private(path) for path in paths}

    def replace(self, files: dict[str, bytes], *, overwrite: bool) -> None:
        """Write the files of a backup. FileError if the store has bindings, unless `overwrite`."""
        self.refuse_existing(overwrite=overwrite)
        for name in files:
            if name != self._secret_path.name and not _UNIT_FILE.fullmatch(name):
                raise FileError(f"the backup contains an unexpected file: {name!a}", "do not use it")
        self._make_directories()
        for name, content in files.items():
            write_private(self.directory / name, content, beside=self.directory)

    @property
    def _secret_path(self) -> Path:
        return self.directory / "host_secret"

    def _path(self, serial_number: str, kind: str = "units") -> Path:
        return self.directory / kind / f"{serial_number}.json"

    def _own_files(self) -> list[Path]:
        """Return the existing files: the secret, and those of all units.

        FileError if another user owns a file or directory of the store, and this one may not use it.
        """
        units = [self._path(serial_number, kind) for serial_number in self.units() for kind in _KINDS]
        files = [path for path in (self._secret_path, *units) if path.exists()]
        refuse_foreign(files)
        return files

    def _why_unknown(self, serial_number: str) -> tuple[str, str]:
        """Return the message for a unit without a binding, which tells what was searched, and the advice."""
        units = self.units()
        if serial_number in units:
            found = "has only an earlier binding of it"
        else:
            found = f"has bindings of other units only ({len(units)})" if units else "has no bindings"
        if not self.directory.exists():
            found = "does not exist"
        what = f"no binding of unit {serial_number} was found: this command searched {self.directory}, which {found}"
        others = other_homes(self.directory)
        moved = f"if it is bound here: export {HOME}={shlex.quote(str(others[0]))}; " if others else ""
        return what, (moved or f"if you moved its binding: export {HOME}=DIR; ") + _UNBOUND

    def _binding(self, hello: Greeting, present: Characteristics, *, create: bool = False) -> bytes:
        """Return the binding B (HKDF-SHA256, RFC 5869, one block)."""
        text = sha256(fingerprint(present)).digest()
        key = hmac.digest(bytes.fromhex(hello.salt), self._secret(create=create) + text, "sha256")
        return hmac.digest(key, b"ndks bind\x01", "sha256")

    def _secret(self, *, create: bool) -> bytes:
        path = self._secret_path
        if create and not path.exists():
            self._make_directories()
            try:
                secret = f"{secrets.token_hex(BINDING_SIZE)}\n".encode()
                write_private(path, secret, overwrite=False, beside=self.directory)
            except FileError:  # another process was faster
                if not path.exists():
                    raise
        if not path.exists():
            what = f"the laptop's secret is missing: there is no {path}"
            raise AuthenticationError(errors.LOCKED, what, "restore it: ndks bind --restore FILE")
        try:
            secret = bytes.fromhex(read_private(path).decode())
        except ValueError:
            secret = b""
        if len(secret) != BINDING_SIZE:
            raise _damaged(path)
        return secret

    def _save(self, unit: BoundUnit) -> None:
        self._make_directories()
        write_private(self._path(unit.serial_number), content_of(unit), beside=self.directory)

    def _make_directories(self) -> None:
        try:
            for kind in _KINDS:
                make_private_directory(self.directory / kind)
        except OSError as error:
            what = f"{self.directory} cannot be created: {reason(error)}"
            raise FileError(what, f"check its permissions, or name another in {HOME}") from None


def _damaged(path: Path) -> FileError:
    return FileError(f"{path} is damaged", "restore it from a copy, or run ndks bind --restore FILE")
