# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attacks on the cable between a laptop and its unit."""

from ndks_laboratory.homologation.system import TO_LAPTOP, TO_UNIT, TappedCable

from .trial import ActiveAdversary, Trial

_ASKED = 8  # exchanges with the same request
_PIECE = 8  # bytes of the key that must not appear on the cable
_EQUAL_SHARE = 4  # two frames are alike if 1 in 4 bytes is equal; by chance 1 in 256 is, in frames of 32 bytes and more
_REPLAYED_AFTER = 3  # exchanges, so that an older request is replayed as well


class CableReplay(ActiveAdversary):
    """Replays one frame or a whole session of the laptop, and alters frames."""

    withstood = "none of {tries} replayed or altered frames was accepted: {refused}"

    def act(self, trial: Trial) -> None:
        with trial.system.cable() as cable:
            for first in (True, False):
                exchanges = [cable.ask() for _ in range(_REPLAYED_AFTER)]
                frame = exchanges[0 if first else -1].frame
                if trial.attempt(lambda frame=frame: cable.send(frame)) is not None:
                    trial.breaks.append("replay on the cable: the unit answered a replayed request")
            if trial.attempt(cable.replay_session) is not None:
                trial.breaks.append("replay on the cable: the unit answered a replayed session without its laptop")
            for direction in (TO_UNIT, TO_LAPTOP):
                if trial.attempt(lambda direction=direction: cable.ask_altered(direction)) is not None:
                    trial.breaks.append(f"alteration on the cable: a frame {direction} was accepted with a flipped bit")


class EqualFrames(ActiveAdversary):
    """Repeats one request, compares the frames, and searches them for the key."""

    withstood = "{tries} equal requests; no two frames were alike, and none contained the key"

    def act(self, trial: Trial) -> None:
        with trial.system.cable() as cable:
            self._compare(trial, cable)

    def _compare(self, trial: Trial, cable: TappedCable) -> None:
        exchanges = [cable.ask() for _ in range(_ASKED)]
        for number, exchange in enumerate(exchanges):
            trial.tries += 1
            key = exchange.key
            pieces = {key[start : start + _PIECE] for start in range(0, len(key) - _PIECE + 1, _PIECE)}
            if any(piece in exchange.answer for piece in pieces):
                trial.breaks.append("cable: the key passed in the clear")
            for other in exchanges[:number]:
                if _are_alike(exchange.request, other.request) or _are_alike(exchange.answer, other.answer):
                    trial.breaks.append("cable: equal requests, or their answers, look alike")


def _are_alike(one: bytes, other: bytes) -> bool:
    equal = sum(a == b for a, b in zip(one, other, strict=False))
    return equal * _EQUAL_SHARE > min(len(one), len(other))
