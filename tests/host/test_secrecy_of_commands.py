# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""No output or file of a command contains a secret, whether the command succeeds, is refused, or crashes.

The secrets are those of network and laptop, the transport code, the binding, and all keys derived from them: keys of
the unit's records, of sessions and of messages. Every 8 bytes count, in hex, base64, words and other encodings.
"""

import base64
import io
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from host.leaks import Secrets, codes_in
from unit.other_member import OtherMember, flipped

import ndks
from ndks import cli
from ndks.laptop.homes import HOME
from ndks.laptop.words import from_words, to_words
from ndks_protocol import commands
from ndks_unit.dispatcher import HANDLERS
from ndks_unit.state import State

LETTER = b"xq7: Kwz-Vjgbh, mwbTzrfh qlx dnVypktg! sjcz?"  # no English words, which also occur in messages
WRONG_WORDS = to_words(bytes(range(32)))


@dataclass
class Stage:
    """A laptop, units, a network file and capsules, and all output of the commands."""

    directory: Path
    secrets: Secrets
    capture: pytest.CaptureFixture[bytes]
    log: pytest.LogCaptureFixture
    monkeypatch: pytest.MonkeyPatch
    results: list[bytes] = field(default_factory=list)
    status: int = 0

    def path(self, name: str) -> Path:
        return self.directory / name

    def unit(self, name: str) -> str:
        return f"emulator:{self.path(name)}"

    def run(self, *arguments: object, typed: str = "", shows: bytes = b"", shows_code: bool = False) -> bytes:
        """Run a command with maximum verbosity, and return its result, the only place for the secret `shows`."""
        self.log.clear()
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        trace = ""
        try:
            self.status = cli.main([str(argument) for argument in (*arguments, "--verbose")])
        except SystemExit as error:
            self.status = int(error.code or 0)
        except RuntimeError as error:
            self.status, trace = 1, "".join(traceback.format_exception(error)) + repr(error.args)
        captured = self.capture.readouterr()
        said = captured.err.decode() + self.log.text + trace
        codes = set(codes_in(captured.out.decode())) if shows_code else set[bytes]()
        self.secrets.found |= codes
        assert self.secrets.shown_in(said) == []
        assert self.secrets.shown_in(captured.out, shows, *codes) == []
        return captured.out

    def assert_nothing_is_left(self) -> None:
        """Check that only files for secrets contain secrets."""
        network = ndks.Network.load(self.path("office.ndksnet")).secret
        secret_file = self.path("home") / "host_secret"
        own = bytes.fromhex(secret_file.read_text()) if secret_file.exists() else b""
        allowed = {self.path("office.ndksnet"): {network}, secret_file: {own}, self.path("letter"): {LETTER}}
        looked_at = 0
        for path in self.directory.rglob("*"):
            if path.is_file() and path.suffix not in (".words", ".plain"):
                kept = self.secrets.kept_by_unit if path.parent.name in ("alice", "bob", "carol") else set()
                assert self.secrets.shown_in(path.read_bytes(), *allowed.get(path, set()), *kept) == [], path
                looked_at += 1
        assert looked_at > 10


@pytest.fixture
def stage(
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    secrets = Secrets()
    secrets.watch(monkeypatch)
    stage = Stage(tmp_path, secrets, capsysbinary, caplog, monkeypatch)
    (tmp_path / "letter").write_bytes(LETTER)
    stage.run("network", "new", "office")
    secrets.found |= {LETTER, ndks.Network.load(tmp_path / "office.ndksnet").secret}
    for name in ("alice", "bob"):
        stage.run("provision", "office.ndksnet", "--bind", "--unit", stage.unit(name))
    secrets.found.add(bytes.fromhex((tmp_path / "home" / "host_secret").read_text()))
    sender = OtherMember(ndks.Network.load(tmp_path / "office.ndksnet"), 9)
    for name in ("first", "second"):
        (tmp_path / f"{name}.ndks").write_bytes(sender.seal(LETTER))
    (tmp_path / "bad.ndks").write_bytes(flipped(sender.seal(LETTER), -1))
    (tmp_path / "strange.ndks").write_bytes(OtherMember(ndks.Network.new("office"), 9).seal(LETTER))
    yield stage
    assert len(secrets.found) > 10


def test_search_finds_what_it_looks_for() -> None:
    secrets = Secrets()
    secret = bytes(range(7, 7 + 6 * 32, 6))
    secrets.found.add(secret)
    part = secret[5:14]
    for text in (
        f"({part.hex()})",
        f"x{part.hex().upper()}",
        part.hex(" "),
        repr(part),
        str(list(part)),
        f"{int.from_bytes(part)}",
        "".join(f"{byte:08b}" for byte in part),
        " ".join(to_words(secret).split()[3:9]),
        base64.b64encode(secret[3:]).decode(),
        base64.urlsafe_b64encode(secret[4:]).decode(),
        part,
    ):
        assert secrets.shown_in(text) == [secret.hex()], text
    assert secrets.shown_in(secret, secret) == []
    assert secrets.shown_in("nothing of it") == []


def succeed(stage: Stage) -> Iterator[tuple[list[object], dict[str, Any]]]:
    """Yield every command, with the secrets that it may show."""
    alice, bob = ("--unit", stage.unit("alice")), ("--unit", stage.unit("bob"))
    shows_letter = {"shows": LETTER}
    yield ["network", "show", "office.ndksnet"], {}
    yield ["network", "show", "office.ndksnet", "--json"], {}
    yield ["list"], {}
    for options in ([], ["--json"]):
        yield ["info", *alice, *options], {}
        yield ["bind", *alice, *options], {}
        yield ["bind", "--show", *options], {}
        yield ["trust", 2, "11" * 16, *alice, *options], {}
        yield ["trust", 2, 0, "--network", "office.ndksnet", *options], {}
        yield ["eject", *alice, *options], {}
    yield ["key", *alice], {}
    yield ["key", "--index", 7, "--advance", "--format", "base64", *alice], {}
    yield ["stream", "--bits", 80_000, "-o", "out.key", *alice], {}
    yield ["generate", "--network", "office.ndksnet", "--bits", 80], {}
    for mode in "ab":
        for cipher in commands.CIPHERS:
            yield ["encrypt", "letter", "--force", "--mode", mode, "--cipher", cipher, *alice], {}
            yield ["decrypt", "letter.ndks", "-o", "-", "--mode", mode, *bob], shows_letter
    yield ["decrypt", "first.ndks", "-o", "first.plain", "--json", *bob], {}
    yield ["decrypt", "first.ndks", "-o", "-", "--network", "office.ndksnet"], shows_letter
    for where in (bob, ("--network", "office.ndksnet"), ()):
        yield ["inspect", "second.ndks", *where], {}
        yield ["inspect", "second.ndks", "--json", *where], {}
    for where in (bob, ("--network", "office.ndksnet")):
        yield ["check", "second.ndks", *where], {}
    yield ["check", "letter.ndks", *alice], {}
    yield ["check"], {}
    for unit, record in ((alice, "alice.json"), (bob, "bob.json")):
        keys = ("--indices", "1..9", "--bits", 256, "--messages", "second.ndks", "letter.ndks")
        yield ["confine", "record", "-o", record, *keys, *unit], {}
    yield ["confine", "compare", "alice.json", "bob.json", "--network", "office.ndksnet"], {}
    yield ["confine", "here", stage.unit("alice"), stage.unit("bob"), "--json"], {}
    yield ["completion", "bash"], {}


def refused(stage: Stage) -> Iterator[tuple[list[object], dict[str, Any]]]:
    """Yield every command with invalid arguments."""
    alice, bob = ("--unit", stage.unit("alice")), ("--unit", stage.unit("bob"))
    yield ["provision", "office.ndksnet", *alice], {}
    yield ["provision", "letter", "--unit", stage.unit("carol")], {}
    yield ["bind", "--code", "-", *alice], {"typed": WRONG_WORDS}
    yield ["bind", "--code", "letter", *alice], {}
    yield ["bind", "--restore", "letter"], {"typed": WRONG_WORDS}
    yield ["trust", 1, "11" * 16, *alice], {}
    yield ["trust", 77, "11" * 16, "--network", "office.ndksnet"], {}
    yield ["zeroize", *alice], {}
    yield ["key", "--index", 1 << 40, "--advance", *alice], {}
    yield ["key", "-o", "letter", *alice], {}
    yield ["stream", "--bits", 8, "-o", "letter", *alice], {}
    yield ["encrypt", "none", *alice], {}
    for mode in "ab":
        for capsule in ("bad.ndks", "strange.ndks", "letter"):
            yield ["decrypt", capsule, "-o", "-", "--mode", mode, *bob], {}
    for capsule in ("bad.ndks", "strange.ndks", "letter"):
        yield ["decrypt", capsule, "-o", "-", "--network", "office.ndksnet"], {}
        yield ["check", capsule, *bob], {}
        yield ["check", capsule, "--network", "office.ndksnet"], {}
    yield ["confine", "compare", "office.ndksnet", "letter"], {}
    yield ["inspect", "strange.ndks", *bob], {}
    yield ["network", "show", "letter"], {}
    yield ["generate", "--network", "letter"], {}
    yield ["info", "--unit", stage.unit("nobody")], {}


def test_commands_that_succeed(stage: Stage) -> None:
    for arguments, options in succeed(stage):
        stage.run(*arguments, **options)
        assert stage.status == 0, (arguments, stage.log.text)
    stage.assert_nothing_is_left()


def test_commands_that_are_refused(stage: Stage) -> None:
    for arguments, options in refused(stage):
        assert stage.run(*arguments, **options) == b""
        assert 0 < stage.status < 7, arguments
    stage.assert_nothing_is_left()


def test_binding_and_copies(stage: Stage) -> None:
    """The code is shown once, and the secrets it unlocks never."""
    carol = ("--unit", stage.unit("carol"))
    values = json.loads(stage.run("provision", "office.ndksnet", "--json", *carol, shows_code=True))
    code = from_words(values["transport_code"])
    assert code in stage.secrets.found
    stage.path("code.words").write_text(values["transport_code"])
    stage.run("key", *carol)
    assert stage.status == 5
    stage.run("bind", *carol, typed=WRONG_WORDS)
    assert stage.status == 5
    stage.run("bind", "--code", "code.words", *carol)
    assert stage.status == 0
    stage.run("bind", "--code", "code.words", *carol)
    assert stage.status == 5
    copied = json.loads(stage.run("bind", "--backup", "home.sealed", "--json", shows_code=True))
    stage.run("bind", "--restore", "home.sealed", "--force", typed=copied["backup_code"])
    assert stage.status == 0
    stage.run("bind", "--restore", "home.sealed", "--force", typed=WRONG_WORDS)
    assert stage.status == 2
    stage.assert_nothing_is_left()
    stage.run("zeroize", "--yes", *carol)
    assert stage.status == 0
    stage.assert_nothing_is_left()


def test_joining_by_request_and_package(stage: Stage) -> None:
    """The network file is on this laptop, and carol's is as well: what matters is what is shown, and what is left."""
    carol = ("--unit", stage.unit("carol"))
    words = json.loads(stage.run("join", "request", "-o", "carol.ndksrequest", *carol, "--json"))["words"]
    admit = ("provision", "office.ndksnet", "--for", "carol.ndksrequest", "-o", "carol.ndkspackage", "--json")
    stage.run(*admit, "--words", " ".join(reversed(words.split())))
    assert stage.status == 1
    words = json.loads(stage.run(*admit, "--words", words))["words"]
    stage.run("provision", "carol.ndkspackage", "--words", "zoo", *carol)
    assert stage.status == 2
    stage.run("provision", "carol.ndkspackage", "--words", words, "--bind", *carol)
    assert stage.status == 0
    stage.run("provision", "carol.ndkspackage", "--words", words, "--bind", *carol)
    assert stage.status == 4
    stage.assert_nothing_is_left()


