# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of what commands answer with --json: their fields, and what each name means.

`ndks help COMMAND --json` gives it to programs, docs/command.md is made from it, and a test compares it with the
answers of all commands. One name is one thing, in all answers.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from ndks.driver.answers import Hello, Status

Fields = dict[str, Any]  # name: the fields inside it; of each object in a list, when the name ends with []


def _names(kind: type) -> str:
    return " ".join(field.name for field in fields(kind))


_HELLO, _STATUS = _names(Hello), _names(Status)
_PROBLEM = "(code message advice exit_status)"
_KEY = "index epoch bits suite went_back? warning?"
_NETWORK = "network network_id suite warning?"
_BINDING = "serial_number lane binding_id characteristics with_network"
_CHANNELS = "(kind name state is_open advice)"
_USB = "(bus address vendor product_id product serial_number problem)"
_CHECKS = "(name held detail)"
_CHANGED = "network file generation member_count revoked_count"
_PUBLISHED = "heard? retained?"
_ADMITTED = "(lane serial_number label state)"
_CONFIRMED = "(message who when channel words held resolved)"
_DUE = "(lane s messages overdue)"
_LETTER = "number sender receiver cipher sealed_in opened_in same"

# Fields of an object stand behind its name in parentheses. `?`: not always there; `*`: others, as the case may be.
ANSWERS = {
    "list": f"units[](port serial_number emulated_in? bound_here? hello?({_HELLO}) status?({_STATUS}) "
    f"error?{_PROBLEM}) usb[]{_USB}",
    "info": f"port bound_here next_index? went_back? warning? hello({_HELLO}) status({_STATUS})",
    "eject": "serial_number",
    "deploy": "drive files",
    "traceback": "lines",
    "doctor": "versions(ndks protocol installed_in python system *) problems "
    "bindings(directory exists elsewhere units[](serial_number binding_ids differences)) "
    f"ports[](port product serial_number may_be_opened owner) usb[]{_USB} "
    f"units[](port serial_number bound_here? hello?({_HELLO}) error?{_PROBLEM}) udev_rule(installed is_current)",
    "network new": f"{_NETWORK} cipher file kept_as? administrator? authority?",
    "network show NAME.ndksadmin": f"{_NETWORK} cipher p1? p2? digits f1 f2 administrator authority revocations "
    "generation members[](lane serial_number label state joined request who when why)",
    "network another": f"{_CHANGED} administrator revocations",
    "network revoke": f"{_CHANGED} {_PUBLISHED} units[]{_ADMITTED}",
    "network retire": f"{_CHANGED} {_PUBLISHED} units[]{_ADMITTED}",
    "network refresh": f"{_CHANGED} {_PUBLISHED} digits f1 f2",
    "network merge": f"{_CHANGED} {_PUBLISHED} merged",
    "network upgrade": f"{_CHANGED} units[]{_ADMITTED}",
    "network publish": f"{_CHANGED} {_PUBLISHED}",
    "network renew": "generation number",
    "network status": "unit(present problem? advice? lane? generation? number? left_out? role? master? revoked? held?) "
    "outbox(last waits kept) arrivals room senders[](lane has_from told_of seen delivered missing "
    "lost[](first last why) waits) members_seen[](lane heard generation number carrier) "
    "carriers[](url code problem advice) "
    f"checks(every due[]{_DUE} failures[]{_CONFIRMED})",
    "check": f"every due[]{_DUE} failures[]{_CONFIRMED} confirmations[]{_CONFIRMED}",
    "check CAPSULE": "message lane number words",
    "check CAPSULE --confirm": "message lane number who when channel held",
    "check --message": "message lane s words",
    "check --message --confirm": "message lane s who when channel held",
    "check --schedule": "every",
    "check --resolve": "message resolved",
    "confine record": "file serial_number lane epoch key_count bits message_count warning?",
    "confine compare": "held findings[](kind serial_numbers text advice index? element?) "
    "altered[]?(byte altered_bits part) missing_bytes?",
    "confine here": "held findings[](kind serial_numbers text advice index? element?)",
    "role": "role",
    "agent": "serial_number socket pid",
    "send": "s waits waits_for generation newest left_out",
    "receive": "kind lane s? content? data? symbols? problem? first? last? why?",
    "network show": f"{_NETWORK} cipher p1? p2? digits f1 f2 epoch next_lane "
    "members[](lane serial_number label binding_id)",
    "provision": f"{_NETWORK} serial_number lane transport_code",
    "provision --bind": f"{_NETWORK} {_BINDING}",
    "provision --for": f"{_NETWORK} serial_number lane file words",
    "provision PACKAGE": "network serial_number lane transport_code",
    "provision PACKAGE --bind": f"{_NETWORK} {_BINDING}",
    "provision NAME.ndksadmin --bind": "network serial_number lane generation number file member_count revoked_count",
    "join request": "serial_number file words opening?",
    "join inspect": "serial_number label network date words committed shown? problem? file? agreement_words?",
    "join approve": f"{_CHANGED} {_PUBLISHED} serial_number lane words package",
    "join accept": "network serial_number lane generation number",
    "bind": _BINDING,
    "bind --allow-jump": "serial_number message_counter",
    "bind --forget": "serial_number",
    "bind --show": "characteristics units[](serial_number binding_id differences)",
    "bind --backup": "file backup_code",
    "bind --restore": "directory serial_numbers",
    "trust": "lane binding_id serial_number? file?",
    "zeroize": "serial_number state",
    "key": f"{_KEY} format key? file?",
    "stream": f"{_KEY} format file",
    "encrypt": "file bytes cipher mode suite warning?",
    "encrypt FOLDER": "file files folders bytes volumes cipher mode suite not_kept[](kind count names) warning?",
    "decrypt": "file bytes lane number cipher suite warning?",
    "decrypt FOLDER.ndks": "file files folders bytes volumes lane cipher suite warning?",
    "inspect": "file version size chunks bytes warning? "
    "member?(lane suite number? cipher? capsule_state? sender? salt?)",
    "inspect --list": "file files folders bytes volumes lane entries[](mode size time path)",
    "symbols seal": "file bits nothings bytes cipher suite warning?",
    "symbols seal --live": "capsule bits nothings",
    "symbols open": "file bits nothings bytes lane number cipher suite warning?",
    "symbols open --live": f"lane? number? symbols? bits? nothings? line? error?{_PROBLEM}",
    "generate": "index first bits format warning key? file?",
    "service": "serial_number pid sockets[](scope port)",
    "service status": "services[](serial_number directory sockets[](scope port may_use) present? "
    f"status?({_STATUS}) error?{_PROBLEM})",
    "service release": "serial_number released_for",
    "emulate": "port pid serial_number console? control?",
    "emulate --units": "network network_id file pid units[](port serial_number lane)",
    "demo": f"held cage namespace sides[](namespace interfaces descriptors(*) interrupted) serial_numbers "
    f"keys[](index bits fingerprints same) checks[]{_CHECKS} message_checks[]{_CHECKS} "
    f"messages[]({_LETTER} recorded first_bytes entropy entropy_of_text problem)",
    "faraday salt": "salt",
    "faraday channels": f"open channels[]{_CHANNELS}",
    "faraday run": "file serial_number network_id lane epoch suite digits salt started ended accepted_risk repeated "
    f"warning? channels_before[]{_CHANNELS} channels_after[]{_CHANNELS} keys[](index bits commitment) "
    "message(cipher size commitment capsule deleted deletion) authentication(index tag)",
    "faraday compare": f"held serial_numbers keys[](index bits commitments same) checks[]{_CHECKS} warning?",
    "homologate": "product date seconds command verdict judged_as reasons report warning? "
    "network(name suite digits network_id cipher p1 p2) units[](label port serial_number firmware protocol lane part) "
    "experts[](expert date given hours claims) "
    "requirements[](id text source test evidence verdict) targets[](name role as_expected "
    "findings[](label adversary succeeded summary seconds p_value tests details(*))) "
    "statistics[](name n size value tests log10_p sigmas where passed) threshold(alpha tests p) "
    f"stages(no_channel(cages probes[](*) keys[](index bits same) checks[]{_CHECKS}) "
    f"regular_channel(messages[]({_LETTER} bytes) checks[]{_CHECKS}) "
    f"network?(ticks packets bytes checks[]{_CHECKS})) tables[](title source columns rows) "
    "environment(python system packages(*) seed) files[](name bytes sha256)",
    "completion": "shell script",
    "completion --install": "shell file",
    "completion --units": "unit_names",
    "help": "help answers?(*)",
    "version": "version protocol python platform",
}
ERROR = f"error{_PROBLEM}"  # in place of any answer

