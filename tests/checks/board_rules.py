# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check what no linter knows: the language and the memory of the board.

python tests/checks/board_rules.py
"""

import ast
import sys
from collections.abc import Iterator

from ndks.board.firmware import loaded_source, release_build, sources
from ndks.board.release.mpy import compiled
from ndks.board.release.program import BuildError
from ndks.board.source import LARGEST_SOURCE, heap_size, loaded_size

MODULE_BYTES = 8 * 1024  # of source; larger modules do not compile on a fragmented heap
# Of bytecode that a unit loads while it enters a generation: 10 KB are for that. Without them, 55 KB of heap are free
# in a session at d = 3; in a network with generations, of which 3 KB of bytecode stay, 48 KB (`make chip-bench`).
RELEASE_BYTES = 54 * 1024

# What CircuitPython 10 has on an RP2040
CPYTHON_MODULES = {"array", "binascii", "collections", "errno", "gc", "hashlib", "json", "os", "struct", "sys", "time"}
BOARD_MODULES = {
    *("aesio", "bitops", "board", "digitalio", "microcontroller", "storage", "supervisor", "ulab"),
    *("usb_cdc", "usb_hid", "usb_midi", "watchdog"),
}
MISSING_METHODS = {
    *("removeprefix", "removesuffix", "translate", "hexdigest", "compare_digest"),
    *("bit_count", "bit_length", "_replace"),
}


def main() -> int:
    complaints = [*check_sizes(), *check_language(), *check_release()]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"source that a unit loads: {source_size()} of {LARGEST_SOURCE} bytes; {len(complaints)} complaints")
    return 1 if complaints else 0


def board_modules() -> dict[str, str]:
    """Return the source of each module that a board may load, by its path on the drive."""
    wanted = loaded_source()
    return {name: text for name, text in sources().items() if name in wanted}


def check_sizes() -> Iterator[str]:
    for name, text in loaded_source().items():
        if len(text) > MODULE_BYTES:
            yield f"{name}: {len(text)} bytes; a module has at most {MODULE_BYTES}"
    if source_size() > LARGEST_SOURCE:
        yield f"{source_size()} bytes of source in one unit; at most {LARGEST_SOURCE} fit"


def source_size() -> int:
    """Return the maximum number of bytes of source that a unit compiles, for any network."""
    return loaded_size({path: heap_size(text) for path, text in loaded_source().items()})


def check_release() -> Iterator[str]:
    """Check that the steps of the release build can follow the firmware, and that what they make fits."""
    try:
        made = release_build(sources())
    except BuildError as error:
        yield str(error)
        return
    modules = {made.shown[path]: compiled(text, made.shown[path]) for path, text in made.modules.items()}
    origins = {shown: next(iter(made.functions[shown])).replace(".", "/") for shown in modules}
    size = loaded_size({f"{origins[shown]}.py": len(code) for shown, code in modules.items()})
    print(f"bytecode that a unit loads: {size} of {RELEASE_BYTES} bytes")
    if size > RELEASE_BYTES:
        yield f"{size} bytes of bytecode in one unit; at most {RELEASE_BYTES} fit"


def check_language() -> Iterator[str]:
    known = CPYTHON_MODULES | BOARD_MODULES | {"ndks_protocol", "ndks_unit"}
    for path, text in board_modules().items():
        tree = ast.parse(text)
        guarded = {id(node) for node in ast.walk(tree) if isinstance(node, ast.Try) for node in node.body}
        for node, name in imports(tree):
            if name not in known and id(node) not in guarded:
                yield f"{path}:{node.lineno}: the board has no module {name}"
        for node in ast.walk(tree):
            if what := missing_feature(node):
                yield f"{path}:{getattr(node, 'lineno', 0)}: the board has no {what}"


def imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each absolute import and the top package that it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node, node.module.partition(".")[0]


def missing_feature(node: ast.AST) -> str:
    """Return the feature of this node that CircuitPython lacks, or ""."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and any(isinstance(item, ast.Starred) for item in node.elts):
        # On the left of an assignment it has it: a, *rest = values
        return "" if isinstance(getattr(node, "ctx", None), ast.Store) else "unpacking in displays"
    if isinstance(node, ast.Dict) and None in node.keys:
        return "unpacking in displays"
    if isinstance(node, ast.arguments) and node.posonlyargs:
        return "positional-only arguments"
    if isinstance(node, ast.ClassDef) and node.keywords:
        return "class keywords"
    if isinstance(node, ast.Delete) and any(isinstance(target, ast.Subscript) for target in node.targets):
        return "deletion of slices"
    if isinstance(node, ast.Attribute) and node.attr in MISSING_METHODS:
        return f"method {node.attr}"
    if isinstance(node, ast.Slice) and node.step is not None:
        return "slices with a step"
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        return "floats that are exact enough"
    return "match" if isinstance(node, ast.Match) else "async" if isinstance(node, ast.AsyncFunctionDef) else ""


if __name__ == "__main__":
    sys.exit(main())
