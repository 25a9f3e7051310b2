# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the commands encrypt and decrypt: ciphers, modes, JSON, pipes, units, and what makes no sense."""

import contextlib
import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.letters import LETTER, capsule, letter, names
from host.running import Finished, assert_refused, command_line, environment, run, run_with_input
from support.emulate_process import PATIENCE, emulated
from unit.other_member import OtherMember, header_of, open_offline, size_of_capsule

import ndks
from ndks_protocol.commands import CIPHERS

__all__ = ("capsule", "letter")

MODES = ("a", "b")


@pytest.mark.parametrize("sealing", MODES)
@pytest.mark.parametrize("opening", MODES)
def test_there_and_back_by_default_names(
    alice: str, bob: str, letter: Path, call: Call, sealing: str, opening: str
) -> None:
    sealed = call("encrypt", letter, "--unit", alice, "--mode", sealing)
    assert (sealed.status, sealed.stderr) == (0, "")
    assert sealed.text == f"{letter}.ndks: {len(LETTER)} bytes, cipher vernam, mode {sealing}, suite hybrid\n"
    letter.unlink()
    opened = call("decrypt", f"{letter}.ndks", "--unit", bob, "--mode", opening)
    assert (opened.status, opened.stderr) == (0, "")
    assert opened.text == f"{letter}: {len(LETTER)} bytes, message 1 of lane 1, cipher vernam\n"
    assert letter.read_bytes() == LETTER
    assert names(letter.parent) == ["letter.txt", "letter.txt.ndks"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("cipher", "size"), [("vernam", 0), ("vernam", 8192), ("aes", 0), ("aes", 1 << 20)])
def test_pipes(alice: str, bob: str, mode: str, cipher: str, size: int) -> None:
    data = random.Random(size).randbytes(size)
    sealed = run_with_input(data, "encrypt", "-", "-o", "-", "--unit", alice, "--cipher", cipher, "--mode", mode)
    assert (sealed.status, len(sealed.output)) == (0, size_of_capsule(size))
    assert f"ndks: {size} bytes, cipher {cipher}, mode {mode}" in sealed.stderr
    opened = run_with_input(sealed.output, "decrypt", "-", "--unit", bob, "--mode", mode)
    assert (opened.status, opened.output) == (0, data)
    assert f"ndks: {size} bytes, message 1 of lane 1, cipher {cipher}" in opened.stderr
    assert_refused(run_with_input(sealed.output, "decrypt", "-", "--unit", bob), "DUPLICATE", 4)


def test_stdin_without_a_name_goes_to_stdout(alice: str, network: ndks.Network, desk: Path) -> None:
    sealed = run_with_input(LETTER, "encrypt", "-", "--unit", alice)
    assert open_offline(network, sealed.output) == LETTER


def test_encrypting_piped_into_decrypting(alice: str, bob: str, desk: Path) -> None:
    (desk / "film").write_bytes(bytes(300_000))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
    encrypt = command_line("encrypt", desk / "film", "--cipher", "aes", "-o", "-", "--unit", alice)
    with subprocess.Popen(encrypt, **pipes) as sealing:
        decrypt = command_line("decrypt", "-", "-o", desk / "copy", "--unit", bob)
        with subprocess.Popen(decrypt, stdin=sealing.stdout, **pipes) as opening:
            opening.communicate(timeout=PATIENCE)
    assert (sealing.returncode, opening.returncode) == (0, 0)
    assert (desk / "copy").read_bytes() == bytes(300_000)


def test_units_behind_lines(alice: str, bob: str, letter: Path) -> None:
    with (
        emulated(Path(alice.removeprefix("emulator:"))) as first,
        emulated(Path(bob.removeprefix("emulator:")), "--tcp", "0") as second,
    ):
        assert run("encrypt", letter, "--unit", first.port).status == 0
        assert run("eject", "--unit", first.port).status == 0
        assert run("decrypt", f"{letter}.ndks", "-o", "-", "--unit", second.port).output == LETTER


@pytest.mark.parametrize("cipher", CIPHERS)
def test_the_cipher_is_the_networks_unless_named(
    make_unit: MakeUnit, letter: Path, call: Call, cipher: str, desk: Path
) -> None:
    network = ndks.Network.new("film", cipher=cipher)
    port = make_unit("carol", 1, network)
    sealed = [call("encrypt", letter, "--unit", port, "--json", "-o", desk / "0")]
    sealed += [
        call("encrypt", letter, "--unit", port, "--json", "--cipher", other, "-o", desk / other) for other in CIPHERS
    ]
    assert [json.loads(finished.text)["cipher"] for finished in sealed] == [cipher, *CIPHERS]
    headers = [header_of(network, (desk / name).read_bytes()) for name in ("0", *CIPHERS)]
    assert [CIPHERS[header.cipher] for header in headers] == [cipher, *CIPHERS]


