# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Transport to an emulated unit in this process."""

import contextlib
import shlex
import time
from pathlib import Path

from .. import times
from ..exceptions import NoUnit, UnitBusy
from ..files import read_small
from ..owners import foreign_error, is_foreign, refuse_foreign
from ..paths import is_there
from .transport import EMULATOR, MakeGenerator


class EmulatorTransport:
    """A transport to a unit that runs in this process; tests reach its power and its case through `unit`."""

    unplugs = True

    def __init__(self, directory: Path, *, create: bool, make_generator: MakeGenerator | None) -> None:
        import ndks_emulator  # here, because most users have a board

        refuse_foreign([directory])
        if is_there(directory):
            refuse_foreign(directory.glob("*"))
        need_parent(directory)
        try:
            flash = ndks_emulator.UnitDirectory(directory, create=create)
            self.unit = ndks_emulator.MemoryUnit(flash, make_generator=make_generator)
        except ndks_emulator.DirectoryInUse as error:
            raise UnitBusy(
                str(error), "wait until it ends; if it is ndks emulate, use the port that it printed"
            ) from None
        except ndks_emulator.OtherKind as error:
            advice = f"run it, ndks emulate {directory}, and name the port that this prints"
            raise NoUnit(str(error), advice) from None
        except ndks_emulator.NoUnitThere as error:
            advice = f"check the name; ndks provision NETWORK --unit {EMULATOR}{directory} makes one"
            raise NoUnit(str(error), advice) from None
        except ndks_emulator.DirectoryError as error:
            if is_foreign(directory):
                raise foreign_error(directory) from None
            raise NoUnit(str(error), "name another directory; ndks makes a new unit in an empty directory") from None

    def write(self, data: bytes) -> None:
        self.unit.write(data)

    def read(self) -> bytes:
        data = self.unit.read()
        if not data:
            time.sleep(times.READ_SLICE)  # waits as a serial port does
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.unit.close()


def port_beside(port: str, serial_number: str) -> str:
    """Return the port of the emulated unit with this serial number in a directory beside that of `port`, or ""."""
    if not port.startswith(EMULATOR):
        return ""
    for file in sorted(Path(port.removeprefix(EMULATOR)).parent.glob("*/uid")):
        with contextlib.suppress(OSError, ValueError):
            if (
                file.with_name("nvm.bin").is_file()
                and read_small(file).decode().strip().upper() == serial_number.upper()
            ):
                return f"{EMULATOR}{file.parent}"
    return ""


def need_parent(directory: Path) -> None:
    """Raise NoUnit if a directory of an emulated unit cannot be made because its parent is missing."""
    if not is_there(directory.parent):
        raise NoUnit(
            f"there is no directory {directory.parent}",
            f"check the name, or create it: mkdir -p {shlex.quote(str(directory.parent))}",
        )
