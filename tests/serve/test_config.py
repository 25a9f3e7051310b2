# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Configurations: what is right is taken, and each mistake is told by its name, all of them at once."""

from pathlib import Path
from typing import Any

import pytest

from ndks.exceptions import FileError
from ndks_gateways.serving import config
from ndks_gateways.serving.config import ConfigError
from ndks_gateways.serving.config_readers import Address

from .key_servers import values_of

TEXT = """
[kme]
id = "KME_A"
peer = "KME_B"
listen = "[::1]:8443"
certificate = "kme.crt"
key = "/etc/ndks/kme.key"
clients_ca = "ca.crt"

[sae]
here = ["SAE_A"]
there = ["SAE_B", "SAE_C"]

[groups]
both = ["SAE_B", "SAE_C"]

[ledger]
postgresql = "dbname=keys"
last_run = "last-run"
"""


def test_a_file_is_read_and_what_it_leaves_out_is_usual(tmp_path: Path) -> None:
    (tmp_path / "kme.toml").write_text(TEXT)
    found = config.load(tmp_path / "kme.toml")
    assert found.kme.listen == Address("::1", 8443)
    assert str(found.kme.listen) == "[::1]:8443"
    assert (found.kme.certificate, found.kme.key) == (tmp_path / "kme.crt", Path("/etc/ndks/kme.key"))
    assert (found.keys.size, found.keys.per_request, found.skip, found.audit.file) == (256, 128, None, None)
    assert found.groups == {"both": ("SAE_B", "SAE_C")}
    assert found.saes == {"SAE_A", "SAE_B", "SAE_C"}


def test_every_key_has_a_meaning() -> None:
    for kind in config.SECTIONS.values():
        assert kind.__doc__
        assert all(key.meaning for key in config.keys_of(kind).values())


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("kme", "listen", "8443", "kme.listen must be HOST:PORT"),
        ("kme", "listen", "127.0.0.1:65536", "kme.listen must be HOST:PORT"),
        ("kme", "listen", 8443, "kme.listen must be HOST:PORT"),
        ("kme", "id", "", "kme.id must be text"),
        ("kme", "id", "a\nb", "kme.id must be text"),
        ("kme", "id", "\u00e9" * 128, "kme.id must have at most 255 bytes"),
        ("kme", "peer", "KME_A", "kme.id and kme.peer are the same"),
        ("kme", "name_in", "cn", "kme.name_in must be 'CN' or 'SAN'"),
        ("kme", "monitor", "9000", "kme.monitor must be a whole number from 0 to 65535"),
        ("kme", "Listen", "x", "there is no key kme.Listen"),
        ("keys", "size", 100, "keys.size must be a whole number from 8 to 8192, a multiple of 8"),
        ("keys", "size", 32, "keys.size is not between"),
        ("keys", "size", 256.0, "keys.size must be a whole number"),
        ("keys", "per_request", True, "keys.per_request must be a whole number"),
        ("keys", "max_size", 8200, "keys.max_size must be"),
        ("limits", "body", 0, "limits.body must be"),
        ("sae", "here", [], "sae.here needs at least one name"),
        ("sae", "here", "SAE_A", "sae.here must be a list of names"),
        ("sae", "here", ["SAE_A", "SAE_A"], "sae.here has SAE_A twice"),
        ("sae", "there", ["SAE_A", "SAE_B", "SAE_C"], "SAE_A is in sae.here and in sae.there"),
        ("groups", "H", ["SAE_B"], "groups.H needs two members"),
        ("groups", "H", ["SAE_B", "SAE_Z"], "groups.H has SAE_Z, which is in neither"),
        ("groups", "H", ["SAE_C", "SAE_B"], "groups.H has the members of groups.G"),
        ("ledger", "postgresql", "dbname=x", "ledger needs either file or postgresql"),
        ("skip", "local", "KME_A", "skip.remote is missing; skip.clients is missing"),
        ("sections", "x", 1, "there is no section [sections]"),
    ],
)
def test_mistakes(tmp_path: Path, section: str, key: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.read(values_of(tmp_path, **{section: {key: value}}), tmp_path)
    assert said in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    values = values_of(tmp_path, keys={"size": 1, "wrong": 2}, limits={"idle": 0})
    del values["kme"]["id"]
    values["sae"] = 5
    with pytest.raises(ConfigError) as caught:
        config.read(values, tmp_path)
    text = str(caught.value)
    for each in ("kme.id is missing", "sae must be a section", "keys.size", "no key keys.wrong", "limits.idle"):
        assert each in text


def test_the_systems_of_skip_are_no_saes(tmp_path: Path) -> None:
    skip = {"local": "Alice", "remote": ["Alice", "SAE_B"], "clients": ["ENC_A"]}
    with pytest.raises(ConfigError) as caught:
        config.read(values_of(tmp_path, skip=skip), tmp_path)
    assert "skip.local is in skip.remote" in str(caught.value)
    assert "SAE_B is the name of an SAE and of a system of skip" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        config.load(tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_text("[kme\n")
    with pytest.raises(ConfigError, match=r"bad.toml is not TOML: .*line 1"):
        config.load(tmp_path / "bad.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not TOML"):
        config.load(tmp_path / "bad.toml")
