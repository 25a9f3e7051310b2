# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Prove the models in protocol/proofs with ProVerif, and compare its answers with those that their heads state.

python tests/checks/proofs.py            prove, and note what was proved in protocol/proofs/proved.txt
python tests/checks/proofs.py --check    without ProVerif: say whether the models are those that were proved

ProVerif is the `proverif` on the PATH, or that of the variable PROVERIF. Without it nothing is proved, which is said,
and no failure.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "protocol" / "proofs"
ANSWERS = ("true", "false", "reachable")  # reachable: ProVerif finds a run that ends in the event
SECONDS = 100  # for one model, where most take about one, and none above ten
_STATED = re.compile(rf"^ {{7}}({'|'.join(ANSWERS)}) +(\S.*)$", re.MULTILINE)
_LIBRARY = re.compile(r"-lib (\S+)")
_COMMENT = re.compile(r"\(\*.*?\*\)", re.DOTALL)
_ANSWER = re.compile(r"^Query (.+) (is true|is false|cannot be proved)\.$", re.MULTILINE)
_SUMMARY = "\nVerification summary:\n"


class ProofError(Exception):
    """A model says too little of itself, or ProVerif did not get through it."""


class Model(NamedTuple):
    path: Path
    about: str  # what happens in it: the first paragraph of its head
    stated: tuple[tuple[str, str], ...]  # for each query: the expected answer, and what the query says
    libraries: tuple[Path, ...]

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(answer for answer, _ in self.stated)


def models(folder: Path = FOLDER) -> list[Model]:
    return [read(path) for path in sorted(folder.glob("*.pv"))]


def read(path: Path) -> Model:
    """Return a model with what its head states. ProofError if that does not fit its queries."""
    text = path.read_text(encoding="utf-8")
    head = text.partition("*)")[0]
    stated = tuple(_STATED.findall(head))
    queries = len(re.findall(r"^query\b", _COMMENT.sub("", text), re.MULTILINE))
    if len(stated) != queries:
        raise ProofError(f"{path.name}: its head states {len(stated)} answers, it has {queries} queries")
    if "reachable" not in dict(stated):
        raise ProofError(f"{path.name}: no query shows that its end is reachable, so that all else may be empty words")
    about = " ".join(head.split("\n\n")[1].split())
    return Model(path, about, stated, tuple(path.parent / name for name in _LIBRARY.findall(head)))


def prove(proverif: str, model: Model) -> tuple[str, ...]:
    """Return ProVerif's answer to each query of a model. ProofError if it gives none."""
    libraries = [word for path in model.libraries for word in ("-lib", str(path))]
    command = [proverif, *libraries, str(model.path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ProofError(f"{model.path.name}: no answer in {SECONDS} seconds") from None
    if done.returncode or _SUMMARY not in done.stdout:
        last = (done.stdout + done.stderr).strip()[-300:]
        raise ProofError(f"{model.path.name}: ProVerif failed, with exit status {done.returncode}: {last}")
    return tuple(_answer(*found) for found in _ANSWER.findall(done.stdout.partition(_SUMMARY)[2]))


def _answer(query: str, said: str) -> str:
    # "Is the end reachable?" is put to ProVerif as: the event never happens.
    if query.startswith("not event("):
        return {"is false": "reachable", "is true": "not reachable"}.get(said, said)
    return said.removeprefix("is ")


def complaints(model: Model, answers: tuple[str, ...]) -> Iterator[str]:
    if len(answers) != len(model.stated):
        yield f"{model.path.name}: {len(model.stated)} queries, {len(answers)} answers"
    for (stated, query), answer in zip(model.stated, answers, strict=False):
        if answer != stated:
            yield f"{model.path.name}: stated {stated}, ProVerif says {answer}: {query}"


def proved(folder: Path = FOLDER) -> str:
    """Return the text of proved.txt: for each model, a digest of all but its comments, and its answers."""
    rows = [f"{_digest(model)}  {model.path.name}  {' '.join(model.answers)}\n" for model in models(folder)]
    return "".join(rows)


def _digest(model: Model) -> str:
    texts = [_COMMENT.sub("", path.read_text(encoding="utf-8")) for path in (*model.libraries, model.path)]
    return hashlib.sha256("\n".join(" ".join(text.split()) for text in texts).encode()).hexdigest()[:16]


def prove_all(proverif: str, folder: Path) -> int:
    """Prove all models, and note them as proved unless there are complaints. Return the exit status."""
    count = 0
    for model in models(folder):
        begun = time.monotonic()
        found = list(complaints(model, prove(proverif, model)))
        count += len(found)
        print(f"{model.path.stem:20} {time.monotonic() - begun:5.1f} s  {' '.join(model.answers)}", flush=True)
        for complaint in found:
            print(complaint, file=sys.stderr)
    if not count:
        (folder / "proved.txt").write_text(proved(folder), encoding="utf-8")
    return 1 if count else 0


def check(folder: Path) -> int:
    noted = folder / "proved.txt"
    if noted.exists() and noted.read_text(encoding="utf-8") == proved(folder):
        return 0
    print(
        "protocol/proofs: models have changed since they were proved. Do: make proofs, with ProVerif", file=sys.stderr
    )
    return 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    try:
        return check(options.folder) if options.check else _prove_if_installed(options.folder)
    except ProofError as error:
        print(error, file=sys.stderr)
        return 1


def _prove_if_installed(folder: Path) -> int:
    named = os.environ.get("PROVERIF", "")
    if proverif := shutil.which(named or "proverif"):
        return prove_all(proverif, folder)
    if named:
        raise ProofError(f"PROVERIF={named} is no program. Do: make proofs PROVERIF=PATH")
    print(
        "Nothing was proved: there is no proverif on the PATH. Do: install ProVerif 2.05, or make proofs PROVERIF=PATH"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
