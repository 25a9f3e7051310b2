# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Secrets that never leave a unit, whatever a host requests: the network's secret, and keys of other messages.

No secret appears on the line at all.
"""

from typing import Any

from hosts.network import BINDING, SECRET, membership
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.peer import HEADER_KEYS, RANDOM, Peer, capsule, clear
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.capsule import Header
from ndks_protocol.commands import AES, AGAIN, ALLOW_JUMP, VERNAM
from ndks_protocol.generator import Generator
from ndks_protocol.kdf import derive, xor_keystream

TEXT = b"no zeros, which would give the keystream away" * 100
PART = 16  # bytes of a secret to search for; too many for a chance match
SENDER = 2


class Overheard(Peer):
    """A unit whose answers are recorded, both decrypted and as bytes on the line."""

    def __init__(self) -> None:
        self.heard = self.on_the_line = b""
        super().__init__()
        answers = self.host.answers

        def overhear(sent: bytes) -> list[framing.Frame]:
            frames = answers(sent)
            self.on_the_line += b"".join(bytes(frame.payload) + b"|" for frame in frames)
            return frames

        self.host.answers = overhear

    def ask(self, command: commands.Command, *values: Any) -> tuple[Any, ...]:
        answer: tuple[Any, ...] = ()
        try:
            answer = super().ask(command, *values)
            return answer
        finally:
            self.heard += b"".join(value for value in answer if isinstance(value, bytes)) + b"|"


class Conversation:
    """Random requests of hosts, and the secrets involved in them."""

    def __init__(self) -> None:
        self.peer = Overheard()
        self.sealed: list[tuple[Header, str]] = []
        self.opened: list[tuple[Header, str]] = []
        self.tokens = [bytes(8)]
        self.exported: list[bytes] = []

    def seal(self, cipher: int, mode: str, size: int) -> None:
        token = len(self.tokens).to_bytes(8)
        command = commands.SEAL_BEGIN if mode == "b" else commands.SEAL_KEYS
        header, *_ = self.peer.ask(command, token, cipher, 0, RANDOM)
        if mode == "b":
            self.peer.chunks(token, TEXT[:size])
        elif cipher == VERNAM:
            self.peer.ask(commands.MESSAGE_STREAM, token, 0, size % 1024 + 1)
        self.tokens.append(token)
        self.sealed.append((clear(header), mode))

    def open(self, cipher: int, mode: str, size: int) -> None:
        sealed = capsule(SENDER, len(self.opened) + 1, TEXT[:size], cipher=cipher)
        self.peer.open(sealed, mode=mode)
        self.peer.accept(sealed)
        self.opened.append((clear(sealed), mode))

    def pry(self, cipher: int, mode: str, size: int) -> None:
        """Send requests that a host should not send."""
        peer = self.peer
        for header, _ in self.sealed:
            own = HEADER_KEYS.mask(header)
            for command in (commands.OPEN_BEGIN, commands.OPEN_KEYS):
                assert peer.code(command, own, AGAIN | ALLOW_JUMP) == errors.REFLECTED
            peer.code(commands.KEY_CHUNK, 0, header.index, 0, 32)
        for token in self.tokens[:: 1 if mode == "a" else -1]:
            peer.code(commands.SEAL_CHUNK, token, 0, 1, b"")
            peer.code(commands.MESSAGE_STREAM, token, 0, size % 100 + 1)
            peer.code(commands.MESSAGE_CHECK, token, size)

    def others(self, cipher: int, mode: str, size: int) -> None:
        """Send all other requests."""
        for command in (commands.HELLO, commands.STATUS, commands.NEXT_INDEX):
            self.peer.ask(command)
        self.exported += self.peer.ask(commands.KEY_CHUNK, 0, 1 + size, 0, 64)
        self.peer.ask(commands.TRUST, SENDER, bytes(16))
        self.peer.ask(commands.BIND, BINDING)
        self.peer.ask(commands.CLOSE, size % 2)

    def secrets(self) -> dict[str, bytes]:
        found = {"network": SECRET, "binding": BINDING}
        found |= {"auth": BindingKeys(CRYPTO, BINDING).auth, "kek": BindingKeys(CRYPTO, BINDING).kek}
        for label in ("ndks header mac", "ndks header mask"):
            found[label] = derive(CRYPTO, SECRET, label, b"")
        for header, mode in [*self.sealed, *self.opened]:
            name = f"{header.lane} {header.number} "
            found[name + "mask"] = derive(CRYPTO, SECRET, "ndks capsule mask", header.clear)
            if mode == "b":
                found[name + "tag"] = derive(CRYPTO, SECRET, "ndks capsule auth", header.clear)
                found[name + "keystream"] = keystream(header)
        return found

    def given(self) -> dict[str, bytes]:
        """Return the secrets that the unit gives to the host."""
        found = {f"key {number}": key for number, key in enumerate(self.exported)}
        for header, _ in [*self.sealed, *self.opened]:
            name = f"{header.lane} {header.number} "
            found[name + "tag"] = derive(CRYPTO, SECRET, "ndks capsule auth", header.clear)
            found[name + "keystream"] = keystream(header)
        return found | {"text": TEXT[:64]}


def keystream(header: Header) -> bytes:
    """Return the first bytes of Z, or the AES key for cipher aes."""
    _, _, _, _, _, digits, _, _, p1, p2, *_ = membership()
    paper = Generator(p1, p2, digits).key(header.index).read(0, 256)
    xor_keystream(CRYPTO, derive(CRYPTO, SECRET, "ndks capsule mask", header.clear), 0, paper)
    return bytes(paper)


ACTS = st.tuples(
    st.sampled_from([Conversation.seal, Conversation.open, Conversation.pry, Conversation.others]),
    st.sampled_from([VERNAM, AES]),
    st.sampled_from("ab"),
    st.sampled_from([0, 5, 90, 1010, 1500]),
)


@settings(max_examples=40)
@given(acts=st.lists(ACTS, min_size=1, max_size=15))
def test_no_answer_holds_a_secret(acts: list[tuple[Any, ...]]) -> None:
    conversation = Conversation()
    for act, *values in acts:
        act(conversation, *values)
    heard, on_the_line = conversation.peer.heard, conversation.peer.on_the_line
    for name, secret in conversation.secrets().items():
        for start in range(len(secret) - PART + 1):
            assert secret[start : start + PART] not in heard, name
    for name, secret in (conversation.secrets() | conversation.given()).items():
        for start in range(len(secret) - PART + 1):
            assert secret[start : start + PART] not in on_the_line, name


def test_the_search_would_find_them() -> None:
    """The search finds the keys that a host gets in mode a."""
    conversation = Conversation()
    for cipher in (VERNAM, AES):
        conversation.seal(cipher, "a", 90)
        conversation.open(cipher, "a", 90)
    conversation.others(AES, "a", 90)
    heard = conversation.peer.heard
    assert conversation.exported
    assert all(key in heard for key in conversation.exported)
    for header, _ in [*conversation.sealed, *conversation.opened]:
        assert derive(CRYPTO, SECRET, "ndks capsule auth", header.clear) in heard
        assert keystream(header)[:PART] in heard