# What a name means in all answers; `inside.name` where it means something else inside that object.
MEANINGS = {
    "schema": "version of these answers: 1; it is in each of them",
    "accepted_risk": "whether keys were taken with channels open",
    "address": "USB address",
    "administrator": "number of the administrator, 0 to 3",
    "altered": "bytes of the capsule that the channel has altered",
    "altered_bits": "which bits of the byte differ, 0 the highest",
    "byte": "number of the byte in the capsule, from 0 on",
    "check.words": "the six words of the key check value, or those that were said",
    "checks.words": "the words that were said",
    "channel": "by what the words were said",
    "check.who": "who said the words",
    "checks.who": "who said the words",
    "check.when": "when",
    "checks.when": "when",
    "network.checks": "checks by another channel: what is due, and what failed",
    "check.messages": "messages since the last check",
    "checks.messages": "messages since the last check",
    "check.message": "LANE:S at the agent; of a capsule, 32 hexadecimal digits of the SHA-256 of its header",
    "checks.message": "LANE:S",
    "confirmations": "all that was noted, on this laptop and by the agent",
    "confine.findings": "what was found",
    "confine.kind": "agree, other_network, behind, diverges, cannot_tell, channel, refused or not_compared",
    "confine.part": "which part of the capsule it is in",
    "confine.text": "what was found, in words",
    "confine.serial_numbers": "whom it is about; `lane L` for a sender without a record",
    "due": "senders of whom a message has to be checked by another channel",
    "element": "first element of the key's block of 128 in which they begin to differ",
    "every": "after how many messages of a sender a check is due; 0: never",
    "failures": "checks whose words differed, and nobody has resolved",
    "key_count": "keys in the record",
    "message_count": "messages in the record",
    "missing_bytes": "bytes that are missing at the end; below 0: that were added",
    "overdue": "whether twice as many messages have come",
    "resolved": "what was found of a failure; empty: nothing yet",
    "adversary": "what the adversary does",
    "advice": "what helps",
    "channels.advice": "what closes the channel",
    "agreement_words": "six words of the SHA-256 of agreement.json",
    "alpha": "probability of one false alarm in the whole homologation",
    "answers": "fields of the answers of this command, by its forms: this table",
    "arrivals": "messages that were not received yet",
    "as_expected": "whether a control came out as it has to; null: it is not a control",
    "authority": "public key of OpenSSH whose signature each candidate needs; empty: none does",
    "authentication": "under which key the record is authenticated",
    "backup_code": "24 words that open the copy",
    "binding_id": "id of the laptop's binding to the unit, 32 hexadecimal digits",
    "binding_ids": "ids of the laptop's bindings to the unit",
    "bindings": "the laptop's bindings",
    "bits": "how many bits",
    "boots": "starts of the unit",
    "bound_here": "whether the unit is bound to this laptop",
    "bus": "USB bus",
    "bytes": "bytes of data; of a file, its size",
    "cage": "command that makes a cage, empty where there is none",
    "cages": "network namespaces of both sides",
    "capsule": "SHA-256 of the capsule",
    "symbols.capsule": "the capsule, in Base64",
    "capsule_state": "new, made by this unit, or why the unit would not open the capsule",
    "carrier": "carrier by which the member was heard last; null: none is known",
    "carriers": "carriers of the agent",
    "channels": "ways into this machine and out of it",
    "channels_after": "channels when the keys had been taken",
    "channels_before": "channels before the keys were taken",
    "characteristics": "what this laptop is known by: names; with their values in `bind --show`",
    "checks": "what had to hold",
    "chunks": "pieces of the capsule that have a tag each",
    "cipher": "vernam or aes",
    "count": "how many there are",
    "claims": "how many texts or keys the expert claims",
    "code": "name of the error, which never changes",
    "columns": "heads of the table",
    "command": "a command line that does the same",
    "commitment": "HMAC-SHA256 that commits to the key, or to the text",
    "commitments": "commitments of both laptops",
    "committed": "names of the characteristics that the request commits to",
    "console": "path of the link to the console of a chip",
    "content": "0: bytes, 1: symbols",
    "control": "path of the control socket",
    "data": "the message, in Base64",
    "date": "when it was written",
    "deleted": "whether the text was deleted",
    "delivered": "numbers of messages that were delivered: first and last of each row",
    "deletion": "what that means, in words",
    "descriptors": "open descriptors of the side in its cage, by number",
    "detail": "why, or what was seen",
    "details": "what the adversary found",
    "differences": "what changed since the unit was bound",
    "digits": "d, the decimal place that gives the bits",
    "directory": "where the bindings lie",
    "services.directory": "where its sockets are",
    "drive": "the board's drive",
    "dropped_frames": "frames that the unit could not read",
    "elsewhere": "other directories with bindings",
    "emulated_in": "directory of an emulated unit",
    "generation_id": "id of the network's present generation",
    "generations": "generations of the network whose capsules the unit opens, the latest first",
    "kept_as": "path of the copy of the network file that was there, if that network has units",
    "ended": "when the run ended",
    "entropy": "bits of entropy a byte on the line",
    "entropy_of_text": "bits of entropy a byte of the text",
    "entries": "files and folders, each folder before what is in it",
    "environment": "what the homologation ran on",
    "epoch": "epoch of the network's secret",
    "epochs": "epochs that the unit can keep",
    "erases": "times that the sector of flash was erased",
    "error": "why it failed",
    "evidence": "what was measured",
    "exists": "whether the directory exists",
    "exit_status": "exit status of the command",
    "expert": "who recorded it",
    "experts": "what human experts recorded",
    "f1": "operator f1",
    "f2": "operator f2",
    "file": "file that was written, or read",
    "files": "files that were written",
    "encrypt.files": "how many files",
    "decrypt.files": "how many files",
    "inspect.files": "how many files",
    "folders": "how many folders, itself included",
    "findings": "what each adversary reached",
    "fingerprints": "first digits of a SHA-256 of the key, at both sides",
    "firmware": "version of the firmware",
    "generation": "generation of the network; null: none yet",
    "first": "index of the first element",
    "receive.first": "number of the first lost message",
    "first_bytes": "first bytes of the capsule",
    "flags": "what else is to be said of the state, in words",
    "format": "how the key is written: hex, bits, base64, raw",
    "free_memory": "bytes; 0: not limited",
    "given": "what the expert was given",
    "held": "true, false; null: not shown",
    "hello": "what the unit says of itself to everybody",
    "has_from": "number of the first message that the sender still has",
    "unit.held": "generations whose capsules the unit opens",
    "heard": "whether a member was heard in the new generation; null: none is there that could be",
    "members_seen.heard": "when the member was heard last, by the clock of this computer",
    "help": "text of the help",
    "hours": "hours of work",
    "id": "number of the requirement",
    "index": "index of the key, k",
    "installed": "where the rule is installed",
    "installed_in": "directory of the package",
    "interfaces": "network interfaces in the cage",
    "interrupted": "index of the key whose taking was cut off",
    "is_current": "whether it is the rule of this version",
    "is_open": "whether it is open; null: this system cannot tell",
    "joined": "first generation of the unit; null: the next one",
    "kept": "capsules that are kept for those who ask",
    "judged_as": "pair, or network: what requirements were asked for",
    "key": "the key, in its format",
    "keys": "keys that were taken",
    "kind": "kind of the channel",
    "not_kept.kind": "kind of what was left out or not kept: a row of docs/folders.md",
    "receive.kind": "message; early: earlier ones are missing; late: later ones came before it; or lost",
    "last": "number of the last message",
    "receive.last": "number of the last lost message",
    "label": "word for the unit",
    "findings.label": "short name of the adversary",
    "lane": "lane of the unit, or of the sender",
    "lanes": "lanes of a network",
    "left_out": "newest generation that was made without this unit after its own; null: none, as far as is known",
    "line": "number of the line, from 1 on",
    "lines": "lines of the traceback, with the names of the source",
    "log10_p": "decimal logarithm of the p-value",
    "log_size": "bytes of the record log",
    "log_used": "bytes of the record log that are in use",
    "lost": "messages that will not come, as far as is known, and why",
    "lost.first": "number of the first lost message",
    "lost.last": "number of the last lost message",
    "lost.why": "why they are lost: not_kept, generation or epoch",
    "major": "protocol version, before the point",
    "master": "lane of the unit that leads; null: nobody does",
    "max_payload": "bytes of the largest frame's payload",
    "may_be_opened": "whether this user may open the port",
    "may_use": "whether this user may",
    "member": "what a member sees of the capsule",
    "member_count": "how many units are in the present generation",
    "members": "units that were made from the file",
    "members_seen": "members that were heard",
    "members_seen.generation": "generation of what was heard last",
    "members_seen.number": "number of the epoch of what was heard last",
    "merged": "whether a new generation was made that unites what two administrators did apart",
    "message": "the message that was encrypted; null: none",
    "error.message": "what happened",
    "message_checks": "what had to hold of the messages",
    "message_counter": "number of the unit's next message",
    "messages": "messages that were sent",
    "missing": "numbers of messages that can still come: first and last of each row",
    "minor": "protocol version, after the point",
    "mode": "b: the unit encrypts, a: the computer",
    "entries.mode": "kind and mode, as ls -l shows them",
    "n": "elements that were tested",
    "name": "what it is called",
    "names": "the first of their names",
    "namespace": "network namespace",
    "ndks": "version of ndks",
    "network": "name of the network",
    "homologate.network": "the test network, which is thrown away",
    "stages.network": "stage 3: a network of all units, if there are three or more",
    "network_id": "units with the same id give the same keys, 16 hexadecimal digits",
    "newest": "newest generation that is known here, in which the unit need not be yet; null: none",
    "send.generation": "generation in which the message is sealed; null: it waits",
    "next_index": "index of the next key; null: none left",
    "next_lane": "lane that the next unit gets",
    "no_channel": "stage 1: keys with no channel",
    "join.number": "epoch, counted in its generation",
    "network.number": "epoch, counted in its generation",
    "provision.number": "epoch, counted in its generation",
    "not_kept": "what was left out of a folder, or not kept, by kind",
    "nothings": "how many nothings",
    "number": "number of the message on its lane",
    "open": "whether a channel is open, or may be",
    "opening": "path of the file that opens the request's commitments, for the authority",
    "opened_in": "mode in which the message was opened",
    "outbox": "own messages",
    "owner": "owner, group and mode of the port",
    "p": "p-value below which a test has failed",
    "p1": "parameter p1",
    "p2": "parameter p2",
    "p_value": "p-value, where there is one",
    "package": "path of the package",
    "packages": "versions of Python packages",
    "packets": "packets on the channel of a network",
    "part": "whether the unit was attacked, or its keys compared",
    "passed": "whether the test passed",
    "path": "path in the folder",
    "pid": "process of the emulated unit or chip, or of the service",
    "platform": "system",
    "port": "port of the unit",
    "ports": "serial ports",
    "present": "whether the service has the unit at hand",
    "probes": "attempts to reach the other side",
    "problem": "why it cannot be used, or was not opened",
    "receive.problem": "why its symbols are refused",
    "problems": "what is wrong, and what helps",
    "product": "product, and its version",
    "product_id": "USB product id",
    "protocol": "version of the protocol",
    "python": "version of Python",
    "reasons": "why the verdict is not APPROVED",
    "receiver": "who opened the message",
    "recorded": "bytes of the capsule on the line",
    "regular_channel": "stage 2: messages over TCP",
    "released_for": "seconds for which the port is free",
    "repeated": "indices of keys that had come before",
    "report": "path of report.html",
    "request": "SHA-256 of the request, in hexadecimal digits",
    "requirements": "what is required, and what came of it",
    "reset_reason": "why the unit started last",
    "retained": "whether the carriers keep what was published for those who come later",
    "revocations": "how many units this administrator may still revoke",
    "room": "bytes that are left for messages that no program has received; 0: none are taken",
    "revoked": "how many units are revoked",
    "revoked_count": "how many units are revoked",
    "role": "how the unit takes part in leading the network",
    "targets.role": "what the target is there for",
    "rows": "rows of the table",
    "s": "number of the message, counted by its sender",
    "salt": "random bytes in hexadecimal digits: of the run, the capsule, or the unit's provisioning",
    "same": "whether both sides have the same",
    "scope": "keys, gate, agent or admin: what programs may do there",
    "script": "the completions",
    "sealed_in": "mode in which the message was sealed",
    "seconds": "how long it took",
    "seed": "of what the adversaries drew",
    "seen": "highest number that was seen of the sender",
    "senders": "members whose messages came",
    "sender": "who sent the message",
    "serial_number": "serial number of the unit, 16 hexadecimal digits",
    "serial_numbers": "serial numbers of units",
    "services": "services that have sockets on this computer",
    "sha256": "SHA-256 of the file",
    "shell": "the shell",
    "shown": "what the candidate shows: names and values",
    "sides": "both sides in their cages",
    "sigmas": "standard deviations from the mean",
    "size": "bytes of the capsule",
    "entries.size": "bytes of the content",
    "message.size": "bytes of the text",
    "statistics.size": "elements that were tested",
    "socket": "path of the agent's socket",
    "sockets": "sockets of the service, one a scope",
    "source": "where the paper says so",
    "stages": "what the two stages of the paper showed",
    "started": "when the run began",
    "state": "blank, provisioned, locked or tampered",
    "channels.state": "what was seen of the channel",
    "network.state": "in, retired or revoked",
    "state_format": "version of the unit's state in flash",
    "statistics": "statistics on the key bits",
    "status": "what the unit holds; what concerns its network only where it is bound to this laptop",
    "succeeded": "whether the adversary succeeded; null: not shown",
    "suite": "hybrid or paper",
    "summary": "what he reached, in a sentence",
    "symbols": "0, 1, and . for nothing; .{N} is N nothings",
    "system": "operating system",
    "tables": "the paper's tables beside the measurements",
    "tag": "HMAC-SHA256 of the record",
    "targets": "what was attacked: the units, and the controls",
    "test": "how it is tested",
    "ticks": "ticks of a network's time that passed",
    "tests": "how many tests",
    "text": "what is required, in words",
    "threshold": "how the tests share one false alarm",
    "time": "time of the content, in nanoseconds since 1970",
    "title": "title of the table",
    "told_of": "highest number that the sender has told of",
    "transport_code": "24 words that bind the unit, at another laptop",
    "udev_rule": "the rule that lets users open units",
    "unit_names": "what --unit may be here",
    "unit": "the unit of the agent",
    "url": "URL of the carrier",
    "units": "units, one object each",
    "usb": "USB devices that may be boards",
    "value": "what was measured",
    "vendor": "USB vendor id",
    "verdict": "APPROVED, NOT APPROVED or NO VERDICT",
    "requirements.verdict": "met, not met or not shown",
    "version": "version of ndks",
    "inspect.version": "version of the capsule",
    "versions": "versions of ndks and of libraries",
    "volumes": "capsules, one behind the other",
    "waits": "how many wait, or whether it does",
    "waits_for": "unit, generation, carrier, or turn: those before it; null: it does not wait",
    "warning": "that suite paper protects nothing, where it is used",
    "went_back": "true: the unit's state went back; it goes on where this laptop knows that it was",
    "when": "when that was agreed",
    "where": "where it was seen",
    "who": "who agreed that the unit may join",
    "why": "why the unit may join",
    "receive.why": "why the message is lost",
    "window": "numbers below a sender's latest that the unit keeps account of",
    "with_network": "whether router and subnet are a part of the binding",
    "words": "six words of the file's SHA-256, to be compared by voice",
    "wrong_attempts": "wrong proofs since the last right one",
}


def fields_of(text: str) -> Fields:
    """Return a row of the table as nested names."""
    return _read(iter(re.findall(r"[^\s()]+|[()]", text)))


def _read(words: Iterator[str]) -> Fields:
    found: Fields = {}
    last = ""
    for word in words:
        if word == ")":
            break
        if word == "(":
            found[last] = _read(words)
        else:
            last = word
            found[last] = {}
    return found


def answers_of(command: str) -> dict[str, Fields]:
    """Return the fields of a command's answers, by the form of the command that gives them."""
    return {form: fields_of(text) for form, text in ANSWERS.items() if f"{form} ".startswith(f"{command} ")}


def bare(name: str) -> str:
    """Return a name without what is said of it."""
    return name.rstrip("?").removesuffix("[]")


def meaning(path: Iterable[str]) -> str:
    """Return what the last name of a path means: the command, then names from the outside in. KeyError."""
    *around, name = path
    narrow = [f"{inside}.{name}" for inside in reversed(around) if f"{inside}.{name}" in MEANINGS]
    return MEANINGS[narrow[0] if narrow else name]
