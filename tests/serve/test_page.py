# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The trial of docs/serve.md, as it stands there, and its example of a key id."""

import re
import shutil
from pathlib import Path

import pytest
from key_id_vectors import ONE, KeyId, block_of, key_id
from support.ports import free_port
from transcripts import commands_of, end_background, is_alike, run_in_shell

_PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")
_PORTS = "8443", "8444", "9443", "9444"


def section(title: str) -> str:
    return _PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def trial() -> str:
    """Return the trial, at ports that are free here."""
    ports = {port: str(free_port()) for port in _PORTS}
    return re.sub("|".join(ports), lambda found: ports[found[0]], section("A trial"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_trial(tmp_path: Path) -> None:
    text = trial()
    for name, content in zip(("kme_a.toml", "kme_b.toml"), blocks(text, "toml"), strict=True):
        (tmp_path / name).write_text(content)
    try:
        for block in blocks(text, "console"):
            shown = run_in_shell(commands_of(block), tmp_path)
            assert is_alike(block, shown), shown
    finally:
        end_background(tmp_path)


def test_the_example_of_a_key_id() -> None:
    where = KeyId(bytes(range(32)), 0, 1, 0, 0, 32, ONE, "SAE_A", "SAE_B")
    found = dict(re.findall(r"^    (block|key_ID) +([0-9a-f-]+)$", section("Key ids, byte by byte"), re.MULTILINE))
    assert found["block"] == block_of(where).hex()
    assert found["key_ID"].replace("-", "") == key_id(where).hex()