def test_another_laptop(stage: Stage) -> None:
    stage.monkeypatch.setenv(HOME, str(stage.path("elsewhere")))
    for arguments in (["key"], ["encrypt", "letter"], ["decrypt", "first.ndks", "-o", "-"], ["info"], ["bind"]):
        stage.run(*arguments, "--unit", stage.unit("alice"), typed=WRONG_WORDS)
        assert stage.status == (0 if arguments == ["info"] else 5)


@pytest.mark.parametrize("content", ["", "{", "zz" * 32])
def test_a_damaged_secret(stage: Stage, content: str) -> None:
    path = stage.path("home") / "host_secret"
    path.write_text(path.read_text().strip()[:40] + content)
    for arguments in (["key"], ["bind"], ["bind", "--backup", "copy"], ["bind", "--show"]):
        stage.run(*arguments, *([] if "--backup" in arguments else ["--unit", stage.unit("alice")]))


FAULTS = [
    "ndks.line.link:Link._answer",
    "ndks.line.conversation:Conversation._opened",
    "ndks.line.conversation:_sealed",
    "ndks.line.session:proof",
    "ndks.line.session:SecureChannel",
    "ndks.driver.owner:open_session",
    "ndks.driver.unit:Unit.status",
    "ndks.laptop.bindings:fingerprint",
    "ndks.laptop.bindings:write_private",
    "ndks.laptop.bindings:BindingStore._binding",
    "ndks.crypto:HostCrypto.aes_ctr",
    "ndks.driver.capsules:BatchSealer",
    "ndks.driver.capsules:BatchOpener",
    "ndks_protocol.kdf:Mac.digest",
    "ndks_unit.state:State.unlock",
    "ndks_unit.flash.record_log:RecordLog.append",
]


