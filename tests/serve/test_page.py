# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The trial of docs/serve.md, as it stands there, at two sites."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gateways.gateway_process import free_port
from gateways.members import founded
from support.emulate_process import PATIENCE
from support.forks import own_environment, run_ndks

from .key_processes import KeyProcess, closing_all

_PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")
_TRIAL = _PAGE.partition("\n## A trial\n")[2].partition("\n## ")[0]


def blocks() -> list[str]:
    """Return the indented blocks of the trial: the configuration, and what is typed."""
    found = re.findall(r"\n\n((?:(?: {4}.*)?\n)+)", _TRIAL)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip() for block in found]


def of_other_site(text: str) -> str:
    """Return the configuration with the names the other way round, as the page says."""
    swapped = {"KME_A": "KME_B", "KME_B": "KME_A", "kme_a": "kme_b", "here": "there", "there": "here", "ENC_A": "ENC_B"}
    return re.sub("|".join(swapped), lambda found: swapped[found[0]], text)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_trial(tmp_path: Path) -> None:
    text, *typed = blocks()
    commands = [shlex.split(line) for block in typed for line in block.replace("\\\n", " ").splitlines()]
    certs, first, serve, curl, fetch = commands
    with founded(tmp_path) as network:
        a, b = (
            KeyProcess(tmp_path, name, member.gate)
            for name, member in zip(("kme_a", "kme_b"), network.members, strict=True)
        )
        for server, content in ((a, text), (b, of_other_site(text))):
            server.config.write_text(content.replace("127.0.0.1:8443", f"127.0.0.1:{free_port()}").replace("9443", "0"))
        for words in (certs, first, [*first[:4], "kme_b.toml", *first[5:]]):
            finished = run_ndks(*words[1:], timeout=PATIENCE, cwd=tmp_path)
            assert finished.returncode == 0, finished.stderr
        assert serve == ["ndks", "serve", "--config", "kme_a.toml"]
        with closing_all([a, b]):
            for server in (a, b):
                server.start()
            new = _answer(curl, a, tmp_path)
            (key,) = new["keys"]
            assert _answer([each.replace("KEY_ID", key["key_ID"]) for each in fetch], b, tmp_path) == new


def _answer(words: list[str], server: KeyProcess, directory: Path) -> Any:
    """Return what curl says, once the server is ready."""
    at = [each.replace(":8443", f":{server.port}") for each in words]
    until_ready = ("--silent", "--show-error", "--fail", "--retry", "20", "--retry-max-time", f"{PATIENCE:.0f}")
    command = [at[0], *until_ready, *at[1:]]
    environment = {name: value for name, value in own_environment().items() if name != "CURL_CA_BUNDLE"}
    said = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, timeout=2 * PATIENCE, check=False
    )
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)
