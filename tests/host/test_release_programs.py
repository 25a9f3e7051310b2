# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whole programs in the release build: they print the same, and the same source gives the same build."""

import ast
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.emulate_process import PATIENCE

from ndks.board import firmware
from ndks.board.release.build import build
from ndks.board.release.names import replacements
from ndks.board.release.program import Program, origin, parsed
from ndks.board.release.unused import on_demand

PROGRAM = {
    "lib/ndks_unit/main.py": """\
        import os
        from . import myself, shelf, tools
        from .shelf import Shelf, heading as title
        from .package import passed_on

        def main(argument, *, keyword_only=3):
            goods = Shelf(argument)
            goods.put(keyword_only=keyword_only)
            try:
                os.stat("/unheard_of")
            except OSError as caught:
                print(title, goods.contents, getattr(goods, "by_text"), caught.args[0])
            tools.count()
            print(shelf.open(1), tools.open(2), tools.counted(), shelf.counter, passed_on(), _private())
            print(late(), myself.whole(), [heading for heading in range(2)], (lambda title: title)(5))
            print([counter for counter in counter], [failure for failure in [str(failures[0])]])
            return f"{argument!r:>5} {goods.contents}"

        counter = [1, 2]
        failures = []
        try:
            {}["missing"]
        except KeyError as heading_of_error:
            failures.append(heading_of_error)

        def late():
            from .late import value as heading
            from .package import inner_late
            return heading, inner_late.value

        def _private():
            return "private of main"
        """,
    "lib/ndks_unit/shelf.py": """\
        from .tools import Base
        heading = "shelf"
        counter = 0
        try:
            [][1]
        except IndexError as heading_of_error:
            heading += str(heading_of_error.args)

        class Shelf(Base):
            by_text = 1
            counter = heading

            def __init__(self, first_one):
                self.contents = [first_one, self.counter, counter, _private()]

            def put(self, **values):
                self.contents.append(values["keyword_only"])

        def open(heading):
            counter = heading
            return counter + len([counter for counter in range(3)])

        def _private():
            return "private of shelf"
        """,
    "lib/ndks_unit/tools.py": """\
        try:
            from no_such_module import counter
        except ImportError:
            counter = 0

        class Base:
            pass

        def open(number):
            return -number

        def count():
            global counter
            counter += 1

        def counted():
            return counter
        """,
    "lib/ndks_unit/myself.py": "def whole():\n    return __name__, sorted(globals())[0][:2]",
    "lib/ndks_unit/late.py": "from .tools import open\ncounter = open(7)\nvalue = counter",
    "lib/ndks_unit/package/__init__.py": "from .inner import passed_on\n__all__ = ('passed_on',)",
    "lib/ndks_unit/package/inner.py": "counter = 4\ndef passed_on():\n    return counter",
    "lib/ndks_unit/package/inner_late.py": "value = 'inner late'",
    "code.py": "from ndks_unit import main\nprint(main.main(7))\n",
}


def test_a_renamed_program_prints_the_same(tmp_path: Path) -> None:
    program = {name: dedent(text) for name, text in PROGRAM.items()}
    made = build(program)
    assert len(made.modules) < len(PROGRAM) - 1
    shortened = {f"{path}.py": text for path, text in made.modules.items()}
    assert not any("Shelf" in text or "contents" in text for text in shortened.values())
    assert printed(program, tmp_path / "before") == printed(shortened, tmp_path / "after") != ""


