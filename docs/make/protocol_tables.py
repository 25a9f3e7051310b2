# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the tables of PROTOCOL.md from the code that they describe.

python docs/make/protocol_tables.py            write them
python docs/make/protocol_tables.py --check    say whether they are up to date
"""

import sys
from collections.abc import Callable
from pathlib import Path

from capsule_example import capsule_example
from marked_tables import table, write_or_check

from ndks.refusals import REFUSALS
from ndks_protocol import commands, errors, flash, framing, service, session, texts
from ndks_protocol.control import limits
from ndks_protocol.layout import Layout
from ndks_protocol.parameters import F1, F2, MAX_CHARACTERS, MAX_DIGITS
from ndks_unit import board
from ndks_unit.flash import records

DOCUMENT = Path(__file__).parents[2] / "protocol" / "PROTOCOL.md"


def command_table() -> str:
    return table_of(commands.TABLE, texts.PURPOSES)


def service_table() -> str:
    return table_of(service.TABLE, texts.OF_SERVICE)


def table_of(declared: dict[int, commands.Command], purposes: dict[int, str]) -> str:
    rows = [
        (f"{c.code:02X}", f"`{c.name}`", fields_of(c.request), fields_of(c.answer), needs_of(c), purposes[c.code])
        for _, c in sorted(declared.items())
    ]
    return table(("code", "command", "request", "answer", "needs", "purpose"), rows)


def fields_of(layout: Layout) -> str:
    return "<br>".join(f"{name} `{kind}`" for name, kind in zip(layout.names, layout.kinds, strict=True)) or "(empty)"


def needs_of(command: commands.Command) -> str:
    names = {
        commands.IS_BLANK: "blank",
        commands.IS_PROVISIONED: "provisioned",
        commands.PROVED: "proof",
        commands.SESSION: "session",
        commands.USABLE: "usable",
    }
    return ", ".join(name for bit, name in names.items() if command.needs & bit) or "nothing"


def error_table() -> str:
    named = sorted((errors.TABLE | service.ERRORS).items())
    rows = [(f"{code:04X}", f"`{name}`", REFUSALS[code].meaning) for code, name in named]
    return table(("code", "name", "meaning"), rows)


def number_table() -> str:
    states = commands.STATE_BLANK, commands.STATE_PROVISIONED, commands.STATE_LOCKED, commands.STATE_TAMPERED
    resets = (
        *(board.RESET_POWER_ON, board.RESET_BROWNOUT, board.RESET_SOFTWARE, board.RESET_WATCHDOG),
        *(board.RESET_PIN, board.RESET_OTHER),
    )
    rows = [
        ("largest payload", f"{framing.MAX_PAYLOAD} bytes"),
        ("largest payload to a unit without a session", f"{framing.MAX_PAYLOAD_BEFORE_SESSION} bytes"),
        ("largest body of a secured payload", f"{framing.MAX_PAYLOAD - session.OVERHEAD} bytes"),
        ("largest KEY_CHUNK", f"{commands.MAX_CHUNK} bytes"),
        ("window", f"{commands.WINDOW_SIZE} numbers"),
        ("senders whose windows a unit keeps", f"{commands.MAX_SENDERS}"),
        ("confirmation of ZEROIZE", f"`{commands.CONFIRMATION.decode()}`"),
        (
            "flags of OPEN_BEGIN and OPEN_KEYS: again, allow_jump, vouched",
            f"{commands.AGAIN}, {commands.ALLOW_JUMP}, {commands.VOUCHED}",
        ),
        (
            "kind: data, control, housekeeping, message",
            f"{commands.DATA}, {commands.OF_CONTROL}, {commands.HOUSEKEEPING}, {commands.MESSAGE}",
        ),
        ("mode: elected, relay, monitor", f"{commands.ELECTED}, {commands.RELAY}, {commands.MONITOR}"),
        ("role: slave, master, monitor", f"{commands.SLAVE}, {commands.MASTER}, {commands.MONITOR}"),
        ("event: heard, moved, lower rank", f"{commands.HEARD}, {commands.MOVED}, {commands.LOWER_RANK}"),
        ("longest key", f"2^{commands.MAX_KEY_BYTES.bit_length() - 1} bytes"),
        ("farthest jump without permission", f"2^{commands.MAX_JUMP.bit_length() - 1} numbers"),
        ("longest name of a network", f"{commands.MAX_NAME} bytes of UTF-8"),
        ("longest decimal", f"{MAX_CHARACTERS} characters"),
        ("largest d", f"{MAX_DIGITS}"),
        ("state: blank, provisioned, locked, tampered", ", ".join(map(str, states))),
        ("reset reason: power-on, brown-out, software, watchdog, pin, other", ", ".join(map(str, resets))),
        (
            "flags: not sealed, read only, newer state; held, of a service",
            f"{commands.NOT_SEALED}, {commands.READ_ONLY}, {commands.NEWER_STATE}; {service.HELD}",
        ),
        ("suite: " + ", ".join(commands.SUITES), ", ".join(map(str, range(len(commands.SUITES))))),
        ("cipher: " + ", ".join(commands.CIPHERS), ", ".join(map(str, range(len(commands.CIPHERS))))),
        ("f1: " + ", ".join(F1), ", ".join(map(str, range(len(F1))))),
        ("f2: " + ", ".join(F2), ", ".join(map(str, range(len(F2))))),
    ]
    return table(("what", "value"), [*rows, *network_rows()])


def network_rows() -> list[tuple[str, str]]:
    return [
        ("last generation, last number of an epoch", f"{limits.LAST_GENERATION}, {limits.LAST_NUMBER}"),
        ("past generations that a unit keeps, and that a notice brings", f"{limits.PAST}"),
        ("revoked lanes", f"{limits.MAX_REVOKED}"),
        ("farthest move of an epoch, and farthest epoch of a capsule", f"{limits.AHEAD} numbers"),
        ("moves after which an epoch is given up", f"{limits.MOVES + 1}"),
        ("ticks between moves, between beacons", f"{limits.MOVE_PAUSE}, {limits.BEACON}"),
        ("ticks of silence, and as many more as z says", f"{limits.SILENCE}, 1 to {limits.SLOTS}"),
        ("lanes of members, of administrators", f"1 to {limits.LAST_MEMBER_LANE}, {limits.ADMINISTRATOR_LANE} on"),
        ("administrators", f"{limits.ADMINISTRATORS}"),
    ]


def record_table() -> str:
    own_kinds = (*records.SEALED, *records.OPEN, *records.PLAIN, records.ERASING, records.JOINING_KEY)
    if set(own_kinds) != {*WINDOW_KINDS, *RECORDS}:
        raise AssertionError("a type of record is not described here")
    rows = [(f"{kind:02X}", class_of(kind), *RECORDS[kind]) for kind in sorted(RECORDS)]
    windows = f"{WINDOW_KINDS[0]:02X} to {WINDOW_KINDS[-1]:02X}"
    rows.append((windows, class_of(WINDOW_KINDS[0]), "window of a sender", WINDOW))
    files = " and ".join(f"`{name}`" for name in flash.SNAPSHOT_FILES)
    place = f"nvm: {flash.NVM_SIZE} bytes. Snapshots: {files}, {flash.SNAPSHOT_SIZE} bytes each, in the drive's root.\n"
    return table(("type", "class", "record", "body"), sorted(rows)) + "\n" + place


def vector_table() -> str:
    if set(VECTORS) != {path.stem for path in (DOCUMENT.parent / "vectors").glob("*.json")}:
        raise AssertionError("a file of vectors is not described here")
    return table(("file", "what it shows"), [(f"`{name}.json`", shows) for name, shows in VECTORS.items()])


def class_of(kind: int) -> str:
    if kind in records.SEALED:
        return "sealed"
    return "open" if kind in records.OPEN else "plain"


WINDOW_KINDS = records.WINDOW_KINDS
WINDOW = "lane u16, top u48, bits 32 bytes: bit i tells of top - i"
RECORDS = {
    records.MEMBERSHIP: ("membership", "the request of PROVISION after the binding"),
    records.MEMBER_IDS: ("binding ids of other units' laptops", "lane u16, binding id 16; repeated"),
    records.GENERATION: (
        "generation",
        "g u16, d u8, f1 u8, f2 u8, number u16, low u16, count of moves u8, moves u16 x 8, mode u8, settled u8, M 32,"
        " header keys 64, C 32, E(low) 32, E(number) 32, r u8, revoked lane u16 x r",
    ),
    records.PAST: (
        "past generations",
        "g u16, d u8, f1 u8, f2 u8, number u16, low u16, r u8, header keys 64, E(low) 32; repeated",
    ),
    records.FIRST_KEY: ("key of the first notice", "g u16, M(lane, g) 32, mode u8"),
    records.EXPORT_COUNTER: ("counter of exported keys", "epoch u32, next index u64; has a tail"),
    records.MESSAGE_COUNTER: ("numbers of the own lane", "epoch u32, first number not reserved u64"),
    records.BOOTS: ("counter of starts", "u64; has a tail"),
    records.WRONG_ATTEMPTS: ("wrong proofs since the last right one", "u32"),
    records.STATE_FORMAT: ("state format", "version u8, erases of nvm u32"),
    records.ERASING: ("erasure that was begun; in the last 32 bytes of nvm", "cause u8: 0 on purpose, 1 tampering"),
    records.TAMPERED: ("erased because the case was opened", "1 u8"),
    records.JOINING_KEY: ("joining key; in nvm only", "private key 32, public key 32"),
    records.BINDING: ("binding", "A 32, unit salt 16, binding id 16, d u8, settled u8"),
}


VECTORS = {
    "paper": "the keys that the paper prints",
    "generator": "bits of equation 7",
    "operators": "bits of all chains of operators",
    "suite": "keys, capsules, sessions, a binding and a sealed record, made by an implementation that knows nothing of"
    " this one",
    "capsules": "capsules of many networks, good and bad ones; windows",
    "frames": "frames, and what is dropped",
    "bindings": "B of laptops, and what a binding gives",
    "sessions": "keys, proofs and frames of sessions; public keys that are refused",
    "commands": "one conversation with a unit, which has all commands",
    "conversations": "short ones: order of checks, limits, ends of sessions, delays, blank units, joining keys and"
    " packages, an opened case, state of other versions, no storage, damaged flash, full counter tails, other suites"
    " and chains",
    "records": "nvm after a few acknowledged keys",
    "flash": "the life of a unit with what lies in nvm and snapshots; joining keys; power cuts; records one by one",
    "network_files": "network files, good and bad ones",
    "words": "transport codes as words",
    "x25519": "products of X25519, and the coordinates that are refused",
    "packages": "fields sealed to a joining key, and what is refused",
    "joining_files": "requests and packages with their six words, good and bad ones",
    "member_files": "requests and packages of version 2, agreements, the file of an administrator",
    "network_keys": "the keys of members, generations and epochs",
    "control": "headers with kinds and numbers; beacons and notices, good and bad ones",
    "generation_records": "records 20 to 22, the smallest and the largest ones",
    "enrolments": "what ENROL brings to a unit, good and bad fields",
    "bundles": "bundles and records of administrators, good and bad ones; asks, pieces, Ed25519",
    "housekeeping": "messages, reports, vouchers, asks and symbols, good and bad ones",
    "key_ids": "ids of keys that servers of keys give, good and bad ones",
    "tunnel": "doors, handshakes, bundles, records and datagrams of tunnels between gateways",
    "folders": "folders in volumes, and volumes that make none ([folders](../docs/folders.md#every-byte))",
}

TABLES: dict[str, Callable[[], str]] = {
    "commands": command_table,
    "service": service_table,
    "errors": error_table,
    "numbers": number_table,
    "records": record_table,
    "capsule": capsule_example,
    "vectors": vector_table,
}


if __name__ == "__main__":
    sys.exit(write_or_check(DOCUMENT, TABLES, __doc__))
