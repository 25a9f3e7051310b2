# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a tunnel keeps on the disk."""

import json
import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from support.emulate_process import PATIENCE

from ndks.exceptions import FileError, UsageError
from ndks.laptop.homes import HOME
from ndks_gateways.running import store
from ndks_gateways.running.places import ACCEPT, LISTEN, directory_of, ends_of, names
from ndks_gateways.running.store import Pinned, TunnelBusy

PEER = Pinned(2, X25519PrivateKey.generate().public_key().public_bytes_raw())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def file(home: Path) -> Path:
    with store.opened("web", LISTEN):
        pass
    return home / "tunnels" / "web" / LISTEN / "keys.json"


def test_a_new_tunnel_has_a_key_and_no_peer(home: Path) -> None:
    with store.opened("web", LISTEN) as kept:
        first = kept.static.private_bytes_raw()
        assert (kept.peer, kept.pairs, kept.peer_words) == (None, (), "")
    with store.opened("web", LISTEN) as kept:
        assert kept.static.private_bytes_raw() == first
    with store.opened("other", LISTEN) as kept:
        assert kept.static.private_bytes_raw() != first
    assert names() == ["other", "web"]
    for path in (home / "tunnels", home / "tunnels" / "web", home / "tunnels" / "web" / LISTEN):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_both_ends_of_a_tunnel_keep_their_own() -> None:
    assert ends_of("web") == []
    with store.opened("web", ACCEPT) as accepting:
        assert ends_of("web") == [ACCEPT]
        with store.opened("web", LISTEN) as listening:
            assert accepting.own_words != listening.own_words
            accepting.pin(PEER)
            assert listening.peer is None
    assert ends_of("web") == [LISTEN, ACCEPT]
    assert names() == ["web"]


def test_changes_are_on_the_disk(file: Path) -> None:
    pairs = [bytes([number]) * 32 for number in range(3)]
    with store.opened("web", LISTEN) as kept:
        kept.pin(PEER)
        for pair in pairs:
            kept.keep_pairs((pair, *kept.pairs)[:2])
            assert json.loads(file.read_text())["pairs"][0] == pair.hex()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with store.opened("web", LISTEN) as kept:
        assert (kept.peer, kept.pairs) == (PEER, (pairs[2], pairs[1]))
        kept.keep_pairs((pairs[0],))
        assert kept.pairs == (pairs[0],)
        kept.drop_pairs()
        assert (kept.peer, kept.pairs) == (PEER, ())
        kept.keep_pairs((pairs[0],))
        own = kept.own_words
        kept.forget()
    with store.opened("web", LISTEN) as kept:
        assert (kept.peer, kept.pairs, kept.own_words) == (None, (), own)


def test_both_ends_say_the_same_words() -> None:
    with store.opened("here", LISTEN) as here, store.opened("there", LISTEN) as there:
        here.pin(Pinned(2, there.static.public_key().public_bytes_raw()))
        there.pin(Pinned(1, here.static.public_key().public_bytes_raw()))
        assert (here.own_words, here.peer_words) == (there.peer_words, there.own_words)
        assert here.own_words != here.peer_words
        assert [len(words.split()) for words in (here.own_words, here.peer_words)] == [6, 6]


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "-x", "a/b", "a b", "a\n", "ü", "x" * 65, "a\0"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError), store.opened(name, LISTEN):
        pass


@pytest.mark.parametrize("name", ["a", "x" * 64, "web-2.example_org", "7"])
def test_names(name: str) -> None:
    with store.opened(name, LISTEN):
        assert directory_of(name, LISTEN).is_dir()


def _is_busy(name: str, answers: Any) -> None:
    try:
        with store.opened(name, LISTEN):
            answers.put(False)
    except TunnelBusy:
        answers.put(True)


def test_a_second_process_is_refused(file: Path) -> None:
    before = file.read_bytes()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    for holds in (True, False):
        other = context.Process(target=_is_busy, args=("web", answers))
        if holds:
            with store.opened("web", LISTEN):
                other.start()
                assert answers.get(timeout=PATIENCE)
        else:
            other.start()
            assert not answers.get(timeout=PATIENCE)
        other.join(PATIENCE)
    assert file.read_bytes() == before


def test_forgetting_a_tunnel_that_never_was() -> None:
    with store.opened("web", LISTEN):
        pass
    with pytest.raises(UsageError) as refused, store.opened("wed", LISTEN, create=False):
        pass
    assert "web" in refused.value.advice
    with pytest.raises(UsageError, match="no tunnel web with --accept"), store.opened("web", ACCEPT, create=False):
        pass
    assert names() == ["web"]


def damaged(values: dict[str, Any]) -> list[bytes]:
    """Return contents that are none."""
    key = "00" * 32
    changes: list[dict[str, Any]] = [
        {"ndks_tunnel": 2},
        {"static": 7},
        {"static": key[2:]},
        {"pairs": None},
        {"pairs": [key] * 3},
        {"pairs": ["00"]},
        {"peer": []},
        {"peer": {"lane": True, "static": key}},
        {"peer": {"lane": 0, "static": key}},
        {"peer": {"lane": 70000, "static": key}},
        {"peer": {"lane": 1, "static": "x"}},
        {"peer": {"lane": 1}},
    ]
    lacking = [{name: value for name, value in values.items() if name != gone} for gone in values]
    return [b"", b"\0" * 100, b"[]", b"{", *(json.dumps(each).encode() for each in lacking)] + [
        json.dumps(values | change).encode() for change in changes
    ]


def test_damaged_files_are_refused_and_kept(file: Path) -> None:
    good = file.read_bytes()
    for content in [*damaged(json.loads(good)), good[:40], good + good]:
        file.write_bytes(content)
        with pytest.raises(FileError) as refused, store.opened("web", LISTEN):
            pass
        assert str(file) in str(refused.value)
        assert refused.value.advice
        assert json.loads(good)["static"] not in f"{refused.value}{refused.value.advice}"
        assert file.read_bytes() == content
    file.write_bytes(good)
    with store.opened("web", LISTEN):
        pass


def test_a_file_that_others_may_read_is_refused(file: Path) -> None:
    file.chmod(0o640)
    with pytest.raises(FileError, match="others may read"), store.opened("web", LISTEN):
        pass


def test_a_change_that_cannot_be_written_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with store.opened("web", LISTEN) as kept:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(FileError):
            kept.pin(PEER)
        assert kept.peer is None
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".ndks")] == []


def test_secrets_are_not_shown(file: Path) -> None:
    with store.opened("web", LISTEN) as kept:
        kept.keep_pairs((bytes(range(32)),))
        assert json.loads(file.read_text())["static"] not in repr(kept)
        assert "\\x01\\x02" not in repr(kept)
