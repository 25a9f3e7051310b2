# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run the commands of expectations.toml, and judge what the tools say.

Each tool works in a directory of its own, which is its home too. A command that takes longer than a minute is ended.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLONE = Path(__file__).parents[2]
EXPECTATIONS = Path(__file__).with_name("expectations.toml")
MARKS = ("no", "partly", "yes")
NONE = "-"  # nothing is expected of this tool, or can be seen without its device
ABSENT = "not here"  # the tool is not installed
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|^ *╭.*")  # and the heads of boxes
_LONGEST_QUOTE = 90  # characters
_SECONDS = 60
_COMPLAINT = re.compile(r"(?i)^(?!warning).*(error|\bnot\b|no such|unrecogni|invalid|failed|exists)")


@dataclass(frozen=True)
class Said:
    """What a command said."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Finding:
    """One cell of the table, and what it rests on."""

    mark: str  # of MARKS, or NONE, or ABSENT
    command: str = ""
    status: int | None = None
    quote: str = ""
    note: str = ""


def read_expectations() -> dict[str, Any]:
    return tomllib.loads(EXPECTATIONS.read_text(encoding="utf-8"))


def judge(said: Said, entry: dict[str, Any]) -> tuple[str, int]:
    """Return the mark, and where in stdout and stderr that which decided it begins (-1: nowhere)."""
    for mark in ("yes", "partly"):
        holds, place = _holds(said, entry.get(mark))
        if holds:
            return mark, place
    unwanted = re.search(entry["yes"].get("never", "$^"), said.out + said.err)
    return "no", unwanted.start() if unwanted else -1


def _holds(said: Said, rule: dict[str, Any] | None) -> tuple[bool, int]:
    if rule is None:
        return False, -1
    texts = {"out": said.out.strip(), "err": said.err.strip(), "says": said.out + said.err}
    found = {name: re.search(rule[name], text, re.MULTILINE) for name, text in texts.items() if name in rule}
    statuses = rule.get("status", said.status)
    fits = said.status in (statuses if isinstance(statuses, list) else [statuses])
    never = "never" in rule and re.search(rule["never"], texts["says"])
    words = [match[0] for match in found.values() if match and match[0].strip()]
    return fits and all(found.values()) and not never, texts["says"].find(words[0]) if words else -1


def quote(said: Said, place: int) -> str:
    """Return the line that decided, else the first that complains, else the last one."""
    text = said.out + said.err if place >= 0 else said.err + said.out
    start = max(text.rfind("\n", 0, place), 0) if place >= 0 else 0
    lines = [" ".join(_ANSI.sub("", line).strip("│ ").split()) for line in text[start:].splitlines()]
    lines = [line for line in lines if re.search(r"\w", line)] or [""]
    complaints = [line for line in lines if _COMPLAINT.search(line)] if place < 0 else []
    line = lines[0] if place >= 0 else (complaints or lines[-1:])[0]
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"


class Bench:
    """A directory in which one tool is tried."""

    def __init__(self, tool: str, properties: dict[str, Any], directory: Path) -> None:
        self._properties = properties
        self._directory = directory
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        where = shutil.which(tool, path=path)
        self.is_here = where is not None
        self._prefix = str(Path(where).resolve().parent.parent) if where else ""
        unwanted = ("NDKS_", "NO_COLOR", "COLUMNS", "XDG_", "ESPTOOL_")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | {
            "PATH": path,
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            "CLONE": str(CLONE),
            "PREFIX": self._prefix,
        }

    def prepare(self) -> str:
        """Make what the commands need, and return the tool's version."""
        for name in ("p.txt", "-x.txt"):
            (self._directory / name).write_text("hello\n")
        self.run(self._properties["setup"])
        version = re.search(r"\d+(\.\d+)+\S*", self.run(self._properties["version"]).out)
        return version[0] if version else "?"

    def run(self, command: str) -> Said:
        """Run lines of bash; their output goes through files, for what they leave behind may keep a pipe open."""
        script = f"[ -f env ] && . ./env\n{command}"
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                errors="replace",
            )
            status = self._wait(process)
            return Said(status, self._text(out.fileno()), self._text(err.fileno()))

    def _wait(self, process: subprocess.Popen[str]) -> int:
        try:
            return process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def _text(self, file: int) -> str:
        os.lseek(file, 0, os.SEEK_SET)
        with open(file, "rb", closefd=False) as opened:
            text = opened.read().decode(errors="replace")
        for path, name in ((str(self._directory), "~"), (str(CLONE), "$CLONE"), (self._prefix, "$PREFIX")):
            text = text.replace(path, name) if len(path) > len("/usr") else text
        return text

    def finding(self, expectation: dict[str, Any], tool: str) -> Finding:
        given = expectation[tool]
        entry = {"run": given} if isinstance(given, str) else given
        if "none" in entry:
            return Finding(NONE, note=entry["none"])
        if not self.is_here:
            return Finding(ABSENT)
        said = self.run(entry["run"])
        mark, place = judge(said, {**expectation, **entry})
        return Finding(
            entry.get("judged", mark), entry["run"].strip(), said.status, quote(said, place), entry.get("note", "")
        )


def try_tool(tool: str, data: dict[str, Any]) -> tuple[str, list[Finding]]:
    """Return the tool's version, and a finding for each expectation."""
    with tempfile.TemporaryDirectory(prefix="compared-") as directory:
        bench = Bench(tool, data["tool"][tool], Path(directory))
        version = bench.prepare() if bench.is_here else ABSENT
        return version, [bench.finding(each, tool) for each in data["expectation"]]
