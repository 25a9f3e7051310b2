# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The steps of the release build on small programs: what they change, and above all what they leave alone."""

import ast
import io
import keyword
import random
import struct
import subprocess
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest
import rom_names as rom_names_of
from hypothesis import given, settings
from hypothesis import strategies as st
from support.emulate_process import PATIENCE

from ndks.board import firmware
from ndks.board.release.build import build
from ndks.board.release.constants import fold_constants
from ndks.board.release.hashes import hashed
from ndks.board.release.imports import import_directly
from ndks.board.release.names import replacements, rom_names
from ndks.board.release.program import BuildError, Program, origin, parsed
from ndks.board.release.refused import check
from ndks.board.release.unused import on_demand, remove_unused

Step = Callable[[Program], Program]
ROOT = ("lib.main",)


def changed(step: Step, **modules: str) -> dict[str, str]:
    """Return the modules of the package `lib` after a step."""
    program = parsed({f"lib/{name}.py": dedent(text) for name, text in modules.items()})
    return {name: ast.unparse(module.tree) for name, module in step(program).items()}


def without_unused(program: Program) -> Program:
    return remove_unused(program, ROOT, frozenset({"read"}))


def folded(**modules: str) -> str:
    return changed(fold_constants, **modules)["lib.main"]


SIZES = "SIZE = 4 * 256\nCODE, OTHER = 0x10, -1\nWIDE = SIZE << 20"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from .sizes import SIZE\nx = SIZE", "x = 1024"),
        ("from .sizes import SIZE as N\nx = N", "x = 1024"),
        ("from . import sizes\nx = sizes.SIZE", "x = 1024"),
        ("from lib import sizes\nx = sizes.CODE + sizes.OTHER", "x = 15"),
        ("from . import sizes\nx = y + sizes.OTHER", "x = y + -1"),
        ("from . import sizes\nx = sizes.OTHER ** y", "x = (-1) ** y"),
        ("from .sizes import WIDE\nx = WIDE", "x = 1073741824"),
        ("from .passing import SIZE\nx = SIZE", "x = 1024"),
        ("from . import sizes\nif sizes.SIZE == 1:\n    x = 1\nelse:\n    x = 2", "x = 2"),
        ("from . import sizes\nx = 'a' if sizes.SIZE == 1024 else 'b'", "x = 'a'"),
        ("import sys\nif sys.implementation.name in ('circuitpython', 'micropython'):\n    x = 1", "x = 1"),
        ("A = 1\ndef f():\n    return A\nx = f()", "x = f()"),
    ],
)
def test_constants_are_folded(source: str, expected: str) -> None:
    passing = "from .sizes import SIZE\n__all__ = ('SIZE',)"
    assert folded(main=source, sizes=SIZES, passing=passing).endswith(expected)


@pytest.mark.parametrize(
    "source",
    [
        "A = 1\nA = 2\nx = A",
        "A = 1\ndef f():\n    global A\n    A = 2\nx = A",
        "A = 1\nif unknown():\n    A = 2\nx = A",
        "if unknown():\n    A = 1\nx = A",
        "try:\n    A = 1\nfinally:\n    pass\nx = A",
        "A = 1\ndef f(A):\n    return A\nx = A",
        "A = 1\nclass C:\n    A = 2\nx = A",
        "A = 1\nx = [A for A in range(3)]",
        "A = 1\nfor A in range(3):\n    pass\nx = A",
        "A = 1\nwith unknown() as A:\n    pass\nx = A",
        "A = 1\nif (A := 2):\n    x = A",
        "A = 1\ndel A\nx = A",
        "A = 1\nA += 1\nx = A",
        "A = 1\nimport A\nx = A",
        "A = 1\nglobals()['A'] = 2\nx = A",
        "A = 1\nexec('A = 2')\nx = A",
        "A = 1.5\nx = A",
        "A = 1 // 0\nx = A",
        "A = 1 << 1000\nx = A",
        "A = unknown()\nx = A",
        "A = None\nx = A",
        "from elsewhere import A\nx = A",
        "from . import sizes\ndef f(sizes):\n    return sizes.SIZE",
        "def f():\n    from . import sizes\n    return sizes.SIZE",
    ],
)
def test_what_may_change_is_not_folded(source: str) -> None:
    assert folded(main=source, sizes=SIZES) == ast.unparse(ast.parse(source))


