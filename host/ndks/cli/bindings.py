# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""bind, trust, zeroize."""

import argparse
from pathlib import Path
from typing import Any

import ndks
from ndks.driver.answers import TAMPERED
from ndks.driver.unit import Unit
from ndks.exceptions import Declined
from ndks.files import private_file, read_small, refuse_existing
from ndks.laptop import backup
from ndks.laptop.bindings import Binding, BindingStore
from ndks.laptop.fingerprint import characteristics, differences
from ndks.laptop.words import WORDS, from_words
from ndks.network.network_file import Network, note_binding
from ndks_protocol.commands import MAX_LANE

from . import stdin
from .arguments import add_path, add_unit, bounded, need
from .output import Output, need_stdout, note
from .parser import Parser, set_up

_ID_DIGITS = 32


def add_bind(parser: Parser) -> None:
    set_up(parser, _BIND_EXAMPLES, bind)
    parser.add_argument(
        "--with-network",
        action=argparse.BooleanOptionalAction,
        help="and to the router and subnet that the laptop uses: not for units that must work without a network, as in "
        "a cage (default: no, or as it was)",
    )
    parser.add_argument(
        "--allow-jump",
        action="store_true",
        help="let the unit go on above numbers far above its own: an old image of its flash was put back",
    )
    kind = parser.add_mutually_exclusive_group()
    add_path(kind, "--code", metavar="FILE", help="read the transport code from there; - is stdin, the default")
    kind.add_argument("--show", action="store_true", help="show what this laptop is known by, and do nothing")
    add_path(kind, "--backup", metavar="FILE", help="write a sealed copy of this laptop's bindings, and show its code")
    add_path(kind, "--restore", metavar="FILE", help="bring such a copy back; its code is read from stdin")
    parser.add_argument("--force", action="store_true", help="overwrite FILE of --backup, the bindings with --restore")
    add_unit(parser)


def add_trust(parser: Parser) -> None:
    set_up(parser, _TRUST_EXAMPLES, trust)
    parser.add_argument("lane", metavar="LANE", type=_lane, help="the other unit's lane")
    parser.add_argument("binding_id", metavar="ID", type=_binding_id, help="its binding id; 0 forgets it")
    add_path(
        parser,
        "--network",
        completes="NETWORK",
        metavar="FILE",
        help="write it into this network file instead of a unit",
    )
    add_unit(parser)


def add_zeroize(parser: Parser) -> None:
    set_up(parser, _ZEROIZE_EXAMPLES, zeroize)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_unit(parser)


_BIND_EXAMPLES = """\
  ndks bind                        asks for the 24 words that ndks provision has shown
  ndks bind --code code.txt        ... or reads them from a file
  ndks bind --show                 what this laptop is known by
  ndks bind --backup home.sealed   a copy for the day on which this laptop's disk fails
  ndks bind --restore home.sealed
  ndks bind --allow-jump                  after an old image of the unit's flash was put back"""
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
    elif args.backup:
        _back_up(args, out)
    elif args.restore:
        _restore(args, out)
    else:
        _bind(args, out)


def trust(args: argparse.Namespace, out: Output) -> None:
    if args.network:
        Network.load(args.network)  # a file that is none is reported before it is locked
        note_binding(args.network, args.lane, args.binding_id)
        where = str(args.network)
    else:
        with ndks.open(args.unit, args.timeout) as unit:
            unit.trust(args.lane, args.binding_id)
            where = f"unit {unit.hello.serial_number}"
    known = args.binding_id.strip("0")
    text = f"{where} takes messages of lane {args.lane} from {'the laptop with this id' if known else 'any laptop'}"
    out.done({"lane": args.lane, "binding_id": args.binding_id, "where": where}, text)


