# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands bind, trust and zeroize."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ndks
from ndks.driver.answers import TAMPERED
from ndks.driver.finding import port_of
from ndks.driver.unit import Unit
from ndks.exceptions import FileError, NoUnit
from ndks.files import read_small
from ndks.laptop import backup
from ndks.laptop.bindings import BindingStore
from ndks.laptop.bound_unit import Binding
from ndks.laptop.fingerprint import characteristics, differences
from ndks.laptop.words import WORDS, from_words
from ndks.network.admission import note_binding
from ndks.network.network_file import Member, Network
from ndks.whole_file import private_file, refuse_existing
from ndks_protocol.commands import MAX_LANE

from . import stdin
from .arguments import add_path, add_unit, bounded, need
from .confirmation import ask
from .output import Output, need_stdout, note
from .parser import Parser, set_up
from .typed_words import typed_words

_HEXADECIMAL = set("0123456789abcdef")
_ID_DIGITS = 32
_OPTIONAL = "Optional, so that other units refuse its messages from other laptops"
_SERIAL_DIGITS = 16


def add_bind(parser: Parser) -> None:
    set_up(parser, _BIND_EXAMPLES, bind)
    parser.add_argument(
        "--with-network",
        action=argparse.BooleanOptionalAction,
        help="bind it to the laptop's router and subnet as well; such a unit does not open without that network, as in "
        "a cage (default: no, or as before)",
    )
    parser.add_argument(
        "--allow-jump",
        action="store_true",
        help="permit a jump of the unit's counters by more than 2^20, after an old flash image was restored",
    )
    kind = parser.add_mutually_exclusive_group()
    add_path(kind, "--code", metavar="FILE", help="read the transport code from FILE; - is stdin, the default")
    kind.add_argument("--show", action="store_true", help="only show what this laptop is known by, and its units")
    kind.add_argument(
        "--forget", metavar="SERIAL", type=_serial_number, help="delete the binding of a unit, to open it no more"
    )
    add_path(kind, "--backup", metavar="FILE", help="write an encrypted backup, and show its code")
    add_path(kind, "--restore", metavar="FILE", help="restore a backup; its code is read from stdin")
    parser.add_argument("--force", action="store_true", help="overwrite FILE (--backup) or bindings (--restore)")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation of --forget")
    add_unit(parser)


def add_trust(parser: Parser) -> None:
    set_up(parser, _TRUST_EXAMPLES, trust)
    parser.add_argument("lane", metavar="LANE", type=_lane, help="the other unit's lane")
    parser.add_argument("binding_id", metavar="ID", type=_binding_id, help="the other unit's binding id; 0 deletes it")
    add_path(
        parser,
        "--network",
        completes="NETWORK",
        metavar="FILE",
        help="write the id to this network file instead of a unit",
    )
    add_unit(parser)


def add_zeroize(parser: Parser) -> None:
    set_up(parser, _ZEROIZE_EXAMPLES, zeroize)
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    add_unit(parser)


_BIND_EXAMPLES = """\
  ndks bind                        asks for the 24 words that ndks provision showed
  ndks bind --code code.txt        ... or reads them from a file
  ndks bind --show                 the characteristics of this laptop, and its units
  ndks bind --show --unit emulator:alice
  ndks bind --forget 3449387DD188BE6A    a lost unit; zeroize deletes the binding itself
  ndks bind --backup home.sealed   an encrypted backup, for a failed disk
  ndks bind --restore home.sealed
  ndks bind --allow-jump           after an old image of the unit's flash was restored"""
_TRUST_EXAMPLES = """\
  ndks trust 2 fb86974ccb6775c0141d8ae5852681a2     messages of lane 2 must come from this laptop
  ndks trust 2 0                                    ... or from any laptop
  ndks trust 2 fb86974ccb6775c0141d8ae5852681a2 --network office.ndksnet"""
_ZEROIZE_EXAMPLES = """\
  ndks zeroize                     asks first; afterwards the unit can be provisioned, on a new lane
  ndks zeroize --unit emulator:alice --yes"""


