# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Only the result of a command contains a key or a secret: no repr, log or error does."""

import base64
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import run
from host.scripted_transport import answer
from host.scripted_unit import scripted_unit
from unit.other_member import flipped

import ndks
from ndks.crypto import CRYPTO
from ndks.driver import streams as download
from ndks_protocol import commands
from ndks_protocol.capsule import Header, HeaderKeys, MessageKeys, Sealer, header_keys
from ndks_protocol.commands import CIPHERS
from ndks_protocol.generator import Generator, Keystream
from ndks_protocol.kdf import derive

BITS = 256
LETTER = b"meet me at the old bridge"
MODES = ("a", "b")


def spellings(secret: bytes) -> Iterator[str]:
    """Yield every encoding of the first bytes of a secret in text."""
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


def test_error_and_traceback_of_a_chunk_of_another_size(
    key: ndks.Key, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = scripted_unit(lambda request: answer(request, key.data + key.data), monkeypatch, tmp_path)
    with pytest.raises(ndks.ProtocolError) as refused:
        unit.key(1, BITS, epoch=0)
    assert not shows(text_of(refused.value), key.data)


def test_error_and_traceback_of_a_file_that_cannot_be_written(
    alice: str, key: ndks.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ndks.whole_file.os.fsync", refuse)
    plan = download.StreamPlan(1, 0, BITS, "", "")
    with ndks.open(alice) as unit, pytest.raises(OSError, match="No space") as failed:
        download.download(unit, tmp_path / "out.key", plan, lambda _: None)
    assert not shows(text_of(failed.value), key.data)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, BrokenPipeError, OSError(5, "Input/output error")])
def test_output_of_a_command_that_fails_after_it_has_the_key(
    interruption: BaseException, alice: str, key: ndks.Key, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, data: bytes, *, overwrite: bool) -> None:
        raise interruption

    monkeypatch.setattr("ndks.cli.keys.write_private", fail)
    finished = call("key", "--unit", alice, "-o", tmp_path / "key")
    assert finished.status in (1, 130)
    assert not shows(finished.stderr + finished.text, key.data)


@dataclass
class Message:
    """A letter in a capsule, and all secrets of this message."""

    letter: Path
    capsule: Path
    secrets: list[bytes]

    def assert_not_shown(self, text: str) -> None:
        assert not any(shows(text, secret) for secret in self.secrets)


@pytest.fixture(params=CIPHERS)
def message(request: pytest.FixtureRequest, network: ndks.Network, desk: Path) -> Message:
    cipher = CIPHERS.index(request.param)
    header = Header.new(1, cipher, 9, 1, bytes(8))
    bits = Generator(network.p1, network.p2, network.digits).key(header.index)
    read_paper = partial(read_bytes, bits)
    keys = MessageKeys(CRYPTO, network.secret, header, bytes(16), read_paper)
    letter, capsule = desk / "letter", desk / "letter.ndks"
    letter.write_bytes(LETTER)
    protection = HeaderKeys(CRYPTO, header_keys(CRYPTO, network.secret))
    capsule.write_bytes(protection.mask(header) + Sealer(CRYPTO, keys).seal(0, 1, LETTER))
    keystream = MessageKeys(CRYPTO, network.secret, header, bytes(16), read_paper).keystream(0, 32)
    mac_key, mask_key = (derive(CRYPTO, network.secret, f"ndks header {use}", b"") for use in ("mac", "mask"))
    found = [LETTER, keys.tag_key, keys.sync, keys.aes_key, bytes(keystream), network.secret, mac_key, mask_key]
    return Message(letter, capsule, [secret for secret in found if secret])


def read_bytes(bits: Keystream, offset: int, size: int) -> bytearray:
    return bits.read(8 * offset, 8 * size)


@pytest.mark.parametrize("mode", MODES)
def test_verbose_decrypt(alice: str, message: Message, mode: str) -> None:
    finished = run("decrypt", message.capsule, "--force", "--unit", alice, "--mode", mode, "--verbose")
    assert finished.status == 0
    assert f"> OPEN_{'BEGIN' if mode == 'b' else 'KEYS'} " in finished.stderr
    assert message.letter.read_bytes() == LETTER
    message.assert_not_shown(finished.stderr + finished.text)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_verbose_encrypt(alice: str, network: ndks.Network, mode: str, cipher: str, desk: Path) -> None:
    (desk / "letter").write_bytes(LETTER)
    finished = run("encrypt", desk / "letter", "--unit", alice, "--mode", mode, "--cipher", cipher, "--verbose")
    assert f"> SEAL_{'BEGIN' if mode == 'b' else 'KEYS'} " in finished.stderr
    text = finished.stderr + finished.text
    assert not shows(text, LETTER)
    assert not shows(text, network.secret)
    assert not shows((desk / "letter.ndks").read_bytes().decode("latin-1"), LETTER)


def test_verbose_offline(network_file: Path, message: Message) -> None:
    for command in (("decrypt", "--force"), ("inspect",), ("inspect", "--json")):
        finished = run(*command, message.capsule, "--network", network_file, "--verbose")
        assert finished.status == 0
        message.assert_not_shown(finished.stderr + finished.text)


def test_inspect_by_a_unit(alice: str, message: Message) -> None:
    finished = run("inspect", message.capsule, "--unit", alice, "--verbose", "--json")
    assert finished.status == 0
    message.assert_not_shown(finished.stderr + finished.text)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("position", [3, 40, -1])
def test_damaged_capsules(alice: str, message: Message, call: Call, mode: str, position: int) -> None:
    message.capsule.write_bytes(flipped(message.capsule.read_bytes(), position))
    finished = call("decrypt", message.capsule, "-o", "-", "--unit", alice, "--mode", mode, "--verbose")
    assert finished.status == 5
    message.assert_not_shown(finished.stderr + finished.text)


@pytest.mark.parametrize("mode", MODES)
def test_representations_and_tracebacks_of_messages(
    alice: str, message: Message, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with ndks.open(alice) as unit:
        opened = unit.decrypt(message.capsule, message.letter, mode=mode, again=True, overwrite=True)
        seen = unit.inspect(message.capsule.read_bytes())
        message.assert_not_shown(repr(opened) + str(opened) + repr(seen) + repr(unit))
        assert not shows(repr(opened), message.capsule.read_bytes())
        monkeypatch.setattr("ndks.whole_file.os.fsync", refuse)
        with pytest.raises(ndks.FileError, match="No space") as failed:
            unit.decrypt(message.capsule, message.letter, mode=mode, again=True, overwrite=True)
    message.assert_not_shown(text_of(failed.value))


def test_error_of_a_keystream_of_another_size(
    message: Message, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keystream = message.secrets[0]
    answers = {
        commands.OPEN_KEYS.code: (bytes(8), 9, 1, bytes(32), bytes(8), commands.DATA, 0, b""),
        commands.MESSAGE_STREAM.code: (keystream,),
    }
    unit = scripted_unit(lambda request: answer(request, *answers[request.kind]), monkeypatch, tmp_path)
    with pytest.raises(ndks.ProtocolError) as refused:
        unit.unseal(message.capsule.read_bytes(), mode="a")
    message.assert_not_shown(text_of(refused.value))


def text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
