# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of what can lie in a folder, and what becomes of each; docs/folders.md is made from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Self

MOST_LEVELS = 128  # of folders in folders; both ends hold one descriptor a level
MOST_NAME = 255  # bytes
_SHOWN = 5  # names of a kind that are reported; the others are counted

LINK, DEVICE, SOCKET, FIFO, MOUNT, VANISHED = "link", "device", "socket", "fifo", "mount", "vanished"
CHANGED, HARD_LINK, SPARSE, ATTRIBUTES, SPECIAL_MODE = "changed", "hard_link", "sparse", "attributes", "special_mode"
FOREIGN_NAME, SAME_NAME, MODE, TIME = "foreign_name", "same_name", "mode", "time"


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a thing at each end, reported in the words `said` where something is lost; `test` shows it."""

    thing: str
    packing: str
    unpacking: str
    test: str
    said: str = ""


# What is reported, by the name that --json has.
LEFT_OUT = {
    LINK: Rule("symbolic link", "left out, reported", "refused", "odd_things", "symbolic links, left out"),
    DEVICE: Rule("device", "left out, reported", "refused", "devices", "devices, left out"),
    SOCKET: Rule("socket", "left out, reported", "refused", "odd_things", "sockets, left out"),
    FIFO: Rule("FIFO", "left out, reported; never opened", "refused", "odd_things", "FIFOs, left out"),
    MOUNT: Rule(
        "file system mounted inside",
        "left out, reported; never entered",
        "-",
        "nested_mount",
        "file systems mounted inside, left out",
    ),
    VANISHED: Rule(
        "file or folder that vanishes meanwhile", "left out, reported", "-", "vanishing", "gone meanwhile, left out"
    ),
}
KEPT_IN_PART = {
    CHANGED: Rule(
        "file that changes meanwhile",
        "packed with the size that it had at first, reported; refused if it became shorter",
        "-",
        "changing",
        "changed while they were read",
    ),
    HARD_LINK: Rule(
        "hard link",
        "each name is a file of its own, reported",
        "refused",
        "hard_links",
        "hard links, each packed as a file of its own",
    ),
    SPARSE: Rule(
        "sparse file",
        "its holes are zeros, reported",
        "zeros that take space; sparse entries of tar are refused",
        "sparse",
        "sparse files, packed with their zeros",
    ),
    ATTRIBUTES: Rule(
        "extended attributes, access control lists, capabilities of programs",
        "not kept, reported; labels that the system gives (SELinux) are not",
        "refused",
        "attributes",
        "extended attributes, not kept",
    ),
    SPECIAL_MODE: Rule(
        "setuid, setgid and sticky bits",
        "not kept, reported; the other nine bits are",
        "refused",
        "special_modes",
        "setuid, setgid or sticky bits, not kept",
    ),
    FOREIGN_NAME: Rule(
        "name that another system cannot have: `CON`, `a:b`, a dot at its end",
        "packed, reported",
        "as it is; refused by name where the file system refuses it",
        "foreign_names",
        "names that Windows cannot have",
    ),
    SAME_NAME: Rule(
        "names that differ in case or accents only",
        "packed, reported",
        "both; refused by name where the file system takes both for one",
        "case",
        "names that some systems take for another beside them",
    ),
    MODE: Rule(
        "mode that the target's file system does not have (FAT)",
        "-",
        "the one that it gives, reported",
        "modes_of_the_target",
        "modes, not kept by the file system here",
    ),
    TIME: Rule(
        "time that the target's file system does not have, or not as exactly",
        "-",
        "the nearest that it has, reported",
        "times_of_the_target",
        "times, not kept exactly by the file system here",
    ),
}
OTHERS = (
    Rule("file", "content, name, time in ns, the nine bits of its mode", "the same", "there_and_back"),
    Rule("folder, empty ones too", "name, time, mode", "the same", "there_and_back"),
    Rule("owner and group", "not kept", "files belong to whoever unpacks", "there_and_back"),
    Rule("file that moves meanwhile to where all is packed", "the folder that it left is reported", "-", "moving"),
    Rule("file or folder that cannot be read", "refused by name; the rest can go on when it can be", "-", "unreadable"),
    Rule("time 10^12 s or more from 1970", "refused by name", "refused", "far_times"),
    Rule("name that is not UTF-8", "refused by name", "refused", "not_utf8"),
    Rule("folders more than 128 deep", "refused by name", "refused", "deep"),
    Rule("target inside the folder", "refused", "-", "inside"),
    Rule("`..`, absolute names, names through links", "-", "refused; nothing is ever opened by a path", "traversal"),
    Rule("entries twice, or in another order", "sorted by the bytes of their names", "refused", "order"),
    Rule("bomb", "nothing is compressed", "a folder takes what its capsule does; a header 64 KB at most", "bombs"),
    Rule("10^6 files, also in one folder", "constant memory", "constant memory", "many_files"),
    Rule("full disk", "FILE; goes on when there is room", "FILE; goes on when there is room", "full_disk"),
    Rule(
        "target that cannot be written",
        "FILE, before a message number is taken",
        "FILE, before anything is opened",
        "read_only",
    ),
    Rule("target that exists", "FILE; replaced with --force", "FILE; never replaced or merged", "existing"),
    Rule("system without directory descriptors (Windows)", "USAGE", "USAGE", "other_systems"),
)


@dataclass(slots=True)
class Notes:
    """What was left out and what was not kept: a number and the first names of each kind."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    names: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, kind: str, name: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= _SHOWN:
            self.names.setdefault(kind, []).append(name)

    @classmethod
    def of(cls, noted: dict[str, Any]) -> Self:
        """Return what `asdict` made of notes, or no notes of {}. ValueError."""
        names = {each.name for each in fields(cls)}
        if set(noted) not in (set(), names) or not all(isinstance(each, dict) for each in noted.values()):
            raise ValueError
        return cls(**noted)

    def texts(self) -> Iterator[str]:
        """Yield a sentence for each kind."""
        for kind, count in self.counts.items():
            others = ", ..." if count > _SHOWN else ""
            yield f"{(LEFT_OUT | KEPT_IN_PART)[kind].said}: {count} ({', '.join(self.names[kind])}{others})"


def all_rules() -> Iterator[Rule]:
    yield from (*OTHERS[:3], *LEFT_OUT.values(), *KEPT_IN_PART.values(), *OTHERS[3:])
