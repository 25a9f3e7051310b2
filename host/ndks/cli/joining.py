# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands join inspect, approve and accept: the way of a request to the administrator, and of a package back."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ndks
from ndks.exceptions import CheckFailed, NdksError, UnitBusy, UsageError
from ndks.files import read_small
from ndks.line.services import socket_of
from ndks.network import administrator_file, agreement, approval, opening
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.agreement import Agreement
from ndks.network.join_package import SUFFIX as PACKAGE_SUFFIX
from ndks.network.join_request import SUFFIX as REQUEST_SUFFIX
from ndks.network.join_request import CommittedRequest, JoinRequest, load_request
from ndks.network.joining_file import version_in
from ndks.network.member_package import MemberPackage
from ndks.printable import printable
from ndks.system_errors import file_errors
from ndks.whole_file import refuse_taken, write_new
from ndks.word_list import spoken_words
from ndks_protocol.wire import ELECTED, MONITOR, RELAY

from .arguments import add_path, add_unit, need, new_path
from .confirmation import add_yes, confirm
from .output import Output, note
from .parser import Parser, add_command
from .publication import add_publication, change, refuse_old, told
from .typed_words import add_words, compare_words, tell_words

_ADMIN = administrator_file.SUFFIX
_MODES = {"elected": ELECTED, "relay": RELAY, "monitor": MONITOR}
_SIGN = f"ssh-keygen -Y sign -n {agreement.NAMESPACE} -f KEY"
_INSPECT_EXAMPLES = f"""\
  ndks join inspect alice{REQUEST_SUFFIX}
  ndks join inspect alice{REQUEST_SUFFIX} --network office{_ADMIN} --who "Carol Chief" -o agreement.json
  ndks join inspect alice{REQUEST_SUFFIX} --opened alice{REQUEST_SUFFIX}{opening.SUFFIX}    what the candidate shows"""
_APPROVE = f"  ndks join approve alice{REQUEST_SUFFIX} --network office{_ADMIN}"
_SIGNED = "--agreement agreement.json --signature agreement.json.sig"
_APPROVE_EXAMPLES = f"""\
{_APPROVE} --who "Carol Chief" --why "a desk of hers" -o alice{PACKAGE_SUFFIX}
{_APPROVE} {_SIGNED} -o alice{PACKAGE_SUFFIX}"""
_ACCEPT_EXAMPLES = f"""\
  ndks join accept alice{PACKAGE_SUFFIX}         asks for the six words of the package, and then erases it
  ndks join accept alice{PACKAGE_SUFFIX} --unit emulator:alice"""


def add_inspect(kinds: Any) -> None:
    inspect_help = "show a request, check what its candidate shows, and write what the authority agrees to"
    parser = add_command(kinds, "inspect", inspect_help, _INSPECT_EXAMPLES, inspect)
    add_path(parser, "request", metavar="REQUEST", help=f"a request to join, NAME{REQUEST_SUFFIX}")
    _add_network(parser, required=False)
    add_path(parser, "--opened", metavar="FILE", help=f"what the candidate shows, NAME{REQUEST_SUFFIX}{opening.SUFFIX}")
    _add_agreed(parser)
    add_path(parser, "-o", "--output", metavar="AGREEMENT", help=f"write agreement.json, for {_SIGN} agreement.json")


def add_approve(kinds: Any) -> None:
    approve_help = "make the unit of a request a member, from a new generation on, and write its package"
    parser = add_command(kinds, "approve", approve_help, _APPROVE_EXAMPLES, approve)
    add_path(parser, "request", metavar="REQUEST", help=f"a request to join, NAME{REQUEST_SUFFIX}")
    _add_network(parser, required=True)
    add_path(parser, "--agreement", metavar="FILE", help="agreement.json of ndks join inspect, in place of --who")
    add_path(parser, "--signature", metavar="FILE", help="the authority's signature of it, agreement.json.sig")
    _add_agreed(parser)
    parser.add_argument("--role", choices=tuple(_MODES), default="elected", help="default: elected; see ndks role")
    add_path(parser, "-o", "--output", metavar="PACKAGE", required=True, help="the package to write, which must be new")
    add_words(parser, "the six words of REQUEST")
    add_publication(parser)
    add_yes(parser)