@pytest.mark.parametrize(
    "source", ["from . import sizes\nsizes.SIZE = 1", "def f():\n    from . import sizes\n    sizes.SIZE = 1"]
)
def test_no_module_may_assign_to_another(source: str) -> None:
    with pytest.raises(BuildError, match=r"lib\.main: assigns to sizes\.SIZE"):
        folded(main=source, sizes=SIZES)


NUMBERS = st.integers(-(1 << 40), 1 << 40)
OPERATORS = st.sampled_from(["+", "-", "*", "//", "%", "|", "&", "^"])


@given(NUMBERS, NUMBERS, OPERATORS, OPERATORS)
def test_folded_values_are_those_of_python(a: int, b: int, first: str, second: str) -> None:
    source = f"A = {a}\nB = {b}\nC = A {first} B\nD = -C {second} ~A"
    text = folded(main=f"{source}\nx = (A, B, C, D)")
    try:
        names: dict[str, object] = {}
        exec(f"{source}\nx = (A, B, C, D)", names)
    except ZeroDivisionError:
        return
    after: dict[str, object] = {}
    exec(text, after)
    assert after["x"] == names["x"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("A = 1\nB = A", ""),
        ("A, B = 1, 2\nprint(B)", "B = 2\nprint(B)"),
        ("def f():\n    return g()\ndef g():\n    return 1", ""),
        ("class C:\n    x = 1\n    def m(self):\n        pass\nC()", "class C:\n    pass\nC()"),
        ("class C:\n    def read(self):\n        pass\nC()", None),  # CircuitPython may call it
        ("class C:\n    def __len__(self):\n        return 1\nC()", None),
        ("class C:\n    def m(self):\n        pass\nC().m()", None),
        ("class C:\n    def m(self):\n        pass\ngetattr(C(), 'm')", None),
        ("A = unknown()", None),
        ("@unknown\ndef f():\n    pass", None),
        ("def f(a=unknown()):\n    pass", None),
        ("A = 1\nprint(globals())", None),
        ("A = 1\ndef f():\n    global A\n    A = 2\nf()", None),
        ("import struct\nprint(struct)", None),
        ("from .other import used, unused\nprint(used)", "from .other import used\nprint(used)"),
        ("__all__ = ('A',)\nA = 1", ""),
    ],
)
def test_what_nothing_uses_is_removed(source: str, expected: str | None) -> None:
    left = changed(without_unused, main=source, other="used = unused = print")["lib.main"]
    assert left == ast.unparse(ast.parse(source if expected is None else expected))


def test_modules_that_nothing_imports_are_left_out() -> None:
    program = {"main": "from .used import x\nprint(x)", "used": "x = print", "unused": "x = print"}
    program |= {"on_demand/one": "HANDLERS = {1: print}\nfrom ..late import y\nprint(y, HANDLERS)", "late": "y = print"}
    assert set(changed(without_unused, **program)) == {"lib.main", "lib.used", "lib.on_demand.one", "lib.late"}


def test_imports_name_the_module_that_defines() -> None:
    program = {"main": "from .package import A, B\nfrom . import package\nfrom .package import inner"}
    program["main"] += "\nprint(A, B, package, inner)"
    program |= {"package/__init__": "from .inner import A\nB = A", "package/inner": "A = 1"}
    assert changed(import_directly, **program)["lib.main"].splitlines()[:-1] == [
        "from lib.package.inner import A",
        "from lib.package import B",
        "from lib import package",
        "from lib.package import inner",
    ]


OTHER = "count = size = 1\ndef rise():\n    global count\n    count += 1\nclass Base:\n    pass"


@pytest.mark.parametrize(
    "statement",
    [
        "import lib.other",
        "import lib.other as o",
        "def f():\n    import lib.other",
        "from .other import count\nprint(count)",  # a copy, and in a merged file the variable itself
        "getattr(x, 'on_' + kind)",
        "getattr(x, name)",
        "namedtuple('Point', 'x y')",
        "collections.namedtuple('Point', 'x y')",
        "class C(dict):\n    pass",
        "from os import File\nclass C(File):\n    pass",
    ],
)
def test_what_the_build_would_change_is_refused(statement: str) -> None:
    with pytest.raises(BuildError, match=r"lib\.main: .* in place of `"):
        check(parsed({"lib/main.py": statement, "lib/other.py": OTHER}))


