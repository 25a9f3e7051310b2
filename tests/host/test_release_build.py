# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The steps of the release build on small programs: what they change, and above all what they leave alone."""

import ast
from collections.abc import Callable
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks.board.release.constants import fold_constants
from ndks.board.release.imports import import_directly
from ndks.board.release.program import BuildError, Program, parsed
from ndks.board.release.refused import check
from ndks.board.release.unused import remove_unused

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
