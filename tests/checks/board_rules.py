# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check what no linter knows: the language and the memory of the board.

python tests/checks/board_rules.py
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from ndks.board.source import for_board

ROOT = Path(__file__).parents[2]
ON_THE_BOARD = ("protocol/ndks_protocol", "firmware/ndks_unit", "firmware/circuitpy")
MODULE_BYTES = 8 * 1024  # larger ones do not compile on a fragmented heap
TOTAL_BYTES = 99 * 1024  # of source that a unit loads; then 44 KB of heap are free at d = 3, and 66 KB at any other d
NOT_LOADED = {"texts.py", "boot.py", "safemode.py"}  # CircuitPython runs the last two separately, with the whole heap
NOT_LOADED |= {"curve25519.py", "public_key.py", "x25519.py", "sealed_package.py"}  # loaded when needed, and dropped
# A unit loads only one of these: the fast algorithm for its d, or the operators beyond equation 7.
OF_ONE_NETWORK = (
    {"table_bits.py", "packing.py"},
    {"lanes.py", "lane_bits.py"},
    {"frequencies.py", "powers.py"},
)

# What CircuitPython 10 has on an RP2040
CPYTHON_MODULES = {"array", "binascii", "collections", "errno", "gc", "hashlib", "json", "os", "struct", "sys", "time"}
BOARD_MODULES = {
    *("aesio", "board", "digitalio", "microcontroller", "storage", "supervisor", "ulab"),
    *("usb_cdc", "usb_hid", "usb_midi", "watchdog"),
}
MISSING_METHODS = {
    *("removeprefix", "removesuffix", "translate", "hexdigest", "compare_digest"),
    *("bit_count", "bit_length", "_replace"),
}


def main() -> int:
    complaints = [*check_sizes(), *check_language()]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"source that a unit loads: {size_loaded()} of {TOTAL_BYTES} bytes; {len(complaints)} complaints")
    return 1 if complaints else 0


def board_modules() -> list[Path]:
    return [path for folder in ON_THE_BOARD for path in sorted((ROOT / folder).rglob("*.py"))]


def check_sizes() -> Iterator[str]:
    modules = board_modules()
    for path in modules:
        if size_on_board(path) > MODULE_BYTES:
            yield f"{path.relative_to(ROOT)}: {size_on_board(path)} bytes; a module has at most {MODULE_BYTES}"
    if size_loaded() > TOTAL_BYTES:
        yield f"{size_loaded()} bytes of source in one unit; at most {TOTAL_BYTES} fit"


def size_loaded() -> int:
    """Return the maximum number of bytes that a unit compiles, for any network."""
    sizes = {path: size_on_board(path) for path in board_modules() if path.name not in NOT_LOADED}
    choices = [sum(size for path, size in sizes.items() if path.name in names) for names in OF_ONE_NETWORK]
    return sum(sizes.values()) - sum(choices) + max(choices)


def size_on_board(path: Path) -> int:
    """Return the bytes that the board compiles."""
    return len(for_board(path.read_text()).encode())


def check_language() -> Iterator[str]:
    known = CPYTHON_MODULES | BOARD_MODULES | {"ndks_protocol", "ndks_unit"}
    for path in board_modules():
        tree = ast.parse(path.read_text())
        guarded = {id(node) for node in ast.walk(tree) if isinstance(node, ast.Try) for node in node.body}
        for node, name in imports(tree):
            if name not in known and id(node) not in guarded:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: the board has no module {name}"
        for node in ast.walk(tree):
            if what := missing_feature(node):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: the board has no {what}"


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