NAMES = st.sampled_from(["a", "b", "c", "d", "len", "print"])
STYLES = st.sampled_from(["module", "name", "renamed", "inside"])
USES = st.lists(st.tuples(st.integers(0, 9), NAMES, STYLES), max_size=3, unique_by=lambda use: use[:2])
MODULES = st.lists(st.dictionaries(NAMES, USES, min_size=1, max_size=4), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(MODULES)
def test_programs_whose_names_clash_print_the_same(modules: list[dict[str, list[tuple[int, str, str]]]]) -> None:
    program = {f"lib/ndks_unit/m{number}.py": module_text(number, modules) for number in range(len(modules))}
    calls = [f"m{number}.{name}(1)" for number, functions in enumerate(modules) for name in functions]
    imports = "".join(f"from ndks_unit import m{number}\n" for number in range(len(modules)))
    program["code.py"] = f"{imports}show = print\nshow({', '.join(calls)})\n"
    with TemporaryDirectory() as folder:
        before, after = Path(folder, "before"), Path(folder, "after")
        made = {f"{path}.py": text for path, text in build(program).modules.items()}
        assert printed(program, before) == printed(made, after)


def module_text(number: int, modules: list[dict[str, list[tuple[int, str, str]]]]) -> str:
    """Return a module whose functions call functions of the modules before it, in different ways."""
    imports, functions = [], []
    for name, uses in modules[number].items():
        body, terms = "", [repr(name), str(number), "value"]
        for other, called, style in uses:
            if other >= number or called not in modules[other]:
                continue
            if style == "module":
                imports.append(f"from . import m{other}")
                terms.append(f"m{other}.{called}(value)")
            elif style == "inside":
                body += f"    from .m{other} import {called} as local\n"
                terms.append("local(value)")
            else:
                bound = f"{called}_{other}" if style == "renamed" else f"_{called}"
                imports.append(f"from .m{other} import {called} as {bound}")
                terms.append(f"{bound}(value)")
        functions.append(f"def {name}(value, d=7):\n{body}    return [{', '.join(terms)}]\n")
    return "\n".join([*imports, *functions])


def printed(files: dict[str, str], folder: Path) -> str:
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    command = [sys.executable, "-S", "code.py"]  # without the firmware that is installed here
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": "lib"}, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return done.stdout


# They have nothing but numbers, which the release build writes where they are used.
NUMBERS = {"ndks_protocol.control", "ndks_protocol.control.limits", "ndks_unit.network.layout"}


@pytest.mark.parametrize("kind", ["source", "release"])
def test_modules_on_demand_load_nothing_that_stays(kind: str) -> None:
    """What they import is loaded at the start, or on demand too."""
    if kind == "source":
        wanted = firmware.loaded_source()
        files = {path: text for path, text in firmware.sources().items() if path in wanted}
        board = "ndks_unit.rp2040"
    else:
        made = firmware.release_build(firmware.sources())
        files = {f"{path}.py": text for path, text in made.modules.items()}
        path = next(path for path, shown in made.shown.items() if "ndks_unit.rp2040" in made.functions[shown])
        board = path.removeprefix("lib/").replace("/", ".")
    program = parsed({path.removeprefix("lib/"): text for path, text in files.items()})
    late = on_demand(program)
    at_start = loaded_by(program, {"code", board})
    assert len(late) >= 9
    assert not late & at_start
    assert loaded_by(program, late) - late <= at_start | (NUMBERS if kind == "source" else set())


def loaded_by(program: Program, names: set[str]) -> set[str]:
    """Return these modules and those that loading them loads."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in program:
            continue
        found.add(name)
        imports = [node for node in program[name].tree.body if isinstance(node, ast.ImportFrom)]
        waiting += [name.rpartition(".")[0], *(origin(program[name], node) for node in imports)]
        waiting += [f"{origin(program[name], node)}.{alias.name}" for node in imports for alias in node.names]
    return found


def test_names_that_others_know_stay() -> None:
    program = parsed({name: dedent(text) for name, text in PROGRAM.items()})
    names = replacements(program, frozenset({"ndks_unit"}))
    assert (
        not {"os", "stat", "OSError", "args", "print", "append", "by_text", "keyword_only", "__init__"} & names.keys()
    )
    assert {"Shelf", "contents", "put", "heading", "first_one", "caught"} <= names.keys()


def test_the_same_source_gives_the_same_build() -> None:
    sources = firmware.sources()
    code = "from ndks.board import firmware; m = firmware.release_build(firmware.sources()); print(m.modules, m.map())"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    backwards = firmware.release_build(dict(reversed(sources.items())))
    assert runs[0] == runs[1] == f"{backwards.modules} {backwards.map()}\n"
