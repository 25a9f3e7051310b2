# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Nothing but a command's result ever shows a key or a secret: no repr, no log, no error."""

import base64
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import run
from host.scripted_transport import ScriptedTransport, answer

import ndks
from ndks import download
from ndks.link import Link
from ndks.unit import Unit
from ndks_protocol import commands, framing

BITS = 256


def spellings(secret: bytes) -> Iterator[str]:
    """Every way in which some first bytes of a secret may have got into a text."""
    start = secret[:6]
    yield start.hex()
    yield start.hex().upper()
    yield start.hex(" ")
    yield base64.b64encode(start).decode()
    yield "".join(f"{byte:08b}" for byte in start)
    yield repr(start)[2:-1]
    yield str(list(start))[1:-1]
    yield start.decode("latin-1")
    yield str(int.from_bytes(secret))


def shows(text: str, secret: bytes) -> bool:
    return any(spelling in text for spelling in spellings(secret))


@pytest.fixture
def key(alice: str) -> ndks.Key:
    with ndks.open(alice) as unit:
        return unit.key(1, BITS)


def test_search_finds_what_it_looks_for(key: ndks.Key) -> None:
    for text in (key.data.hex(), repr(key.data), f"Key({list(key.data)})", base64.b64encode(key.data).decode()):
        assert shows(text, key.data)


def test_representations(key: ndks.Key, network: ndks.Network) -> None:
    assert not shows(repr(key) + str(key), key.data)
    assert not shows(repr(network) + str(network), network.secret)


@pytest.mark.parametrize("form", ["hex", "bits", "base64", "raw"])
def test_verbose_key(alice: str, key: ndks.Key, form: str, tmp_path: Path) -> None:
    finished = run("key", "--unit", alice, "--verbose", "--index", 1, "--format", form, "-o", tmp_path / "key")
    assert "> KEY_CHUNK " in finished.stderr
    assert "< KEY_CHUNK " in finished.stderr
    assert not shows(finished.stderr + finished.text, key.data)


def test_verbose_stream(alice: str, key: ndks.Key, tmp_path: Path) -> None:
    finished = run("stream", "--unit", alice, "--verbose", "--bits", BITS, "-o", tmp_path / "key")
    assert finished.status == 0
    assert not shows(finished.stderr + finished.text, key.data)


def test_verbose_provisioning(network_file: Path, network: ndks.Network, tmp_path: Path) -> None:
    finished = run("provision", network_file, "--unit", f"emulator:{tmp_path / 'alice'}", "--verbose", "--json")
    assert "> PROVISION " in finished.stderr
    assert not shows(finished.stderr + finished.text, network.secret)


def test_error_and_traceback_of_a_chunk_of_another_size(key: ndks.Key, monkeypatch: pytest.MonkeyPatch) -> None:
    hello = (1, 0, bytes(3), 1, 1, 0, bytes(8), bytes(16), bytes(16), 1120, 0, 0, 1)

    def too_long(request: framing.Frame) -> bytes:
        return answer(request, *(hello if request.kind == commands.HELLO.code else (key.data + key.data,)))

    unit = Unit("scripted", Link(ScriptedTransport(too_long, monkeypatch), 1.0))
    with pytest.raises(ndks.ProtocolError) as refused:
        unit.key(1, BITS, epoch=0)
    assert not shows(text_of(refused.value), key.data)


def test_error_and_traceback_of_a_file_that_cannot_be_written(
    alice: str, key: ndks.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ndks.files.os.fsync", refuse)
    plan = download.Plan(1, 0, BITS, "", "")
    with ndks.open(alice) as unit, pytest.raises(OSError, match="No space") as failed:
        download.download(unit, tmp_path / "out.key", plan, lambda _: None)
    assert not shows(text_of(failed.value), key.data)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, BrokenPipeError, OSError(5, "Input/output error")])
def test_output_of_a_command_that_fails_after_it_has_the_key(
    interruption: BaseException, alice: str, key: ndks.Key, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, data: bytes) -> None:
        raise interruption

    # BrokenPipeError makes the command give up its stdout, which here is that of the whole test run.
    monkeypatch.setattr("ndks.cli.os.dup2", lambda *_: None)
    monkeypatch.setattr("sys.stdout.fileno", lambda: 1, raising=False)
    monkeypatch.setattr("ndks.cli.keys.write_private", fail)
    finished = call("key", "--unit", alice, "-o", tmp_path / "key")
    assert finished.status in (1, 130)
    assert not shows(finished.stderr + finished.text, key.data)


def text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
