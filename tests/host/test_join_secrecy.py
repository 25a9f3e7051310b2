# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The laptop of a candidate never has a secret of the network: not in memory, files or output, nor on its line."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from host.joining import Joining
from host.relay import Sent, relayed
from host.running import environment
from support.emulate_process import PATIENCE, emulated
from support.pieces import pieces

from ndks.network.join_package import JoinPackage
from ndks.network.join_request import load_request
from ndks.network.network_file import Network

WORD = 8  # bytes of a secret that count as a part of it
CANDIDATE = """
import sys
import ndks
from ndks.cli.log import show_log
from ndks.network.join_package import JoinPackage

port, request, package, log = sys.argv[1:]
show_log(verbose=True, file=log)
with ndks.open(port) as unit:
    unit.join_request(label="carol").save(request)
    print("requested", flush=True)
    input()
    package = JoinPackage.load(package)  # stays in the memory
    joined = unit.join_package(package)
    print(unit.status().network_id, unit.next_key(8).index, joined, flush=True)
    input()  # while the parent looks at the memory
"""
ADMINISTRATOR = """
import sys
from ndks.network.network_file import Network

network = Network.load(sys.argv[1])
print("loaded", flush=True)
input()
"""


class Recorder:
    """A relay that only keeps what passes."""

    def __init__(self) -> None:
        self.seen = bytearray()

    def pass_on(self, direction: str, data: bytes) -> list[Sent]:
        self.seen += data
        return [(direction, data)]


@contextmanager
def started(program: str, *arguments: object, **extra: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a program that waits for lines and answers with lines; the last thing it does is to wait."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment(extra), **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        assert process.stderr
        pytest.fail(process.stderr.read())
    return line


def go_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def memory_of(process: "subprocess.Popen[str]") -> Iterator[bytes]:
    """Yield the content of all writable memory of a child."""
    place = Path("/proc") / str(process.pid)
    if not place.exists():
        pytest.skip("this system does not show the memory of processes")
    with (place / "mem").open("rb", buffering=0) as memory:
        for line in (place / "maps").read_text().splitlines():
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if span:
                start, end = (int(part, 16) for part in span.groups())
                try:
                    memory.seek(start)
                    yield memory.read(end - start)
                except (OSError, OverflowError):  # of devices
                    continue


class Wanted:
    """The secrets of a network, in each form in which a program could have them."""

    def __init__(self, network: Network) -> None:
        self._pieces = pieces(network.secret, WORD)
        texts = [network.secret.hex(), network.secret.hex().upper(), network.p1[2:], network.p2[3:]]
        self._pieces |= {piece for text in texts for piece in pieces(text.encode(), 2 * WORD)}

    def found_in(self, *contents: bytes) -> set[bytes]:
        return {piece for content in contents for piece in self._pieces if piece in content}


@pytest.fixture
def wanted(network_file: Path) -> Wanted:
    return Wanted(Network.load(network_file))


def test_the_search_finds_secrets_in_the_memory_of_an_administrator(network_file: Path, wanted: Wanted) -> None:
    with started(ADMINISTRATOR, network_file) as process:
        assert line_of(process) == "loaded\n"
        assert len(wanted.found_in(*memory_of(process))) > 60


def test_the_laptop_of_a_candidate_has_no_secret(tmp_path: Path, network_file: Path, wanted: Wanted) -> None:
    joining = Joining(tmp_path, network_file, "")
    log = tmp_path / "candidate.log"
    recorder = Recorder()
    with emulated(tmp_path / "unit") as unit, relayed(unit.port, recorder) as port:
        arguments = (port, joining.request_file, joining.package_file, log)
        with started(CANDIDATE, *arguments, **joining.environment) as process:
            assert line_of(process) == "requested\n"
            assert joining.answer().status == 0
            go_on(process)
            said = line_of(process)
            assert said.startswith(f"{Network.load(network_file).network_id} 1 ")
            memory = list(memory_of(process))
        assert process.stderr
    sealed = JoinPackage.load(joining.package_file).sealed
    assert any(sealed[:WORD] in content for content in memory)  # what was there is found
    assert wanted.found_in(*memory) == set()
    assert wanted.found_in(bytes(recorder.seen), said.encode()) == set()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != network_file]
    assert {"unit.ndkspackage", "unit.ndksrequest", "candidate.log", "host_secret", "nvm.bin"} <= {
        p.name for p in files
    }
    assert b"> PROVISION_SEALED" in log.read_bytes()
    assert wanted.found_in(*(path.read_bytes() for path in files)) == set()


def test_the_line_of_a_candidate_shows_no_package(tmp_path: Path, network_file: Path) -> None:
    """Not even sealed: who has recorded it and learns the joining key later has nothing to open."""
    recorder = Recorder()
    with emulated(tmp_path / "unit") as unit, relayed(unit.port, recorder) as port:
        joining = Joining(tmp_path, network_file, port)
        joining.until_package()
        assert joining.use("--bind").status == 0
    request, package = load_request(joining.request_file), JoinPackage.load(joining.package_file)
    assert pieces(request.public_key, WORD) & pieces(bytes(recorder.seen), WORD)  # JOINING_KEY answers in the clear
    assert not pieces(package.sealed, WORD) & pieces(bytes(recorder.seen), WORD)


def test_no_message_of_a_refusal_has_a_secret(tmp_path: Path, network_file: Path, wanted: Wanted) -> None:
    joining = Joining(tmp_path, network_file, f"emulator:{tmp_path / 'unit'}")
    joining.until_package()
    refused = [
        joining.answer("--verbose"),
        joining.answer("--again", "--verbose", words="zoo"),
        joining.answer("-o", os.devnull),
    ]
    joining.change(joining.package_file, lambda values: values.update(sealed=values["sealed"][:-2]))
    refused += [joining.use("--bind", "--verbose"), joining.use(words="zoo")]
    assert all(finished.status for finished in refused)
    assert wanted.found_in(*(finished.output + finished.stderr.encode() for finished in refused)) == set()