def add_accept(kinds: Any) -> None:
    accept_help = "make a blank unit a member by its package, and bind it to this laptop"
    parser = add_command(kinds, "accept", accept_help, _ACCEPT_EXAMPLES, accept)
    parser.set_defaults(resume_advice="the same command goes on where it was interrupted")
    add_path(
        parser, "package", metavar="PACKAGE", help=f"the package for this unit, NAME{PACKAGE_SUFFIX}; it is erased"
    )
    add_words(parser, "the six words of PACKAGE")
    add_yes(parser)
    add_unit(parser)


def _add_network(parser: Parser, *, required: bool) -> None:
    text = f"the administrator's file, NAME{_ADMIN}"
    add_path(parser, "--network", dest="file", completes="ADMINISTRATOR", metavar="FILE", required=required, help=text)


def _add_agreed(parser: Parser) -> None:
    parser.add_argument("--who", metavar="NAME", help="who agrees that the unit may join")
    parser.add_argument("--why", metavar="TEXT", default="", help="why")
    parser.add_argument("--when", metavar="DATE", help="default: today")


def inspect(args: argparse.Namespace, out: Output) -> None:
    request = load_request(args.request)
    values: dict[str, Any] = {
        "serial_number": request.serial_number,
        "label": request.label,
        "network": request.network,
        "date": request.date,
        "words": request.words,
        "committed": _committed(request),
    }
    rows = [
        ("unit", f"{request.serial_number}  {request.label}".rstrip()),
        ("network", request.network or "any"),
        ("made", request.date),
        ("words", request.words),
        ("commits to", ", ".join(values["committed"]) or "nothing"),
    ]
    if args.opened:
        shown = _shown(request, args.opened)
        values |= {"shown": [list(pair) for pair in shown]}
        rows += [(f"shows {name}", value) for name, value in shown]
    if args.file:
        administrator = Administrator(administrator_file.load(args.file))  # it keeps nothing
        problem = _problem(administrator, request)
        values |= {"problem": problem}
        rows += [("admission", problem or f"possible, to network {administrator.state.network.name}")]
        if args.output:
            written = _write_agreement(args, administrator, request)
            values |= {"file": str(args.output), "agreement_words": spoken_words(written)}
            rows += [("agreement", f"{args.output}; its words: {values['agreement_words']}")]
    need(bool(args.file) or not args.output, "an agreement is for a network", "add --network FILE")
    out.result(values, "\n".join(printable(f"{name:<12} {value}") for name, value in rows))


def _committed(request: JoinRequest) -> list[str]:
    return [name for name, _ in request.commitments] if isinstance(request, CommittedRequest) else []


def _shown(request: JoinRequest, path: Path) -> tuple[tuple[str, str], ...]:
    """Return what a candidate shows. CheckFailed: it is not what the request commits to."""
    opened = opening.Opening.load(path)
    if differing := opened.differing(request):
        what = f"what the candidate shows is not what the request commits to: {', '.join(differing)}"
        raise CheckFailed(what, "do not agree; have another request made, and shown, at the laptop itself")
    return opened.characteristics


def _problem(administrator: Administrator, request: JoinRequest) -> str | None:
    try:
        approval.refuse(administrator, request)
    except NdksError as error:
        return str(error)
    return None


def _write_agreement(args: argparse.Namespace, administrator: Administrator, request: JoinRequest) -> bytes:
    refuse_taken(new_path(args))
    approval.refuse(administrator, request)
    content = _agreed(args, administrator, request).content
    with file_errors():
        write_new(args.output, content)
    return content


def _agreed(args: argparse.Namespace, administrator: Administrator, request: JoinRequest) -> Agreement:
    need(bool(args.who), "who agrees that this unit may join is not known", "--who NAME --why TEXT")
    when = args.when or datetime.now(UTC).astimezone().date().isoformat()
    return approval.agreement_for(administrator, request, args.who, when, args.why)