def bind(args: argparse.Namespace, out: Output) -> None:
    if args.show:
        _show(args, out)
    elif args.forget:
        _forget(args, out)
    elif args.backup:
        _back_up(args, out)
    elif args.restore:
        _restore(args, out)
    else:
        _bind(args, out)


def trust(args: argparse.Namespace, out: Output) -> None:
    if args.network:
        Network.load(args.network)  # reports an invalid file before the lock
        note_binding(args.network, args.lane, args.binding_id)
        where = {"file": str(args.network)}
    else:
        where = {"serial_number": _tell(args)}
    known = args.binding_id.strip("0")
    who = where.get("file") or f"unit {where['serial_number']}"
    text = f"{who} accepts messages of lane {args.lane} from {'the laptop with this id' if known else 'any laptop'}"
    out.done({"lane": args.lane, "binding_id": args.binding_id, **where}, text)


def _tell(args: argparse.Namespace) -> str:
    """Write the binding id of another unit to a unit, and return its serial number."""
    try:
        with ndks.open(args.unit, args.timeout) as unit:
            unit.trust(args.lane, args.binding_id)
            return unit.hello.serial_number
    except NoUnit as error:
        if args.unit is None:
            error.advice = "name the unit to write to: --unit UNIT"
        raise


def zeroize(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        serial_number = unit.hello.serial_number
        if not args.yes:
            ask(f"unit {serial_number} will be erased.")
        unit.zeroize()
        state = unit.hello.state
    how = "To use it again, on a new lane: ndks provision NETWORK"
    if state == TAMPERED:
        how = "Its case is or was open: close it, plug the unit in again, and repeat ndks zeroize"
    out.done({"serial_number": serial_number, "state": state}, f"unit {serial_number} is erased. {out.advised(how)}")


def bound_values(serial_number: str, lane: int, binding: Binding) -> dict[str, Any]:
    """Return the result of binding a unit, for JSON."""
    names = sorted({name for name, _ in binding.characteristics})
    values = {"serial_number": serial_number, "lane": lane, "binding_id": binding.binding_id}
    return {**values, "characteristics": names, "with_network": binding.with_network}


def bound_text(values: dict[str, Any], port: str, members: Sequence[Member] = ()) -> str:
    """Return the result of binding the unit at `port` as text, with a line for each of the `members` of its network."""
    if not values["characteristics"]:
        note("WARNING: no characteristic of this laptop can be read: the binding rests on the laptop's secret alone")
    trust = f"ndks trust {values['lane']} {values['binding_id']}"
    lines = [f"unit {values['serial_number']} is bound to this laptop. {_OPTIONAL}:"]
    others = [member for member in members if member.lane != values["lane"]]
    for member in others:
        who = ", ".join(filter(None, [f"lane {member.lane}", f"unit {member.serial_number}", member.label]))
        place = shlex.quote(port_of(member.serial_number, port) or "UNIT")
        lines.append(f"{trust} --unit {place}    # {who}")
    return "\n".join([*lines, *([] if others else [f"{trust} --unit UNIT"])])


def _bind(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        unit.check_member()
        if args.allow_jump:
            _go_on_far(unit, out)
            return
        known = (unit.is_bound_here or unit.has_code_here) and not args.code
        code = b"" if known else _read_code(args.code, "the transport code")
        binding = unit.bind(code, with_network=args.with_network)
        values = bound_values(unit.hello.serial_number, unit.status().lane, binding)
    out.done(values, bound_text(values, unit.port))


def _go_on_far(unit: Unit, out: Output) -> None:
    status = unit.unlock(allow_jump=True)
    values = {"serial_number": unit.hello.serial_number, "message_counter": status.message_counter}
    out.done(values, f"unit {values['serial_number']} goes on after message {values['message_counter']}")


def _show(args: argparse.Namespace, out: Output) -> None:
    present = characteristics(with_network=bool(args.with_network))
    store = BindingStore()
    units: list[dict[str, Any]] = []
    for serial_number in _asked_for(args, store):
        for binding in store.unit(serial_number).bindings:
            changed = _changes(binding)
            values = {"serial_number": serial_number, "binding_id": binding.binding_id, "differences": changed}
            units.append(values)
    rows = [f"{name:12}{value}" for name, value in present] or [
        "no characteristics: a binding rests on this laptop's secret alone"
    ]
    rows += [
        f"unit {unit['serial_number']}: {', '.join(unit['differences']) or 'unchanged since it was bound'}"
        for unit in units
    ]
    out.result({"characteristics": [list(pair) for pair in present], "units": units}, "\n".join(rows))


def _asked_for(args: argparse.Namespace, store: BindingStore) -> list[str]:
    """Return the serial number of --unit, attached or not, or those of all units."""
    if args.unit is None:
        return store.units()
    serial_number = args.unit.upper()
    if serial_number not in store.units():
        with ndks.open(args.unit, args.timeout) as unit:
            serial_number = unit.hello.serial_number
    what = f"unit {serial_number} is not bound to this laptop"
    need(serial_number in store.units(), what, "ndks bind --show shows all that are")
    return [serial_number]


def _forget(args: argparse.Namespace, out: Output) -> None:
    store = BindingStore()
    serial_number = args.forget
    known = ", ".join(store.units()) or "none"
    need(
        serial_number in store.units(),
        f"unit {serial_number} is not bound to this laptop",
        f"units bound to it: {known}",
    )
    if not args.yes:
        ask(f"if unit {serial_number} is still bound to this laptop, it can afterwards only be erased.")
    store.forget(serial_number)
    if serial_number in store.units():
        raise FileError(f"unit {serial_number} could not be deleted", f"check the permissions of {store.directory}")
    out.done({"serial_number": serial_number}, f"the binding of unit {serial_number} is deleted")


def _changes(binding: Binding) -> list[str]:
    try:
        return differences(binding.characteristics, characteristics(with_network=binding.with_network))
    except ndks.UsageError as error:  # there is no network
        return [str(error)]


def _back_up(args: argparse.Namespace, out: Output) -> None:
    need_stdout()
    refuse_existing(args.backup, args.force, "--backup")
    words, sealed = backup.seal(BindingStore())
    text = f"only these words decrypt {args.backup}; write them down, and keep them elsewhere:\n{words}"
    with private_file(args.backup, overwrite=args.force) as file:
        file.write(sealed)
        file.flush()
        out.result({"file": str(args.backup), "backup_code": words}, text)  # if this fails, the former file stays


def _restore(args: argparse.Namespace, out: Output) -> None:
    sealed = read_small(args.restore)
    store = BindingStore()
    store.refuse_existing(overwrite=args.force)
    units = backup.restore(store, sealed, _read_code(None, "the code of the backup"), overwrite=args.force)
    text = f"{store.directory}: restored the bindings of {len(units)} units: {', '.join(units)}"
    out.done({"directory": str(store.directory), "serial_numbers": units}, text)


def _read_code(path: Path | None, what: str) -> bytes:
    if path is not None and str(path) != "-":
        return from_words(read_small(path).decode(errors="replace"))
    if not stdin.is_terminal():
        return from_words(stdin.read_all())
    note(f"type {what}, 24 words, and press Enter:")
    return from_words(typed_words(WORDS))


def _lane(text: str) -> int:
    return bounded(text, 1, MAX_LANE, f"a lane must be between 1 and {MAX_LANE}")


def _serial_number(text: str) -> str:
    if len(text) != _SERIAL_DIGITS or set(text.lower()) - _HEXADECIMAL:
        raise argparse.ArgumentTypeError(f"a serial number has {_SERIAL_DIGITS} hexadecimal digits")
    return text.upper()


def _binding_id(text: str) -> str:
    digits = text.lower().rjust(_ID_DIGITS, "0") if set(text) == {"0"} else text.lower()
    if len(digits) != _ID_DIGITS or set(digits) - _HEXADECIMAL:
        raise argparse.ArgumentTypeError("a binding id has 32 hexadecimal digits")
    return digits
