# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Adversaries on the cable between a laptop and its unit."""

from ndks_laboratory.homologation.system import TO_LAPTOP, TO_UNIT, TappedCable

from .trial import ActiveAdversary, Trial

_ASKED = 8  # exchanges with the same request
_PIECE = 8  # bytes of the key that must not be on the cable
_EQUAL_SHARE = 4  # of equal bytes in two frames: 1 of 256 by chance, and 1 of 4 never, in frames of 32 bytes and more
_REPLAYED_AFTER = 3  # exchanges: the replayed request is not the last one


class CableReplay(ActiveAdversary):
    """Sends frames again that the laptop has sent, alone and all of a session; alters frames on their way."""

    withstood = "of {tries} frames that were recorded or altered none was taken: {refused}"

    def act(self, trial: Trial) -> None:
        with trial.system.cable() as cable:
            for first in (True, False):
                exchanges = [cable.ask() for _ in range(_REPLAYED_AFTER)]
                frame = exchanges[0 if first else -1].frame
                if trial.attempt(lambda frame=frame: cable.send(frame)) is not None:
                    trial.breaks.append("replay on the cable: the unit answered a request that was recorded")
            if trial.attempt(cable.replay_session) is not None:
                trial.breaks.append("replay on the cable: the unit answered a recorded session without its laptop")
            for direction in (TO_UNIT, TO_LAPTOP):
                if trial.attempt(lambda direction=direction: cable.ask_altered(direction)) is not None:
                    trial.breaks.append(f"alteration on the cable: a frame {direction} was taken with a bit changed")


class EqualFrames(ActiveAdversary):
    """Compares what passes when the same is asked for again and again, and looks for the key in it."""

    withstood = "{tries} times the same was asked for; no frame was like another, none showed the key"

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
                    trial.breaks.append("cable: the same request looks the same, or its answer does")


def _are_alike(one: bytes, other: bytes) -> bool:
    equal = sum(a == b for a, b in zip(one, other, strict=False))
    return equal * _EQUAL_SHARE > min(len(one), len(other))
