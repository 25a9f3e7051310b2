# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command emulate with --units: from nothing to bound units of a new network, which are gone when it ends."""

import argparse
import contextlib
import os
import queue
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ndks
from ndks.driver.joining import Joined
from ndks.driver.running import Notice
from ndks.held_directory import held_directory, remove_abandoned
from ndks.laptop.bindings import BindingStore
from ndks.line.transport import EMULATOR
from ndks.network.network_file import SUFFIX, Network

from .arguments import need
from .emulated_lines import open_line
from .output import Output, need_stdout, note

if TYPE_CHECKING:
    from ndks_emulator import RunningUnit

_PREFIX = "ndks-emulate-"
_HOME = "home"  # the file that says where the bindings are: the next command may have another NDKS_HOME


def emulate_units(args: argparse.Namespace, out: Output) -> None:
    """Run so many units until a signal ends this process; print their ports as one line of JSON."""
    need_stdout()
    need(sys.platform != "win32", "this system has no pseudo-terminals", "use ndks emulate DIR --tcp PORT")
    network = Network.new(args.network)  # refuses a name before anything is made
    failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
    place = Path(tempfile.gettempdir())
    remove_abandoned(_PREFIX, place, _forget)
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(held_directory(_PREFIX, place))
        file = directory / f"{network.name}{SUFFIX}"
        network.save(file)
        (directory / _HOME).write_text(str(BindingStore().directory.absolute()))
        folders = [directory / f"unit{number}" for number in range(1, args.units + 1)]
        members = _members(folders, file, stack)
        units = [_start(folder, member, failures, stack) for folder, member in zip(folders, members, strict=True)]
        note(f"{len(units)} units of network {network.name} in {directory}; Ctrl-C unplugs and deletes them")
        values = {"network": network.name, "network_id": network.network_id, "file": str(file), "pid": os.getpid()}
        values |= {"units": units}
        out.as_json = True  # there is no other form of this answer
        out.result(values, "")
        raise failures.get()


def _forget(directory: Path) -> None:
    """Delete the bindings of units whose process was killed. OSError."""
    for uid in directory.glob("unit*/uid"):
        bindings = BindingStore(Path((directory / _HOME).read_text()))
        with contextlib.suppress(ValueError):  # it was killed while it wrote
            bindings.forget(bytes.fromhex(uid.read_text()).hex().upper())


def _members(folders: list[Path], file: Path, stack: contextlib.ExitStack) -> list[Joined]:
    """Make units that are members, bound to this laptop, and take each other's messages from this laptop only."""
    bindings = BindingStore()
    with contextlib.ExitStack() as opened:
        units = [opened.enter_context(ndks.open(f"{EMULATOR}{folder}", create=True)) for folder in folders]
        for unit in units:
            stack.callback(bindings.forget, unit.hello.serial_number)
        members = [unit.join(file, folder.name) for unit, folder in zip(units, folders, strict=True)]
        for unit, own in zip(units, members, strict=True):
            for other in members:
                if other.lane != own.lane and other.binding:
                    unit.trust(other.lane, other.binding.binding_id)
    return members


def _start(
    folder: Path, member: Joined, failures: "queue.SimpleQueue[BaseException]", stack: contextlib.ExitStack
) -> dict[str, Any]:
    """Run a unit in a thread; return what the result says of it."""
    import ndks_emulator
    from ndks.keys.generator import VectorGenerator  # here, because NumPy is slow to import

    directory = stack.enter_context(ndks_emulator.UnitDirectory(folder, create=False))
    line = open_line(None, None)
    notice = Notice(member.serial_number, folder)
    stack.callback(notice.remove)
    unit = ndks_emulator.RunningUnit(directory, VectorGenerator, line, notice.write)
    stack.callback(_stop, unit)
    notice.write(line.address)
    threading.Thread(target=_serve, args=(unit, failures), daemon=True).start()
    return {"port": line.address, "serial_number": member.serial_number, "lane": member.lane}


def _serve(unit: "RunningUnit", failures: "queue.SimpleQueue[BaseException]") -> None:
    try:
        unit.serve()
    except BaseException as error:  # ends the command, in its main thread
        failures.put(error)


def _stop(unit: "RunningUnit") -> None:
    from ndks_emulator import NotNow

    with contextlib.suppress(NotNow):  # it is busy; its thread ends with this process
        unit.power_off()
