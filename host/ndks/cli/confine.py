# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command confine: records of check values of keys and messages, and which unit, or the channel, is wrong."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ndks
from ndks.confinement.channel import Differences, differences
from ndks.confinement.compare import compare
from ndks.confinement.definition import definition_of, likely_fault, network_of
from ndks.confinement.findings import Finding, Kind
from ndks.confinement.record import DEFINITION, Record
from ndks.confinement.taking import USUAL_BITS, USUAL_INDICES, record_of
from ndks.confinement.texts import counted
from ndks.exceptions import FileError
from ndks.files import read_small
from ndks.network import any_file
from ndks.system_errors import file_errors
from ndks_protocol.commands import MAX_NUMBER

from .arguments import add_output, add_path, add_unit, need, output_path, quoted, whole
from .output import Output, warn_of_suite
from .parser import Parser, add_command, add_group, show_examples

_MOST_INDICES = 10_000
_LARGEST = 1 << 26  # bytes of a capsule
_SHOWN = 16  # altered bytes in a text
_RECORD_EXAMPLES = """\
  ndks confine record -o alice.json                                   keys 1 to 16, 1024 bits of each
  ndks confine record -o alice.json --indices 1..100,2^47 --messages *.ndks"""
_COMPARE_EXAMPLES = """\
  ndks confine compare alice.json bob.json carol.json
  ndks confine compare alice.json bob.json --network office.ndksnet   the definition, as one more witness
  ndks confine compare --capsule sent.ndks received.ndks              which bits the channel has altered"""
_HERE_EXAMPLES = "  ndks confine here /dev/ttyACM0 /dev/ttyACM1 /dev/ttyACM2          units on one table"


def add_confine(parser: Parser) -> None:
    show_examples(parser, _RECORD_EXAMPLES, _COMPARE_EXAMPLES, _HERE_EXAMPLES)
    kinds = add_group(parser)
    _add_record(add_command(kinds, "record", "write check values of this unit's keys", _RECORD_EXAMPLES, record))
    _add_compare(
        add_command(kinds, "compare", "find what is wrong in the records of two or more", _COMPARE_EXAMPLES, compare_)
    )
    _add_here(add_command(kinds, "here", "do both, with units on one table", _HERE_EXAMPLES, here))


def _add_keys(parser: argparse.ArgumentParser) -> None:
    usual = f"{USUAL_INDICES[0]}..{USUAL_INDICES[-1]}"
    parser.add_argument(
        "--indices", metavar="LIST", type=_indices, help=f"keys, such as 1..100,2^47 (default: {usual})"
    )
    parser.add_argument(
        "--bits", metavar="B", type=whole, help=f"bits of each, multiple of 128 (default: {USUAL_BITS})"
    )
    parser.set_defaults(indices=USUAL_INDICES, bits=USUAL_BITS)
    add_path(parser, "--messages", metavar="CAPSULE", nargs="+", default=[], help="capsules that are checked too")


def _add_network(parser: argparse.ArgumentParser) -> None:
    text = "compare with the definition, by this network file or administrator's file"
    add_path(parser, "--network", completes="NETWORK", metavar="FILE", help=text)


def _add_record(parser: Parser) -> None:
    _add_keys(parser)
    parser.add_argument(
        "--epoch", metavar="G.N", type=_epoch, help="keys of epoch N of generation G (default: present)"
    )
    add_output(parser, "write the record to FILE, with mode 0600")
    add_unit(parser)


def _add_compare(parser: Parser) -> None:
    add_path(parser, "records", metavar="RECORD", nargs="*", help="the record of a unit; name two or more")
    _add_network(parser)
    add_path(
        parser,
        "--capsule",
        metavar="FILE",
        nargs=2,
        help="a capsule as it was sent, and as it was received (two files)",
    )


def _add_here(parser: Parser) -> None:
    text = "a unit that is bound to this laptop; two or more"
    ports: Any = parser.add_argument("ports", metavar="PORT", nargs="+", help=text)
    ports.completes = "UNIT"
    _add_keys(parser)
    _add_network(parser)


def record(args: argparse.Namespace, out: Output) -> None:
    target = output_path(args)
    need(target is not None, "a record needs -o FILE", "name a file")
    assert target
    capsules = [_content(path) for path in args.messages]
    with ndks.open(args.unit, args.timeout) as unit:
        taken = record_of(unit, args.indices, args.bits, capsules, args.epoch)
    taken.save(target, overwrite=args.force)
    values = {"file": str(target), "serial_number": taken.serial_number, "lane": taken.lane, "epoch": taken.of_epoch}
    counts = {"key_count": len(taken.keys), "bits": taken.bits, "message_count": len(taken.messages)}
    keys, messages = counted(len(taken.keys), "key"), counted(len(taken.messages), "message")
    text = f"{target}: {keys} of {taken.bits} bits, {messages}, of {taken.name}"
    out.done({**values, **counts, **warn_of_suite(taken.suite)}, text)


def compare_(args: argparse.Namespace, out: Output) -> int:
    need(args.records or args.capsule, "there is nothing to compare", "name records, or --capsule SENT RECEIVED")
    findings: list[Finding] = []
    if args.records:
        with file_errors():
            records = [Record.load(path) for path in args.records]
        findings = _findings(records, args.network, [])
    altered = differences(*map(_content, args.capsule)) if args.capsule else None
    return _tell(out, findings, altered)


