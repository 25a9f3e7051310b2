# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units with false answers: each is refused with its error, nothing is stored, and no session stays open."""

import contextlib
import io
import itertools
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.scripted_transport import Script, answer
from host.scripted_unit import SALT, SERIAL_NUMBER, ScriptedUnit, scripted_unit, status_values
from unit.other_member import open_offline
from x25519_reference import LOW_ORDER

import ndks
from ndks.crypto import CRYPTO, EphemeralKey
from ndks.driver.answers import Hello
from ndks.laptop.bindings import BindingStore
from ndks.laptop.counters import Minimum
from ndks_protocol import MAJOR, commands, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import MAX_JUMP
from ndks_unit import device, dispatcher
from ndks_unit.state import State

MOST = (1 << 48) - 1
STATUS, NEXT_INDEX = commands.STATUS.code, commands.NEXT_INDEX.code
HEADER = b"\1" + bytes(36)
HELLO = Hello(MAJOR, 0, "", 3, "locked", [], SERIAL_NUMBER, SALT.hex(), "", 1120, 10, 256, 1)
ESCAPE = "office\x1b[2J"


def no_script(request: framing.Frame) -> bytes:
    raise AssertionError(f"a command {request.kind:02x} was not to be sent")


def always(*values: object) -> Script:
    return lambda request: answer(request, *values)


