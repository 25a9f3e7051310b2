# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Faults on the line between host and unit, with `ndks emulate` at its other end.

No call hangs, no wrong bit of a key is returned, no index or number is lost or issued twice, every error has a type,
and the next command works.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from host.relay import TO_HOST, ManInTheMiddle, Sent, SmallPieces, relayed
from host.running import Finished, assert_refused, finish, run, start
from support.emulate_process import PATIENCE, EmulateProcess, emulated
from support.reference import exported_key
from unit.other_member import OtherMember, header_of, open_offline

import ndks
from ndks.line.session import after_delay
from ndks.line.transport import open_transport
from ndks_protocol import commands, framing

pytest.importorskip("termios", reason="this system has no pseudo-terminals")

LETTER = b"meet me at the old bridge"
RECONNECTIONS = 500
BITS = 64
SHORT = 0.4  # timeout in seconds for a dropped frame
TYPED = {3, 4, 5, 6}  # exit statuses of all errors of the line


@pytest.fixture
def unit(alice: str) -> Iterator[EmulateProcess]:
    with emulated(Path(alice.removeprefix("emulator:"))) as running:
        yield running


class Model:
    """The host's knowledge of a unit: the next index and the used message numbers."""

    def __init__(self, network: ndks.Network) -> None:
        self.network = network
        self.next = 1
        self.in_doubt = False  # whether the unit may have missed the last acknowledgement
        self.numbers: set[int] = set()
        self.sender = OtherMember(network, 9)
        self.done = 0

    def take_key(self, unit: ndks.Unit) -> None:
        epoch, index = unit.next_index()
        assert index == self.next or (self.in_doubt and index == self.next + 1), "an index was lost, or came twice"
        self.next, self.in_doubt = index, False
        self.check(unit.key(index, BITS, epoch=epoch))
        self.in_doubt = True
        assert unit.acknowledge(epoch, index) == index + 1
        self.next, self.in_doubt = index + 1, False
        self.done += 1

    def take_any_key(self, unit: ndks.Unit) -> None:
        self.check(unit.key(1_000_000 + self.done, BITS))
        self.done += 1

    def send(self, unit: ndks.Unit, mode: str) -> None:
        capsule = unit.seal(LETTER, mode=mode)
        assert open_offline(self.network, capsule) == LETTER
        number = header_of(self.network, capsule).number
        assert number not in self.numbers, "a number came twice"
        self.numbers.add(number)
        self.done += 1

    def receive(self, unit: ndks.Unit, mode: str) -> None:
        assert unit.unseal(self.sender.seal(LETTER), mode=mode) == LETTER
        self.done += 1

    def check(self, key: ndks.Key) -> None:
        assert key.data == exported_key(self.network, key.index, 0, BITS // 8), "a bit is wrong"

    @property
    def works(self) -> list[Callable[[ndks.Unit], None]]:
        def in_mode(work: Callable[[ndks.Unit, str], None], mode: str) -> Callable[[ndks.Unit], None]:
            return lambda unit: work(unit, mode)

        of_messages = [in_mode(work, mode) for work in (self.send, self.receive) for mode in "ab"]
        return [self.take_key, self.take_any_key, *of_messages]

    def do_all(self, port: str) -> None:
        """Check that every operation works."""
        with ndks.open(port) as unit:
            for work in self.works:
                work(unit)


def raw(port: str, data: bytes) -> None:
    """Write bytes to a port, and close it."""
    transport = open_transport(port, PATIENCE)
    transport.write(data)
    transport.close()


def test_many_reconnections(unit: EmulateProcess, network: ndks.Network) -> None:
    rng, model = random.Random(1), Model(network)
    hello = framing.encode(commands.HELLO.code, 7, b"")
    for number in range(RECONNECTIONS):
        if number % 4 == 0:
            raw(unit.port, hello[: rng.randint(0, len(hello))])
        elif number % 4 == 1:
            ndks.open(unit.port).close()
        else:
            opened = ndks.open(unit.port)
            rng.choice(model.works)(opened)
            if number % 4 == 2:
                opened.close()
            else:
                opened._link.close()  # closed without CLOSE
    model.do_all(unit.port)


def test_hosts_that_leave_in_mid_frame(unit: EmulateProcess, network: ndks.Network) -> None:
    """With and without a session: the first frame of the next host is not joined to the partial frame."""
    model = Model(network)
    hello = framing.encode(commands.HELLO.code, 7, b"")
    for size in range(1, len(hello)):
        raw(unit.port, hello[:size])
        with ndks.open(unit.port) as opened:
            assert opened.hello.state == "locked"
    for size in (1, 5, 20, 29, 30, 63, 64, 65):
        with cut_after(unit.port, size) as opened, pytest.raises(ndks.UnitRemoved):
            opened.key(1, 8)
        model.do_all(unit.port)


@contextlib.contextmanager
def cut_after(port: str, size: int) -> Iterator[ndks.Unit]:
    """Yield a unit in a session; the cable is pulled after this many bytes of its next request."""
    opened = ndks.open(port)
    opened.unlock()
    transport = opened._link._transport
    write = transport.write

    def write_some(data: bytes) -> None:
        write(data[:size])
        raise ndks.UnitRemoved("the cable was pulled")

    transport.write = write_some
    yield opened
    opened._link.close()


@pytest.mark.parametrize("size", [1, 64, 255, 4096, 100_000])
def test_garbage_before_the_greeting(unit: EmulateProcess, network: ndks.Network, size: int) -> None:
    rng, model = random.Random(size), Model(network)
    raw(unit.port, rng.randbytes(size))
    model.do_all(unit.port)
    raw(unit.port, rng.randbytes(size).replace(b"\0", b"\1"))  # without the end of a frame
    model.do_all(unit.port)


def test_the_second_of_two_hosts_is_refused(unit: EmulateProcess, network: ndks.Network) -> None:
    model = Model(network)
    with ndks.open(unit.port) as first:
        model.take_key(first)
        stream = first.stream_key(5, 8 * 4096)
        begun = next(stream)
        for command in (["key"], ["info"], ["zeroize", "--yes"]):
            assert_refused(run(*command, "--unit", unit.port, "--timeout", 0.3), "BUSY", 4)
        rest = b"".join(stream)
        model.take_key(first)
    with ndks.open(unit.port) as second:
        assert second.key(5, 8 * 4096).data == begun + rest
    model.do_all(unit.port)


def test_of_two_commands_at_once_one_waits_or_is_refused(unit: EmulateProcess, tmp_path: Path) -> None:
    for turn in range(1, 4):
        processes = [start("key", "--unit", unit.port, "-o", tmp_path / f"{turn}-{name}") for name in "ab"]
        finished = [finish(process) for process in processes]
        for done in finished:
            if done.status:
                assert_refused(done, "BUSY", 4)
        assert 0 in [done.status for done in finished]
    keys = [path.read_text() for path in tmp_path.glob("?-?")]
    assert len(set(keys)) == len(keys)
    with ndks.open(unit.port) as opened:
        assert opened.next_index()[1] == len(keys) + 1


def test_a_host_that_is_silent_for_long(unit: EmulateProcess, network: ndks.Network) -> None:
    model = Model(network)
    with ndks.open(unit.port) as opened:
        opened.unlock()
        stream = opened.stream_key(5, 8 * 4096)
        begun = next(stream)
        time.sleep(3)  # longer than any timeout of the unit
        assert begun + b"".join(stream) == opened.key(5, 8 * 4096).data
        for work in model.works:
            work(opened)


@pytest.mark.parametrize("largest", [1, 7, 64])
def test_lines_with_small_buffers(unit: EmulateProcess, network: ndks.Network, largest: int) -> None:
    model = Model(network)
    with relayed(unit.port, SmallPieces(largest, largest)) as port:
        model.do_all(port)
        with ndks.open(port) as opened:
            size = 3 * 1024 + 1
            assert opened.key(3, 8 * size).data[-16:] == exported_key(network, 3, size - 16, 16)
            text = random.Random(1).randbytes(2500)
            for mode in "ab":
                assert open_offline(network, opened.seal(text, cipher="aes", mode=mode)) == text
                assert opened.unseal(model.sender.seal(text), mode=mode) == text
    model.do_all(unit.port)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_man_in_the_middle(unit: EmulateProcess, network: ndks.Network, seed: int, share: float) -> None:
    rng, model = random.Random(seed), Model(network)
    middle = ManInTheMiddle(seed, share)
    with relayed(unit.port, middle) as port:
        turns = 0
        while turns < 25 or len(middle.deeds) <= (1 if share < 0.1 else 4):  # where time runs out, little is tried
            turns += 1
            error = error_of(port, SHORT, rng.choices(model.works, k=4))
            assert not error or (error.exit_status in TYPED and error.advice), repr(error)
            time.sleep(0.1 if error and error.code == "DELAYED" else 0)
        done, middle.share = model.done, 0
        do_all_after_delay(model, port)
    assert model.done == done + len(model.works)
    model.do_all(unit.port)


def error_of(port: str, timeout: float, works: list[Callable[[ndks.Unit], None]]) -> ndks.NdksError | None:
    """Perform operations on a unit, and return the error."""
    try:
        with ndks.open(port, timeout) as opened:
            for work in works:
                work(opened)
    except ndks.NdksError as error:
        return error
    return None


def do_all_after_delay(model: Model, port: str) -> None:
    """Every operation works after the delay; an altered proof counts as a wrong attempt."""

    def unlock() -> None:
        with ndks.open(port, PATIENCE) as opened:
            opened.unlock()

    after_delay(unlock, 4 * PATIENCE)
    model.do_all(port)


@pytest.mark.parametrize("seed", range(2))
def test_commands_and_a_man_in_the_middle(
    unit: EmulateProcess, network: ndks.Network, seed: int, tmp_path: Path
) -> None:
    (tmp_path / "letter").write_bytes(LETTER)
    sender = OtherMember(network, 9)
    (tmp_path / "c.ndks").write_bytes(sender.seal(LETTER))
    middle = ManInTheMiddle(seed, 0.05)
    statuses: list[int] = []

    def do(*arguments: object) -> Finished:
        finished = run(*arguments, "--timeout", SHORT, cwd=tmp_path)
        assert finished.status in {0} | TYPED, finished.stderr
        assert "Traceback" not in finished.stderr
        if finished.status:
            assert finished.error_code
            assert finished.advice
        statuses.append(finished.status)
        return finished

    with relayed(unit.port, middle) as port:
        for turn in range(6):
            key = do("key", "--index", 7, "--bits", BITS, "--unit", port)
            right = exported_key(network, 7, 0, BITS // 8).hex() + "\n"
            assert key.text in ("", right)  # a later error does not make it wrong
            capsule = tmp_path / f"{turn}.ndks"
            if do("encrypt", "letter", "-o", capsule, "--unit", port).status == 0:
                assert open_offline(network, capsule.read_bytes()) == LETTER
            opened = do("decrypt", "c.ndks", "--again", "-o", "-", "--mode", "ab"[turn % 2], "--unit", port)
            assert opened.output in (b"", LETTER)
            do("info", "--unit", port)
        assert middle.deeds
        middle.share = 0
        do_all_after_delay(Model(network), port)
    assert 0 in statuses


class Recorder:
    """A relay that records the unit's answers by kind."""

    def __init__(self) -> None:
        self.said: dict[int, list[framing.Frame]] = {}
        self._decoder = framing.Decoder()

    def pass_on(self, direction: str, data: bytes) -> list[Sent]:
        for event in self._decoder.feed(data) if direction == TO_HOST else []:
            assert isinstance(event, framing.Frame)
            self.said.setdefault(event.kind, []).append(event)
        return [(direction, data)]


class FalseUnit:
    """A unit that replays answers of the genuine unit under the current request ids, and records the requests."""

    def __init__(self, recorder: Recorder) -> None:
        self.asked: list[framing.Frame] = []
        self._said = recorder.said
        self._decoder = framing.Decoder()

    def pass_on(self, direction: str, data: bytes) -> list[Sent]:
        requests = [event for event in self._decoder.feed(data) if isinstance(event, framing.Frame)]
        self.asked += requests
        answers = [(self._said[request.kind | framing.ANSWER][0], request.request_id) for request in requests]
        return [(TO_HOST, framing.encode(said.kind, number, bytes(said.payload))) for said, number in answers]


def test_a_false_unit_learns_nothing_and_is_not_believed(unit: EmulateProcess, network: ndks.Network) -> None:
    recorder = Recorder()
    with relayed(unit.port, recorder) as port, ndks.open(port) as opened:
        opened.key(1, 8)
    false_unit = FalseUnit(recorder)
    with relayed(unit.port, false_unit) as port:
        for work in Model(network).works:
            with ndks.open(port, PATIENCE) as opened, pytest.raises(ndks.AuthenticationError) as refused:
                work(opened)
            assert refused.value.code == "LOCKED"
    assert {frame.kind for frame in false_unit.asked} == {commands.HELLO.code, commands.OPEN_SESSION.code}
    Model(network).do_all(unit.port)