def here(args: argparse.Namespace, out: Output) -> int:
    """Record units one after the other, so that no two need be open at a time, and compare the records."""
    need(len(args.ports) > 1 or args.network, "one unit cannot be compared", "name two or more, or --network FILE")
    capsules = [_content(path) for path in args.messages]
    records: dict[str, Record] = {}
    for port in args.ports:
        with ndks.open(port) as unit:
            records[port] = record_of(unit, args.indices, args.bits, capsules)
            warn_of_suite(records[port].suite)
    return _tell(out, _findings(list(records.values()), args.network, capsules), None)


def _findings(records: list[Record], network: Path | None, capsules: Sequence[bytes]) -> list[Finding]:
    if network is None:
        return compare(records)
    known = any_file.load(network)
    newest = max(records, key=lambda each: each.epoch)
    findings = compare([*records, definition_of(known, newest, capsules)])
    by_name = {each.serial_number: each for each in records}
    return [_explained(finding, by_name, known) for finding in findings]


def _explained(finding: Finding, records: dict[str, Record], known: any_file.Known) -> Finding:
    """Add what would explain a divergence from the definition."""
    diverging = records.get(finding.units[0])
    if finding.kind != Kind.DIVERGES or not diverging or finding.index is None:
        return finding
    fault = likely_fault(network_of(known, diverging.of_epoch), diverging, finding.index)
    text = f"{finding.text}; {fault}" if fault else finding.text
    return Finding(finding.kind, finding.units, text, finding.advice, finding.index, finding.element)


def _tell(out: Output, findings: list[Finding], altered: Differences | None) -> int:
    held = all(finding.kind == Kind.AGREE for finding in findings) and not (
        altered and (altered.bytes or altered.missing)
    )
    values: dict[str, Any] = {"held": held, "findings": [_values(finding) for finding in findings]}
    lines = [line for finding in findings for line in _lines(finding)]
    if altered:
        places = [{"byte": each.byte, "altered_bits": list(each.bits), "part": each.part} for each in altered.bytes]
        values |= {"altered": places, "missing_bytes": altered.missing}
        lines += _altered(altered)
    out.result(values, "\n".join(lines))
    return 0 if held else 1


def _values(finding: Finding) -> dict[str, Any]:
    units = [unit for unit in finding.units if unit != DEFINITION]
    place = {} if finding.index is None else {"index": finding.index, "element": finding.element}
    return {
        "kind": finding.kind.value,
        "serial_numbers": units,
        "text": finding.text,
        "advice": finding.advice,
        **place,
    }


def _lines(finding: Finding) -> list[str]:
    return [finding.text, *([f"  Do: {finding.advice}"] if finding.advice else [])]


def _altered(found: Differences) -> list[str]:
    """Return the lines on two capsules."""
    lines = [f"byte {each.byte}, {_bits(each.bits)}: {each.part}" for each in found.bytes[:_SHOWN]]
    if (more := len(found.bytes) - _SHOWN) > 0:
        lines.append(f"and {counted(more, 'byte')} more")
    if found.missing:
        what = "missing" if found.missing > 0 else "too many"
        lines.append(f"at the end: {counted(abs(found.missing), 'byte')} {what}")
    size = f"{counted(found.bits, 'bit')} in {counted(len(found.bytes), 'byte')}"
    whole_text = f"{size} {'differs' if found.bits == 1 else 'differ'}" if found.bytes else "no bit differs"
    return [whole_text, *lines]


def _bits(bits: tuple[int, ...]) -> str:
    return f"{'bit' if len(bits) == 1 else 'bits'} {', '.join(map(str, bits))}"


def _content(path: Path) -> bytes:
    with file_errors():
        content = read_small(path, _LARGEST)
    if not content:
        raise FileError(f"{path} is empty", "name a capsule")
    return content


def _indices(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        first, dots, last = part.partition("..")
        low, high = _index(first), _index(last if dots else first)
        if high < low or high - low >= _MOST_INDICES:
            raise argparse.ArgumentTypeError(f"{quoted(part)} is not 1 to {_MOST_INDICES} keys")
        found.update(range(low, high + 1))
    if len(found) > _MOST_INDICES:
        raise argparse.ArgumentTypeError(f"at most {_MOST_INDICES} keys are recorded")
    return tuple(sorted(found))


def _index(text: str) -> int:
    """Return an index: a number, or a power of two such as 2^47."""
    base, caret, power = text.strip().partition("^")
    number = whole(base) if not caret else 1 << whole(power) if base == "2" and 0 <= whole(power) < 48 else 0
    if not 1 <= number <= MAX_NUMBER:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not an index: they are 1 to 2^48 - 1")
    return number


def _epoch(text: str) -> int:
    g, dot, number = text.partition(".")
    if not (dot and g.isdecimal() and number.isdecimal()) or int(g) > 65534 or int(number) > 16383:
        raise argparse.ArgumentTypeError("an epoch is named GENERATION.NUMBER, such as 0.3")
    return int(g) << 16 | int(number)