@pytest.mark.parametrize(
    ("field", "opening"),
    [
        ("message_counter", {STATUS: status_values(message_counter=1 << 48)}),
        ("message_counter", {STATUS: status_values(message_counter=(1 << 64) - 1)}),
        ("network", {STATUS: status_values(network=ESCAPE)}),
        ("network", {STATUS: status_values(network="two\nlines")}),
        ("network", {STATUS: status_values(network="")}),
        ("network", {STATUS: status_values(network="n" * 33)}),
        ("network", {STATUS: status_values(network="\u202egnp.ecffo")}),
        ("lane", {STATUS: status_values(lane=0)}),
        ("digits", {STATUS: status_values(digits=0)}),
        ("digits", {STATUS: status_values(digits=13)}),
        ("log_used", {STATUS: status_values(log_used=4065)}),
        ("index", {NEXT_INDEX: (0, 0)}),
        ("index", {NEXT_INDEX: (0, 1 << 48)}),
        ("two different epochs", {NEXT_INDEX: (1, 1)}),
        ("two different epochs", {STATUS: status_values(epoch=(1 << 32) - 1)}),
    ],
)
def test_an_opening_that_no_unit_has(
    field: str, opening: dict[int, tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = scripted_unit(no_script, monkeypatch, tmp_path, opening)
    for _ in range(2):
        with pytest.raises(ndks.ProtocolError, match=field) as refused:
            unit.next_index()
        assert str(refused.value).isprintable()
        assert not unit._link.is_secured
    store = BindingStore(tmp_path)
    assert store.minimum_counters(HELLO).of(0) == Minimum(), "nothing of it is stored"
    assert store.unit(SERIAL_NUMBER).own_number == 0


@pytest.mark.parametrize(
    ("verb", "script", "field"),
    [
        (lambda unit: unit.next_index(), always(0, 0), "index"),
        (lambda unit: unit.next_index(), always(0, 1 << 48), "index"),
        (lambda unit: unit.acknowledge(0, 7), always(7), "acknowledged key again"),
        (lambda unit: unit.acknowledge(0, 7), always(1), "acknowledged key again"),
        (lambda unit: unit.acknowledge(0, 7), always(0), "index"),
        (lambda unit: unit.acknowledge(0, 7), always((1 << 48) + 1), "index"),
        (lambda unit: unit.seal(b"x"), always(b"\0" + HEADER[1:], 0), "header"),
        (lambda unit: unit.seal(b"x"), always(b"\2" + HEADER[1:], 0), "header"),
        (lambda unit: unit.seal(b"x", mode="a"), always(b"\0" + HEADER[1:], bytes(32), bytes(8), 0, b""), "header"),
        *(
            (
                lambda unit: unit.seal(b"x", mode="a", cipher="aes"),
                always(HEADER, bytes(32), bytes(8), 0, bytes(size)),
                "aes_key",
            )
            for size in (1, 16, 24, 31, 33)
        ),
        (
            lambda unit: unit.seal(b"x", mode="a", cipher="aes"),
            always(HEADER, bytes(32), bytes(8), 0, b""),
            "another cipher",
        ),
        (
            lambda unit: unit.seal(b"x", mode="a", cipher="vernam"),
            always(HEADER, bytes(32), bytes(8), 0, bytes(32)),
            "another cipher",
        ),
        (lambda unit: unit.unseal(HEADER + bytes(40)), always(bytes(8), 0, 1, 0, 0, 0), "lane"),
        (lambda unit: unit.unseal(HEADER + bytes(40)), always(bytes(8), 2, 0, 0, 0, 0), "number"),
        (lambda unit: unit.unseal(HEADER + bytes(40)), always(bytes(8), 2, 1 << 48, 0, 0, 0), "number"),
        (lambda unit: unit.unseal(HEADER + bytes(40)), always(bytes(8), 2, 1, 2, 0, 0), "cipher"),
        (
            lambda unit: unit.unseal(HEADER + bytes(40), mode="a"),
            always(bytes(8), 2, 1, bytes(32), bytes(8), 0, 0, bytes(31)),
            "aes_key",
        ),
    ],
)
def test_an_answer_that_no_unit_gives(
    verb: Any, script: Script, field: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = scripted_unit(script, monkeypatch, tmp_path)
    with pytest.raises(ndks.ProtocolError, match=field):
        verb(unit)
    assert BindingStore(tmp_path).minimum_counters(HELLO).of(0).exported == 0


@pytest.mark.parametrize("mode", ["a", "b"])
def test_no_capsule_is_begun_with_a_header_of_another_version(
    mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = b"\7" + HEADER[1:]
    unit = scripted_unit(
        always(wrong, *((bytes(32), bytes(8), 0, b"") if mode == "a" else (0,))), monkeypatch, tmp_path
    )
    target, sink = tmp_path / "letter.ndks", io.BytesIO()
    for out in (target, sink):
        with pytest.raises(ndks.ProtocolError, match="header"):
            unit.encrypt(io.BytesIO(b"letter"), out, cipher="vernam", mode=mode)
    assert not target.exists()
    assert sink.getvalue() == b""


class Liar:
    """A unit in this process whose answers to STATUS are false once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    @contextlib.contextmanager
    def says(self, port: str, **fields: int) -> Generator[ndks.Unit]:
        def status(state: State) -> tuple[Any, ...]:
            truth = dict(zip(commands.STATUS.answer.names, device.status(state), strict=True))
            return tuple((truth | (fields if state.opened else {})).values())

        def next_index(state: State) -> tuple[int, int]:
            return fields.get("epoch", 0), state.member.exports.next

        with self._patch.context() as patch:
            patch.setitem(dispatcher.HANDLERS, STATUS, status)
            patch.setitem(dispatcher.HANDLERS, NEXT_INDEX, next_index)
            with ndks.open(port) as unit:
                unit.unlock()
                yield unit


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Liar:
    return Liar(monkeypatch)


@pytest.mark.parametrize("sealed", [0, 3])
def test_one_false_number_does_not_lock_the_true_unit_out(
    sealed: int, alice: str, liar: Liar, network: ndks.Network, call: Call
) -> None:
    with ndks.open(alice) as unit:
        unit.seal(b"letter")
    with liar.says(alice, message_counter=MOST) as false:
        for _ in range(sealed):
            false.seal(b"letter")
    with ndks.open(alice) as unit:
        capsule = unit.seal(b"letter")
        assert unit.status().message_counter <= 2 + sealed + MAX_JUMP, "and it uses up no more than one step"
    assert open_offline(network, capsule) == b"letter"
    assert call("info", "--unit", alice).status == 0


def test_a_false_epoch_does_not_take_the_floor_away(alice: str, liar: Liar, tmp_path: Path) -> None:
    image = {path: path.read_bytes() for path in (tmp_path / "alice").glob("*.bin")}
    with ndks.open(alice) as unit:
        for _ in range(5):
            unit.seal(b"letter")
    with liar.says(alice, epoch=(1 << 32) - 1):
        pass
    for path, content in image.items():
        path.write_bytes(content)
    with ndks.open(alice) as unit:
        unit.seal(b"letter")
        assert unit.status().message_counter == 6, "the minimum is that of all epochs"


def test_a_unit_that_would_give_numbers_once_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It answers UNLOCK but does not continue above the minimum."""
    unit = scripted_unit(always(*status_values(message_counter=4)), monkeypatch, tmp_path)
    BindingStore(tmp_path).minimum_counters(HELLO).note(0, message_counter=5)
    for _ in range(2):
        with pytest.raises(ndks.ProtocolError, match="reuse message numbers"):
            unit.seal(b"letter")
        assert not unit._link.is_secured
    assert BindingStore(tmp_path).minimum_counters(HELLO).of(0) == Minimum(5, 0)


class KeyOfLowOrder(ScriptedUnit):
    """It knows A, and sends keys with which the secret that it shares with any host is zero: no secret."""

    publics = itertools.cycle(LOW_ORDER)

    def shared_secret(self, host_public: bytes) -> tuple[bytes, bytes]:
        return next(self.publics), bytes(32)


class WithoutBinding(ScriptedUnit):
    """It agrees on a key as any unit does, and does not know the binding."""

    def agree(self, host_share: bytes) -> tuple[bytes, bytes, bytes]:
        self.keys = BindingKeys(CRYPTO, bytes(32))
        return super().agree(host_share)


class LikeABlankUnit(ScriptedUnit):
    """It answers as if nobody had to prove anything."""

    def agree(self, host_share: bytes) -> tuple[bytes, bytes, bytes]:
        self.keys.auth = b""
        return super().agree(host_share)


class KeyOfTheHost(ScriptedUnit):
    """It sends the host its own key back."""

    def shared_secret(self, host_public: bytes) -> tuple[bytes, bytes]:
        return host_public, host_public


class Repeating(ScriptedUnit):
    """It repeats its first answer, which was right."""

    first: tuple[bytes, bytes, bytes] | None = None

    def agree(self, host_share: bytes) -> tuple[bytes, bytes, bytes]:
        self.first = self.first or super().agree(host_share)
        return self.first


@pytest.mark.parametrize("kind", [KeyOfLowOrder, WithoutBinding, LikeABlankUnit, KeyOfTheHost])
def test_a_unit_that_does_not_prove_that_it_is_the_one(
    kind: type[ScriptedUnit], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = scripted_unit(no_script, monkeypatch, tmp_path, kind=kind)
    for _ in LOW_ORDER:
        with pytest.raises(ndks.AuthenticationError) as refused:
            unit.unlock()
        assert refused.value.code == "LOCKED"
        assert not unit._link.is_secured
    sent = {frame.kind for frame in unit._link._transport.requests}
    assert sent == {commands.HELLO.code, commands.OPEN_SESSION.code}


def test_a_unit_that_repeats_its_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unit = scripted_unit(no_script, monkeypatch, tmp_path, kind=Repeating)
    unit.unlock()
    unit._owner.greet()
    for _ in range(2):
        with pytest.raises(ndks.AuthenticationError) as refused:
            unit.unlock()
        assert refused.value.code == "LOCKED"


def test_a_unit_that_repeats_its_key_gets_another_one_of_the_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The host cannot know that the key was used before. Its own one is new in each session, so no session repeats."""
    ephemeral = EphemeralKey()

    class KeyUsedAgain(ScriptedUnit):
        def shared_secret(self, host_public: bytes) -> tuple[bytes, bytes]:
            return ephemeral.public, ephemeral.shared(host_public)

    unit = scripted_unit(always(), monkeypatch, tmp_path, kind=KeyUsedAgain)
    for _ in range(3):
        unit._owner.greet()
        unit._owner.unlock()
    requests: list[framing.Frame] = unit._link._transport.requests
    for command in (commands.OPEN_SESSION, commands.PROVE, commands.UNLOCK):
        sent = [bytes(frame.payload) for frame in requests if frame.kind == command.code]
        assert len(set(sent)) == 3, command.name


def test_info_after_a_refused_unlock(alice: str, call: Call) -> None:
    """It shows the data available without a session, and sends no request in the clear inside one."""
    with ndks.open(alice) as unit:
        minimum_counters = BindingStore().minimum_counters(unit.hello)
        for step in (1, 2, 3):
            minimum_counters.note(0, message_counter=step * MAX_JUMP)
    finished = call("info", "--unit", alice)
    assert finished.status == 0, finished.stderr
    assert "TOO_FAR" in finished.stderr
    assert "SESSION_ENDED" not in finished.stderr
    assert b"locked" in finished.output
    with ndks.open(alice) as unit:
        for _ in range(2):
            with pytest.raises(ndks.DeviceError) as refused:
                unit.unlock()
            assert refused.value.code == "TOO_FAR"
            assert unit.status(unlock=False).state == "locked"
