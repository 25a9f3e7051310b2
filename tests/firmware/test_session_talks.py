# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Random conversations with a unit, and a model of its authentication."""

from hosts.memory import Host
from hosts.sessions import ReferenceSession
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware.sessions import LONGEST_DELAY, WRONG_KEK, WRONG_PROOF, assert_ended
from ndks_protocol import commands, errors


class Talks(RuleBasedStateMachine):
    """A random conversation. `stage` is the model: the expected state of the authentication."""

    def __init__(self) -> None:
        super().__init__()
        self.laptop = Host(keeps=ReferenceSession, opens=False)
        self.laptop.provision()
        self.laptop.session = self.laptop.channel = None  # that of the blank unit has ended
        self.stage = "none"  # then opened, proved, unlocked
        self.wrong = 0
        self.next_index = 1
        self.last_frame: tuple[int, int, bytes] | None = None

    @rule()
    def hello(self) -> None:
        self.laptop.hello()
        self.stage = "none"

    @rule()
    def wait(self) -> None:
        self.laptop.unit.clock.milliseconds += LONGEST_DELAY

    @rule()
    def begin(self) -> None:
        if self.wrong:
            self.wait()
        self.laptop.begin()
        self.stage = "opened"

    @rule(right=st.booleans())
    def prove(self, right: bool) -> None:
        laptop = self.laptop
        proof = laptop.session.host_proof if right and laptop.session else WRONG_PROOF
        code = laptop.code(commands.PROVE, proof)
        if self.stage != "opened":
            assert code == errors.CONFLICT
        elif right:
            assert code == 0
            laptop.channel = laptop.session
            self.stage, self.wrong = "proved", 0
        else:
            assert code == errors.LOCKED
            self.stage = "none"
            self.wrong += 1

    @rule(right=st.booleans())
    def unlock(self, right: bool) -> None:
        laptop = self.laptop
        kek = laptop.session.kek if right and laptop.session else WRONG_KEK
        code = laptop.code(commands.UNLOCK, kek, 0, 0)
        if self.stage not in ("proved", "unlocked"):
            assert code == errors.LOCKED
        else:
            assert code == (0 if right else errors.KEK)
            self.stage = "unlocked" if right else "proved"

    @rule(right=st.booleans())
    def do_all(self, right: bool) -> None:
        self.begin()
        self.prove(right=True)
        self.unlock(right=right)

    @rule()
    def acknowledge(self) -> None:
        code = self.laptop.code(commands.ACKNOWLEDGE, 0, self.next_index, 0)
        assert code == (0 if self.stage == "unlocked" else errors.LOCKED)
        self.next_index += code == 0

    @rule()
    def seal(self) -> None:
        code = self.laptop.code(commands.SEAL_BEGIN, self.next_index.to_bytes(8), 1, 0, bytes(8))
        assert code == (0 if self.stage == "unlocked" else errors.LOCKED)

    @rule(unplug=st.integers(0, 1))
    def close(self, unplug: int) -> None:
        assert self.laptop.ask(commands.CLOSE, unplug) == ()
        self.laptop.session = self.laptop.channel = None
        self.stage = "none"

    @rule()
    def disconnect(self) -> None:
        self.laptop.disconnect()
        self.stage = "none"

    @rule()
    def restart(self) -> None:
        self.laptop.restart()
        self.stage = "none"

    @rule(body=st.binary(max_size=60), kind=st.sampled_from([0, *list(commands.TABLE)[1:], 0x7E, 0xFF]))
    def say_something(self, kind: int, body: bytes) -> None:
        """Send a short frame in the clear that is neither a proof nor an erasure."""
        if kind == commands.PROVE.code and len(body) == 16:
            return
        if kind == commands.OPEN_SESSION.code and len(body) == 48:
            return
        if kind in (commands.ZEROIZE.code, commands.CLOSE.code) and len(body) in (1, 16):
            return
        frame = self.laptop.send_frame(kind, 77, body)
        if self.laptop.channel:
            assert_ended(self.laptop, frame)
            self.laptop.session = None
            self.stage = "none"

    @rule(alter=st.integers(0, 2000) | st.none())
    def replay(self, alter: int | None) -> None:
        """Repeat a frame of this session, or alter one."""
        laptop = self.laptop
        if not laptop.channel:
            return
        request_id, payload = laptop.request_id, laptop.secured(commands.STATUS, b"")
        if alter is None:
            frame = laptop.send(commands.STATUS, payload)
            assert laptop.channel.opened(frame.kind, frame.request_id, bytes(frame.payload)) is not None
        else:
            payload = (int.from_bytes(payload) ^ 1 << alter % (8 * len(payload))).to_bytes(len(payload))
        assert_ended(laptop, laptop.send_frame(commands.STATUS.code, request_id, payload))
        laptop.session = None
        self.stage = "none"

    @invariant()
    def the_unit_agrees(self) -> None:
        status = self.laptop.status()
        expected = commands.STATE_PROVISIONED if self.stage == "unlocked" else commands.STATE_LOCKED
        assert (status["state"], status["wrong_attempts"]) == (expected, self.wrong)
        assert (status["network"] == "test") is (self.stage == "unlocked")
        if self.stage == "unlocked":
            assert self.laptop.ask(commands.NEXT_INDEX) == (0, self.next_index)


Talks.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestTalks = Talks.TestCase
