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
        "lines of makers of docs": str(lines_below(root / "docs")),
        "README.md, bytes": str(len((root / "README.md").read_bytes())),
        **of_packages(files),
    }


def of_tests(tests: Path) -> dict[str, str]:
    """Return the lines in helper files per line inside a test function.

    Helpers are all files without tests: those that tests import, and those that make or MicroPython runs.
    """
    files = {path: path.read_text() for path in sorted(tests.rglob("*.py"))}
    helpers = {path: line_count(text) for path, text in files.items() if not path.name.startswith("test_")}
    functions = [function for path in files.keys() - helpers for function in functions_in(files[path])]
    inside = sum(length(function) for function in functions if function.name.startswith("test"))
    imported = sum(helpers.get(path, 0) for path in imported_by_tests(tests, files))
    folders: dict[str, int] = {}
    for path, lines in helpers.items():
        folder = path.relative_to(tests).parent.parts[:1] or (".",)
        folders[folder[0]] = folders.get(folder[0], 0) + lines
    return {
        "lines inside test functions": str(inside),
        "lines in files of tests around these": str(
            sum(map(line_count, files.values())) - sum(helpers.values()) - inside
        ),
        "lines of helper files, and of those that tests import": f"{sum(helpers.values())}, {imported}",
        "the same per line inside a test function": f"{sum(helpers.values()) / inside:.2f}, {imported / inside:.2f}",
        **{f"  helpers in tests/{folder}": str(lines) for folder, lines in folders.items()},
    }


def imported_by_tests(tests: Path, files: dict[Path, str]) -> set[Path]:
    """Return all files that are tests, or that tests import, directly or not."""
    found: set[Path] = set()
    waiting = [path for path in files if path.name.startswith(("test_", "conftest"))]
    while waiting:
        path = waiting.pop()
        if path in files and path not in found:
            found.add(path)
            waiting += [file for name in modules_named_in(files[path]) for file in _files(path, tests, name)]
    return found


def modules_named_in(text: str) -> Iterator[str]:
    """Yield each module that is imported, and each name or string that may be one; relative ones begin with a dot."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * bool(node.level) + (node.module or "")
            yield module
            yield from (f"{module.rstrip('.')}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield f".{node.value}"  # beside it, for import_module


def _files(importer: Path, tests: Path, module: str) -> Iterator[Path]:
    """Yield the possible paths of a module of the tests."""
    places = [importer.parent] if module.startswith(".") else [tests, tests / "checks"]
    for place in places:
        yield place.joinpath(*module.strip(".").split(".")).with_suffix(".py")
        yield place.joinpath(*module.strip(".").split("."), "__init__.py")


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


def lines_below(folder: Path) -> int:
    return sum(line_count(path.read_text()) for path in folder.rglob("*.py"))


def is_annotated(function: Function) -> bool:
    """Return whether each argument and the result have a type; `self` and `cls` need none."""
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
