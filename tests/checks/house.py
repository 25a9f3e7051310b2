# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure the house: sizes of modules and functions, annotations, helpers of tests, README, packages.

python tests/checks/house.py [CHECKOUT ...]    one column for each checkout; without any, this one
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
PRODUCT = ("protocol", "firmware", "emulator", "host")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(checkouts: list[str]) -> None:
    columns = [measured(Path(checkout)) for checkout in checkouts or [str(ROOT)]]
    names = sorted(dict.fromkeys(chain.from_iterable(columns)), key=lambda name: name if "/" in name else "")
    for name in names:
        print(f"{name:52}", *(f"{column.get(name, '-'):>18}" for column in columns))


def measured(root: Path) -> dict[str, str]:
    """Return the figures of one checkout by name, in the order of the table."""
    files = {path.relative_to(root): path.read_text() for top in PRODUCT for path in sorted((root / top).rglob("*.py"))}
    functions = [function for text in files.values() for function in functions_in(text)]
    return {
        "modules": str(len(files)),
        "lines of a module: median, p90, maximum": spread(map(line_count, files.values())),
        "functions": str(len(functions)),
        "lines of a function: median, p90, maximum": spread(map(length, functions)),
        "functions above 15 lines, above 40 lines": ", ".join(
            f"{share(length(function) > limit for function in functions)}" for limit in (15, 40)
        ),
        "annotated functions": share(map(is_annotated, functions)),
        **of_tests(root / "tests"),
        "README.md, bytes": str(len((root / "README.md").read_bytes())),
        **of_packages(files),
    }


def of_tests(tests: Path) -> dict[str, str]:
    """Return how many lines in files of helpers there are for each line inside a test function."""
    helpers: dict[str, int] = {}
    inside = 0
    for path in sorted(tests.rglob("*.py")):
        text = path.read_text()
        if path.name.startswith("test_"):
            inside += sum(length(function) for function in functions_in(text) if function.name.startswith("test"))
        else:
            folder = path.relative_to(tests).parent.parts[:1] or (".",)
            helpers[folder[0]] = helpers.get(folder[0], 0) + line_count(text)
    total = sum(helpers.values())
    return {
        "lines inside test functions": str(inside),
        "lines of helper files": str(total),
        "lines of helper files per line inside": f"{total / inside:.2f}",
        **{f"  helpers in tests/{folder}": str(lines) for folder, lines in helpers.items()},
    }


def of_packages(files: dict[Path, str]) -> dict[str, str]:
    """Return the lines of each package, and of each room of a package that has several."""
    lines: dict[str, int] = {}
    for path, text in files.items():
        for parent in list(path.parents)[:-1]:
            if 2 <= len(parent.parts) <= 3:
                lines[parent.as_posix()] = lines.get(parent.as_posix(), 0) + line_count(text)
    return {f"lines of {package}": str(count) for package, count in sorted(lines.items())}


def functions_in(text: str) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Return a function's lines from `def` to its end, without its decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def line_count(text: str) -> int:
    return len(text.splitlines())


def is_annotated(function: Function) -> bool:
    """Return whether each argument and the answer have a type; `self` and `cls` need none."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    named = [argument for argument in arguments if argument.arg not in ("self", "cls")]
    return function.returns is not None and all(argument.annotation for argument in named)


def spread(counts: Iterable[int]) -> str:
    ordered = sorted(counts)
    return f"{median(ordered):g}, {ordered[len(ordered) * 9 // 10]}, {ordered[-1]}"


def share(answers: Iterable[bool]) -> str:
    counted = list(answers)
    return f"{100 * sum(counted) / len(counted):.1f} %"


if __name__ == "__main__":
    main(sys.argv[1:])
