# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A command imports its own module and that module's dependencies only."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator

import pytest
from host.conftest import Call
from host.running import assert_refused, environment
from support.emulate_process import PATIENCE

import ndks
from ndks.cli import COMMANDS, extras

HEAVY = {"numpy", "cryptography", "serial", "usb", "filelock", "psutil", "shtab", "tqdm", "scipy", "matplotlib"}
OURS = {"ndks_laboratory", "ndks_emulator", "ndks_unit"}
LOADED = """
import sys
from ndks.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def loaded(*words: str) -> set[str]:
    """Return the names of the modules that a command has imported."""
    command = [sys.executable, "-c", LOADED, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=PATIENCE, check=True)
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_top_loads_no_command(option: str) -> None:
    modules = loaded(option)
    assert not modules & (HEAVY | OURS)
    assert not modules & {f"ndks.cli.{module}" for module, _ in COMMANDS.values()}


@pytest.mark.parametrize("name", ["list", "key", "encrypt", "network", "bind", "generate", "emulate"])
def test_a_command_loads_its_own_module(name: str) -> None:
    modules = loaded(name, "--help")
    others = {f"ndks.cli.{module}" for module, _ in COMMANDS.values()} - {f"ndks.cli.{COMMANDS[name][0]}"}
    assert not modules & {"numpy", "tqdm", *OURS}
    may_load = {"ndks.cli.bindings", "ndks.cli.agents", "ndks.cli.roles"}  # provision binds, network asks an agent
    assert modules & others <= may_load


def test_no_bar_is_loaded_where_nobody_sees_one() -> None:
    modules = loaded("generate", "--p1", "3", "--p2", "5", "--bits", "8")
    assert "numpy" in modules
    assert not modules & {"tqdm", "multiprocessing"}


def test_the_library_has_what_it_says() -> None:
    assert all(getattr(ndks, name) for name in ndks.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = ndks.no_such_name


def test_an_extra_that_is_not_installed_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    distributions = importlib.metadata.distributions

    def without_numba(**query: str) -> Iterator[importlib.metadata.Distribution]:
        return iter(()) if query.get("name") == "numba" else iter(distributions(**query))

    extras.need_extra("homologation")
    monkeypatch.setattr(importlib.metadata, "distributions", without_numba)
    refused = call("homologate", "--unit", "a", "--unit", "b", "-o", "report")
    assert_refused(refused, "USAGE", 2)
    assert "ndks[homologation]" in refused.stderr
    assert refused.stderr.count("numba") == 1
    assert "pip install -e '.[homologation]'" in refused.advice