def approve(args: argparse.Namespace, out: Output) -> None:
    refuse_taken(new_path(args))
    request, signature = load_request(args.request), _text(args.signature)
    need(not args.agreement or not args.who, "--agreement says who agreed", "leave out --who, or --agreement")
    administrator = Administrator(administrator_file.load(args.file))  # it keeps nothing
    if not args.carrier:  # else the file may learn by it what it lacks
        refuse_old(args.file, administrator.state)
    is_checked = bool(administrator.state.authority) or not signature
    need(is_checked, "this network has no authority, whose signature could be checked", "leave --signature out")
    approval.refuse(administrator, request)
    agreed = _given(args) if args.agreement else _agreed(args, administrator, request)
    approval.check_agreement(administrator, request, agreed, signature)
    compare_words(request, args.words, "whoever sent it")

    def what(state: Administration) -> str:
        unit = f"Unit {request.serial_number}{f' ({request.label})' if request.label else ''}"
        awaited = state.awaited(request.serial_number)
        lane = awaited.lane if awaited else state.free_lane()
        begins = "" if awaited and state.bundles else f" Generation {state.next_g()} begins for all members."
        return f"{unit} will be a member of network {state.network.name}, lane {lane}.{begins} {_told_agreed(agreed)}"

    def do(administrator: Administrator) -> MemberPackage:
        package = approval.approve(administrator, request, agreed, signature, _MODES[args.role])
        try:
            package.save(args.output)
        except NdksError as error:
            error.advice = f"the unit has lane {package.lane} in the file, and no package: ndks network retire it"
            raise
        if args.carrier:  # what takes long may be interrupted
            note(f"{args.output} is written; its words: {package.words}")
        return package

    package, values = change(args, what, do)
    values |= {"serial_number": package.serial_number, "lane": package.lane}
    values |= {"words": package.words, "package": str(args.output)}
    text = (
        f"{args.output} makes unit {package.serial_number} a member of network {package.network}, lane {package.lane}"
    )
    out.done(values, f"{text}\n{told(values)}\n{tell_words(package.words, 'whoever has the unit')}")


def _told_agreed(agreed: Agreement) -> str:
    return f"{agreed.who} agreed, {agreed.when}{f': {agreed.why}' if agreed.why else ''}."


def _given(args: argparse.Namespace) -> Agreement:
    with file_errors():
        return Agreement.parsed(read_small(args.agreement))


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    with file_errors():
        return read_small(path).decode(errors="replace")


def accept(args: argparse.Namespace, out: Output) -> None:
    package = load_package(args.package)
    with _open(args, package.serial_number) as unit:
        from ndks.agent.running import accepting  # here, because it is slow to import

        accepting.refuse(unit, package)
        compare_words(package, args.words, "the administrator")
        confirm(
            args,
            f"Unit {package.serial_number} will be a member of network {package.network}, lane {package.lane}, bound "
            f"to this laptop.",
        )
        member = accepting.accept(unit, package)
    try:
        args.package.unlink()
    except OSError:
        note(f"{args.package} could not be erased; it is of no use to anybody any more")
    tell_member(out, member)


def _open(args: argparse.Namespace, serial_number: str) -> ndks.Unit:
    """Open the unit of --unit, which should be this one. UnitBusy: perhaps a service has it, which then is named."""
    try:
        return ndks.open(args.unit, args.timeout)
    except UnitBusy as error:
        if socket_of(serial_number):
            release = f"ndks service release --unit {serial_number}"
            error.advice = f"if that is ndks service: {release}, then repeat; or end the service first"
        raise


def load_package(path: Path) -> MemberPackage:
    """Read a package for a member. FileError, JoiningFileError; UsageError: it is a file of another kind."""
    if version_in(path, MemberPackage.MARK) == 1:
        what = f"{path} is a package of a network without administrators"
        raise UsageError(what, f"ndks provision {path} --bind")
    if version_in(path, JoinRequest.MARK):
        raise UsageError(f"{path} is a request", "an administrator answers it: ndks join approve")
    return MemberPackage.load(path)


def tell_member(out: Output, member: Any, more: dict[str, Any] | None = None, lines: str = "") -> None:
    """Print what became of a unit."""
    values = {"network": member.network, "serial_number": member.serial_number, "lane": member.lane}
    values |= {"generation": member.generation, "number": member.number}
    where = f"lane {member.lane}, generation {member.generation}, bound to this laptop"
    text = f"unit {member.serial_number} is a member of network {member.network}, {where}"
    out.done(values | (more or {}), f"{text}\n{lines or 'ndks agent --carrier URL keeps it in the network'}")