def breaking(function: Callable[..., Any], after: int) -> Callable[..., Any]:
    """Return a replacement of a function that fails after the given number of calls."""
    calls = iter(range(after))

    def broken(*arguments: Any, **options: Any) -> Any:
        if next(calls, None) is None:
            raise RuntimeError("injected")
        return function(*arguments, **options)

    return broken


@pytest.mark.parametrize("after", [0, 2, 7])
@pytest.mark.parametrize("place", FAULTS)
def test_commands_that_break(stage: Stage, place: str, after: int) -> None:
    """For a defect anywhere in the code, the traceback contains no secret, and no data of the unit."""
    carol, bob = ("--unit", stage.unit("carol")), ("--unit", stage.unit("bob"))
    words = stage.run("provision", "office.ndksnet", *carol, shows_code=True).decode().splitlines()[-1]
    broken: list[tuple[list[object], dict[str, Any]]] = [
        (["bind", *carol], {"typed": words}),
        (["bind", "--with-network", *bob], {}),
        (["key", *bob], {}),
        (["encrypt", "letter", "--mode", "a", *bob], {}),
        (["encrypt", "letter", "--mode", "b", "--cipher", "aes", *bob], {}),
        (["decrypt", "first.ndks", "-o", "-", "--mode", "a", *bob], {"shows": LETTER}),
        (["decrypt", "second.ndks", "-o", "-", "--mode", "b", *bob], {"shows": LETTER}),
        (["trust", 3, "11" * 16, *bob], {}),
        (["bind", "--backup", "home.sealed"], {"shows_code": True}),
    ]
    statuses: list[int] = []
    for arguments, options in broken:
        with stage.monkeypatch.context() as patch:
            patch.setattr(place.replace(":", "."), breaking(resolve_name(place), after))
            stage.run(*arguments, **options)
        statuses.append(stage.status)
    assert after or any(statuses)
    stage.assert_nothing_is_left()


def test_a_unit_that_breaks_says_nothing_of_its_own(stage: Stage) -> None:
    def breaks(state: State, *_: object) -> None:
        raise RuntimeError(f"{state.member.secret.hex()} {state.bound.auth.hex()}")

    stage.monkeypatch.setitem(HANDLERS, commands.NEXT_INDEX.code, breaks)
    assert stage.run("key", "--unit", stage.unit("alice")) == b""
    assert stage.status == 4
