# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What commands on keys, files and streams answer."""

from .shared import PROBLEM

_KEY = "index epoch bits suite went_back? warning?"
_NOT_KEPT = "not_kept[](kind count names)"
ANSWERS = {
    "key": f"{_KEY} format key? file?",
    "stream": f"{_KEY} format file",
    "encrypt": "file bytes cipher mode suite warning?",
    "encrypt FOLDER": f"file files folders bytes volumes cipher mode suite {_NOT_KEPT} warning?",
    "decrypt": "file bytes lane number cipher suite warning?",
    "decrypt FOLDER.ndks": f"file files folders bytes volumes lane cipher suite {_NOT_KEPT} warning?",
    "inspect": "file version size chunks bytes volumes? warning? "
    "member?(lane suite number? cipher? capsule_state? sender? salt?)",
    "inspect --list": "file files folders bytes volumes lane entries[](mode size time path)",
    "symbols seal": "file bits nothings bytes cipher suite warning?",
    "symbols seal --live": "capsule bits nothings",
    "symbols open": "file bits nothings bytes lane number cipher suite warning?",
    "symbols open --live": f"lane? number? symbols? bits? nothings? line? error?{PROBLEM}",
    "generate": "index first bits format warning key? file?",
}
MEANINGS = {
    "symbols.capsule": "the capsule, in Base64",
    "capsule_state": "new, made by this unit, or why the unit would not open the capsule",
    "chunks": "pieces of the capsule that have a tag each",
    "count": "how many there are",
    "entries": "files and folders, each folder before what is in it",
    "decrypt.files": "how many files",
    "encrypt.files": "how many files",
    "inspect.files": "how many files",
    "first": "index of the first element",
    "folders": "how many folders, itself included",
    "format": "how the key is written: hex, bits, base64, raw",
    "key": "the key, in its format",
    "not_kept.kind": "kind of what was left out or not kept: a row of docs/folders.md",
    "line": "number of the line, from 1 on",
    "member": "what a member sees of the capsule",
    "entries.mode": "kind and mode, as ls -l shows them",
    "mode": "b: the unit encrypts, a: the computer",
    "names": "the first of their names",
    "not_kept": "what was left out of a folder, or not kept, by kind",
    "nothings": "how many nothings",
    "path": "path in the folder",
    "entries.size": "bytes of the content",
    "size": "bytes of the capsule",
    "time": "time of the content, in nanoseconds since 1970",
    "inspect.version": "version of the capsule",
    "volumes": "capsules, one after the other",
}