def test_json(alice: str, bob: str, letter: Path, call: Call) -> None:
    sealed = json.loads(call("encrypt", letter, "--unit", alice, "--json").text)
    assert sealed == {
        "schema": 1,
        "file": f"{letter}.ndks",
        "bytes": len(LETTER),
        "cipher": "vernam",
        "mode": "b",
        "suite": "hybrid",
    }
    opened = json.loads(call("decrypt", f"{letter}.ndks", "--force", "--unit", bob, "--json").text)
    assert opened == {
        "schema": 1,
        "file": str(letter),
        "bytes": len(LETTER),
        "lane": 1,
        "number": 1,
        "cipher": "vernam",
        "suite": "hybrid",
    }


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
@pytest.mark.parametrize("output", [["-o", "-"], []])
def test_json_and_the_file_do_not_share_stdout(command: str, output: list[str], alice: str, call: Call) -> None:
    assert_refused(call(command, "-", *output, "--json", "--unit", alice), "USAGE", 2)


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_a_paper_network_is_warned_of_each_time(
    command: str, make_unit: MakeUnit, letter: Path, call: Call, desk: Path
) -> None:
    network = ndks.Network.new("lecture", suite="paper")
    alice, bob = (make_unit(name, lane, network) for lane, name in enumerate(("alice", "bob"), 1))
    sealed = call("encrypt", letter, "--unit", alice, "--json")
    opened = call("decrypt", f"{letter}.ndks", "--unit", bob, "--json", "--force")
    finished = {"encrypt": sealed, "decrypt": opened}[command]
    assert finished.stderr.count("WARNING: suite paper") == 1
    assert "suite paper" in json.loads(finished.text)["warning"]
    assert letter.read_bytes() == LETTER


def test_a_paper_network_is_warned_of_offline(make_unit: MakeUnit, capsule: Path, call: Call, desk: Path) -> None:
    network = ndks.Network.new("lecture", suite="paper")
    network.save(desk / "lecture.ndksnet")
    capsule.write_bytes(OtherMember(network, 1).seal(LETTER))
    finished = call("decrypt", capsule, "--network", desk / "lecture.ndksnet")
    assert finished.status == 0
    assert finished.stderr.count("WARNING: suite paper") == 1


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
@pytest.mark.parametrize("mode", MODES)
def test_blank_unit(command: str, mode: str, capsule: Path, call: Call, desk: Path, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'blank'}"
    ndks.open(port, create=True).close()
    refused = call(command, capsule, "-o", desk / "out", "--unit", port, "--mode", mode)
    assert_refused(refused, "BLANK", 4)
    assert "provision" in refused.advice
    assert names(desk) == ["letter.txt.ndks"]


def test_no_unit(letter: Path, call: Call, tmp_path: Path) -> None:
    for command in ("encrypt", "decrypt", "eject"):
        arguments = [] if command == "eject" else [letter, "-o", tmp_path / "out"]
        assert_refused(call(command, *arguments, "--unit", f"emulator:{tmp_path / 'nobody'}"), "NO_UNIT", 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ["encrypt"],  # nothing is piped in here
        ["encrypt", "x", "--cipher", "rot13"],
        ["encrypt", "x", "--mode", "c"],
        ["encrypt", "x", "--again"],
        ["decrypt"],
        ["decrypt", "x.ndks", "--cipher", "aes"],
        ["decrypt", "x.ndks", "--again", "--allow-jump"],
        ["decrypt", "x.ndks", "--network", "n.ndksnet", "--unit", "emulator:x"],
        ["inspect"],
        ["inspect", "x.ndks", "--network", "n.ndksnet", "--unit", "emulator:x"],
        ["eject", "x"],
    ],
)
def test_commands_that_make_no_sense(arguments: list[str], call: Call) -> None:
    assert_refused(call(*arguments), "USAGE", 2)


def test_environment_names_the_unit(alice: str, letter: Path, desk: Path) -> None:
    assert run("encrypt", "letter.txt", cwd=desk, NDKS_UNIT=alice).status == 0
    assert names(desk) == ["letter.txt", "letter.txt.ndks"]


def test_eject(alice: str, call: Call) -> None:
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    assert call("eject", "--unit", alice).text == f"unit {serial_number} can be unplugged\n"
    assert json.loads(call("eject", "--unit", alice, "--json").text) == {"schema": 1, "serial_number": serial_number}


def test_eject_spares_numbers_on_a_line(alice: str, letter: Path, network: ndks.Network, desk: Path) -> None:
    directory = Path(alice.removeprefix("emulator:"))
    numbers = []
    for ejected in (True, False, True):
        with emulated(directory) as unit:
            run("encrypt", letter, "-o", desk / "capsule", "--force", "--unit", unit.port)
            if ejected:
                run("eject", "--unit", unit.port)
        numbers.append(header_of(network, (desk / "capsule").read_bytes()).number)
    assert numbers == [1, 2, 2 + 64]


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_stdin_that_is_closed(command: str, alice: str, desk: Path) -> None:
    shell = ["sh", "-c", '"$@" <&-', "sh", *command_line(command, "-", "-o", desk / "out", "--unit", alice)]
    done = subprocess.run(shell, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
    assert_refused(Finished(done.returncode, done.stdout, done.stderr.decode()), "FILE", 1)
    assert names(desk) == []


def test_stdin_that_does_not_block(alice: str, network: ndks.Network, desk: Path) -> None:
    """Another process that shares the pipe may have set O_NONBLOCK; a pause of the writer is not the end of data."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, LETTER)
    command = command_line("encrypt", "-", "-o", desk / "capsule", "--unit", alice)
    with subprocess.Popen(command, stdin=reading, stderr=subprocess.PIPE, env=environment()) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        with contextlib.suppress(BrokenPipeError):
            os.write(writing, LETTER)
        os.close(writing)
        os.close(reading)
        process.communicate(timeout=PATIENCE)
    if process.returncode == 0:  # a refusal would also be correct
        assert open_offline(network, (desk / "capsule").read_bytes()) == 2 * LETTER
    else:
        assert names(desk) == []