@pytest.mark.parametrize(
    "statement",
    [
        "import os",
        "from . import other\nprint(other.count)",
        "from .other import size, rise\nprint(size, rise)",
        "getattr(x, 'piece', 0)",
        "namedtuple('Point', ('x', 'y'))",
        "from .other import Base\nclass C(Base):\n    pass",
        "class C(ValueError):\n    pass\nclass D(C):\n    pass",
    ],
)
def test_what_the_build_keeps_is_not_refused(statement: str) -> None:
    check(parsed({"lib/main.py": statement, "lib/other.py": OTHER}))


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


def test_new_names_are_in_rom_and_used_by_nothing_else() -> None:
    program = parsed(
        {name.removeprefix("lib/"): text for name, text in firmware.sources().items() if name.startswith("lib/")}
    )
    names = replacements(program, frozenset())
    assert len(set(names.values())) == len(names) > 500
    assert set(names.values()) <= rom_names()
    assert not any(keyword.iskeyword(name) for name in names.values())
    texts = (ast.unparse(module.tree) for module in program.values())
    tokens = {token.string for text in texts for token in tokenize.generate_tokens(io.StringIO(text).readline)}
    assert not tokens & set(names.values())


def test_list_of_names_in_rom() -> None:
    names = rom_names()
    assert {"AES", "usb_cdc", "in_waiting", "write_timeout", "nvm", "mem_free", "ticks_ms"} <= names
    assert not {"ndks_unit", "seal_begin"} & names


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


def test_new_names_have_places_of_their_own_in_dicts() -> None:
    text = "\n".join([f"def own_{i}():\n    return len(str(own_{i}))" for i in range(20)])
    program = parsed({"main.py": f"{text}\nclass C:\n    def __init__(self):\n        self.one = self.two = 1"})
    names = replacements(program, frozenset({"main"}))
    places = [hashed(names[f"own_{i}"]) % 23 for i in range(20)]  # 23 names: __name__, __file__, C
    assert len(set(places)) >= 19  # at random, 13


def test_hash_of_names() -> None:
    assert [hashed(name) for name in ("", "a", "AES", "in_waiting")] == [5, 196, 18, 214]  # as in an image


FLASH = 0x10000000


def uf2(content: bytes) -> bytes:
    """Return an image that writes this to flash."""
    blocks = [content[at : at + 256].ljust(256, b"\0") for at in range(0, len(content), 256)]
    return b"".join(
        struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0, FLASH + 256 * i, 256, i, len(blocks), 0) + block.ljust(480, b"\0")
        for i, block in enumerate(blocks)
    )


def table(at: int, names: list[str], previous: int, before: int) -> bytes:
    """Return a table of names for this address, with all that it points to behind it."""
    count = len(names)
    texts = [name.encode() + b"\0" for name in names]
    hashes = at + 24 + 4 * count
    starts = [hashes + 2 * count + sum(map(len, texts[:i])) for i in range(count)]
    head = struct.pack(f"<6I{count}I", previous, before, 10, count, hashes, hashes + count, *starts)
    lengths = bytes(map(len, names))
    made = head + bytes([hashed(name) if name else 0 for name in names]) + lengths + b"".join(texts)
    return made.ljust(-(-len(made) // 4) * 4, b"\0")


def test_names_are_read_out_of_an_image() -> None:
    junk = random.Random(1).randbytes(1000)
    first = table(FLASH + len(junk), ["", "", "__name__", "a b", "print"], 0, 0)
    second_at = FLASH + len(junk) + len(first)
    second = table(second_at, ["AES", "in_waiting"], FLASH + len(junk), 0x80000005)
    image = rom_names_of.Image(uf2(junk + first + second))
    assert list(rom_names_of.names(image)) == ["", "", "__name__", "a b", "print", "AES", "in_waiting"]
    for damaged in (uf2(junk), b"", b"no image", uf2(junk + first[:-8] + b"12345678")):
        with pytest.raises(SystemExit):
            list(rom_names_of.names(rom_names_of.Image(damaged)))
