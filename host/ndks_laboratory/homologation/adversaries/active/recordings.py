# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack with a recording of the cable and a copy of the unit's flash."""

from collections import Counter
from collections.abc import Sequence

from ndks_laboratory.homologation.system import ALICE, RecordedSession
from ndks_protocol.session import PUBLIC_KEY_SIZE

from .session_keys import key_pairs, opened, possible_keys
from .trial import ActiveAdversary, Trial

_RECORDED = 2  # sessions


class RecordingAndFlash(ActiveAdversary):
    """Records sessions of Alice's laptop, and seeks their keys in a copy of her unit's flash.

    Everything around the unit's mark in flash that could be a key is tried as A, and as an ephemeral key of either end.
    """

    withstood = "none of {tries} possible keys in flash opened a recorded session"

    def act(self, trial: Trial) -> str | None:
        with trial.system.cable() as cable:
            sessions = [cable.record_session() for _ in range(_RECORDED)]
        self._read(trial, sessions)
        mark = trial.system.marks()[ALICE]
        contents = [each for dump in trial.system.dumps() if dump.owner == ALICE for each in dump.content]
        tried = possible_keys(contents, mark)
        self._open(trial, sessions, tried)
        self._compare(trial, sessions)
        return None if tried else f"no current copy of the flash of {ALICE}"

    def _read(self, trial: Trial, sessions: Sequence[RecordedSession]) -> None:
        if any(session.key in answer.payload for session in sessions for answer in session.answers):
            trial.breaks.append("recording: a key passed in the clear")

    def _compare(self, trial: Trial, sessions: Sequence[RecordedSession]) -> None:
        shares = (share for session in sessions for share in (session.opening, session.opened))
        sent = Counter(share[:PUBLIC_KEY_SIZE] for share in shares)
        if any(count > 1 for public, count in sent.items() if public):
            trial.breaks.append("recording: an ephemeral key was used in two sessions")

    def _open(self, trial: Trial, sessions: Sequence[RecordedSession], tried: Sequence[bytes]) -> None:
        pairs = key_pairs(tried)
        for session in sessions:
            trial.tries += len(tried)
            if session.key in opened(session, tried, pairs):
                trial.breaks.append(
                    f"recording and flash: a key of {8 * len(session.key)} bits was read in a recorded session"
                )