def zeroize(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        serial_number = unit.hello.serial_number
        if not args.yes:
            _confirm(serial_number)
        unit.zeroize()
        state = unit.hello.state
    how = "Provisioned again, it gets a new lane: ndks provision NETWORK"
    if state == TAMPERED:
        how = "Its case is or was open: close it, plug the unit in anew, and say ndks zeroize once more"
    out.done({"serial_number": serial_number, "state": state}, f"unit {serial_number} is erased. {how}")


def bound_values(unit: Unit, binding: Binding) -> dict[str, Any]:
    """Return what is said of a unit that was bound to this laptop."""
    lane = unit.member_status().lane
    names = sorted({name for name, _ in binding.characteristics})
    values = {"unit": unit.hello.serial_number, "lane": lane, "binding_id": binding.binding_id}
    return {**values, "characteristics": names, "with_network": binding.with_network}


def bound_text(values: dict[str, Any]) -> str:
    """Return the same in words."""
    if not values["characteristics"]:
        note("WARNING: nothing of this laptop can be read that it is known by: the binding rests on its secret alone")
    return (
        f"unit {values['unit']} is bound to this laptop; where the other units are, say:\n"
        f"ndks trust {values['lane']} {values['binding_id']}"
    )


def _bind(args: argparse.Namespace, out: Output) -> None:
    with ndks.open(args.unit, args.timeout) as unit:
        unit.check_member()
        if args.allow_jump:
            _go_on_far(unit, out)
            return
        known = unit.is_bound_here and not args.code
        code = b"" if known else _read_code(args.code, "the transport code")
        values = bound_values(unit, unit.bind(code, with_network=args.with_network))
    out.done(values, bound_text(values))


def _go_on_far(unit: Unit, out: Output) -> None:
    unit.unlock(allow_jump=True)
    values = {"unit": unit.hello.serial_number, "message_counter": unit.status().message_counter}
    out.done(values, f"unit {values['unit']} goes on above message {values['message_counter']}")


def _show(args: argparse.Namespace, out: Output) -> None:
    present = characteristics(with_network=bool(args.with_network))
    store = BindingStore()
    units: list[dict[str, Any]] = []
    for serial_number in store.units():
        for binding in store.unit(serial_number).bindings:
            changed = _changes(binding)
            units.append({"unit": serial_number, "binding_id": binding.binding_id, "differences": changed})
    rows = [f"{name:12}{value}" for name, value in present] or [
        "nothing: a binding rests on this laptop's secret alone"
    ]
    rows += [f"unit {unit['unit']}: {', '.join(unit['differences']) or 'as it was bound'}" for unit in units]
    out.result({"characteristics": [list(pair) for pair in present], "units": units}, "\n".join(rows))


def _changes(binding: Binding) -> list[str]:
    try:
        return differences(binding.characteristics, characteristics(with_network=binding.with_network))
    except ndks.UsageError as error:  # no network to look at
        return [str(error)]


def _back_up(args: argparse.Namespace, out: Output) -> None:
    need_stdout()
    refuse_existing(args.backup, args.force)
    words, sealed = backup.seal(BindingStore())
    text = f"{args.backup} opens with these words alone; write them down, and keep them elsewhere:\n{words}"
    with private_file(args.backup, overwrite=args.force) as file:
        file.write(sealed)
        file.flush()
        out.result({"file": str(args.backup), "code": words}, text)  # a copy without its words replaces none


def _restore(args: argparse.Namespace, out: Output) -> None:
    sealed = read_small(args.restore)
    store = BindingStore()
    store.refuse_existing(overwrite=args.force)
    units = backup.restore(store, sealed, _read_code(None, "the code of the copy"), overwrite=args.force)
    text = f"{store.directory} has the bindings of {len(units)} units again: {', '.join(units)}"
    out.done({"directory": str(store.directory), "units": units}, text)


def _read_code(path: Path | None, what: str) -> bytes:
    if path is not None and str(path) != "-":
        return from_words(read_small(path).decode(errors="replace"))
    if not stdin.is_terminal():
        return from_words(stdin.read_all())
    note(f"type {what}, 24 words, and press Enter:")
    return from_words(_typed_words())


def _typed_words() -> str:
    """Return what is typed, up to a line that completes the words: they may stand on several, as on paper."""
    typed = ""
    while len(typed.split()) < WORDS and (line := stdin.read_line()):
        typed += line
    return typed


def _confirm(serial_number: str) -> None:
    need(stdin.is_terminal(), "nobody is there to be asked", "repeat with --yes")
    note(f"everything in unit {serial_number} will be erased, for ever. Type yes, and press Enter:")
    if stdin.read_line().strip().lower() != "yes":
        raise Declined("nothing was erased", "repeat if you want it")


def _lane(text: str) -> int:
    return bounded(text, 1, MAX_LANE, f"a lane lies between 1 and {MAX_LANE}")


def _binding_id(text: str) -> str:
    digits = text.lower().rjust(_ID_DIGITS, "0") if set(text) == {"0"} else text.lower()
    if len(digits) != _ID_DIGITS or set(digits) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError("a binding id has 32 hexadecimal digits")
    return digits
