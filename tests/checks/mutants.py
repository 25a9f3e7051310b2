# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Change protocol/ and firmware/ in one small place at a time, and count the changes that the tests notice.

python tests/checks/mutants.py RESULTS [--mutants N] [--jobs N] [--seconds S]

The mutants are drawn with a fixed seed. Each runs the tests that execute its line, for S seconds of the processor at
most, so that the load of the machine changes nothing; a mutant that no test has failed for until then has survived.
RESULTS gets one line of JSON for each mutant as it ends; run the
command again to go on where it was stopped. Beside it lies RESULTS.coverage: which test executes which line.
"""

import argparse
import ast
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from coverage import CoverageData

ROOT = Path(__file__).parents[2]
MUTATED = ("protocol/ndks_protocol", "firmware/ndks_unit")
TESTS = ("tests/protocol", "tests/firmware")
SEED = 13
_FAILED = (1, 2, 3, 4)  # pytest's exit status: a test has failed, or pytest could not even begin
MEMORY = 4 << 30  # bytes that one run may take: some mutants would take all
SWAPS: dict[type[ast.AST], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.And: "or",
    ast.Or: "and",
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.FloorDiv: "*",
    ast.Mod: "//",
    ast.LShift: ">>",
    ast.RShift: "<<",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.BitXor: "&",
}


class Mutant(NamedTuple):
    path: str
    line: int
    column: int
    old: str
    new: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.old} -> {self.new}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    killed = dict(results(arguments.results))
    drawn = random.Random(SEED).sample(list(all_mutants()), arguments.mutants)
    executed = coverage(arguments.results.with_suffix(".coverage"))
    checkouts: SimpleQueue[Path] = SimpleQueue()

    def run(mutant: Mutant) -> None:
        checkout = checkouts.get()
        started = time.monotonic()
        outcome = tried(mutant, checkout, tests_of(mutant, executed), arguments.seconds)
        checkouts.put(checkout)
        killed[mutant.name] = outcome
        took = round(time.monotonic() - started)
        with arguments.results.open("a") as file:
            print(json.dumps({"mutant": mutant.name, "killed": outcome, "seconds": took}), file=file)

    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(arguments.jobs) as pool:
        for job in range(arguments.jobs):
            checkouts.put(copied(Path(temporary, str(job))))
        list(pool.map(run, [mutant for mutant in drawn if mutant.name not in killed]))
    outcomes = [killed[mutant.name] for mutant in drawn]
    print(f"{sum(outcomes)} of {len(outcomes)} mutants killed")


def results(path: Path) -> Iterator[tuple[str, bool]]:
    for line in path.read_text().splitlines() if path.exists() else ():
        result = json.loads(line)
        yield result["mutant"], result["killed"]


def all_mutants() -> Iterator[Mutant]:
    for folder in MUTATED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            for node in _code(ast.parse(text)):
                for changed, old, new in _changes(node):
                    # Not what an f-string is made of: before Python 3.12 it has no place of its own
                    if old and ast.get_source_segment(text, changed) == old:
                        yield Mutant(str(path.relative_to(ROOT)), changed.lineno, changed.col_offset, old, new)


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes except annotations, which are never executed."""
    for name, value in ast.iter_fields(tree):
        if name not in ("annotation", "returns"):
            for node in value if isinstance(value, list) else [value]:
                if isinstance(node, ast.AST):
                    yield node
                    yield from _code(node)


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """Yield the possible changes of this node, with its text before and after."""
    old = ast.unparse(node) if isinstance(node, (ast.expr, ast.stmt)) else ""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield node, old, f"{ast.unparse(node.left)} {SWAPS[type(node.ops[0])]} {ast.unparse(node.comparators[0])}"
    elif isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        yield node, old, f"({_side(node.left)} {SWAPS[type(node.op)]} {_side(node.right)})"
    elif isinstance(node, ast.AugAssign) and type(node.op) in SWAPS:
        yield node, old, f"{ast.unparse(node.target)} {SWAPS[type(node.op)]}= {ast.unparse(node.value)}"
    elif isinstance(node, ast.BoolOp):
        yield node, old, f"({f' {SWAPS[type(node.op)]} '.join(map(_side, node.values))})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, old, _side(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node, old, str(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, old, "pass"


def _side(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"


def coverage(path: Path) -> CoverageData:
    """Return which tests execute which line; it is measured once."""
    if not path.exists():
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *TESTS, "--cov-context=test", "--cov-report="]
        command += [f"--cov={folder}" for folder in MUTATED]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"COVERAGE_FILE": str(path)}, check=True)
    data = CoverageData(str(path))
    data.read()
    return data


def tests_of(mutant: Mutant, executed: CoverageData) -> list[str]:
    """Return the tests that execute this line, the most relevant first; all tests for a line that runs at import."""
    contexts = executed.contexts_by_lineno(str(ROOT / mutant.path)).get(mutant.line, [])
    if "" in contexts:
        return list(TESTS)
    stem = Path(mutant.path).stem
    tests = {context.partition("|")[0] for context in contexts}
    return sorted(tests, key=lambda test: (stem not in (ROOT / test.partition("::")[0]).read_text(), test))


def tried(mutant: Mutant, checkout: Path, tests: list[str], seconds: int) -> bool:
    """Return whether a test detects the mutant."""
    path = checkout / mutant.path
    original = path.read_text()
    lines = original.splitlines(keepends=True)
    start = sum(map(len, lines[: mutant.line - 1])) + len(lines[mutant.line - 1].encode()[: mutant.column].decode())
    path.write_text(original[:start] + mutant.new + original[start + len(mutant.old) :])
    try:
        return bool(tests) and fails(checkout, tests, seconds)
    finally:
        path.write_text(original)


def fails(checkout: Path, tests: list[str], seconds: int) -> bool:
    """Return whether one of these tests fails within this CPU time."""
    packages = os.pathsep.join(str(checkout / folder) for folder in ("protocol", "firmware", "emulator", "host"))
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout", "3600", *tests]
    environment = os.environ | {"PYTHONPATH": packages}
    pytest = subprocess.Popen(command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL)
    resource.prlimit(pytest.pid, resource.RLIMIT_CPU, (seconds, seconds))
    return pytest.wait() in _FAILED


def copied(checkout: Path) -> Path:
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    return checkout


if __name__ == "__main__":
    main()
