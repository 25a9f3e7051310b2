# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attacks with possession of a unit or a copy of its flash, but not of its laptop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ndks_laboratory.homologation.system import Dump, System

from .secret_search import found_in
from .trial import ActiveAdversary, Trial


class WrongLaptop(ActiveAdversary):
    """Plugs Bob's unit into laptops that it is not bound to."""

    withstood = "{tries} other laptops got no key: {refused}"

    def act(self, trial: Trial) -> None:
        for stranger in trial.system.strangers:
            key = trial.attempt(lambda stranger=stranger: trial.system.ask_as(stranger))
            if key is not None:
                trial.breaks.append(f"wrong laptop: {stranger} was given a key of {8 * len(key)} bits")


class UnitThief(ActiveAdversary):
    """Sends Bob's unit all requests without a session, and guesses the proof that opens one."""

    withstood = "none of {tries} requests and guesses revealed a secret: {refused}"

    def act(self, trial: Trial) -> None:
        secrets = trial.system.secrets()
        with trial.system.stolen() as unit:
            for request, answer in unit.public().items():
                trial.tries += 1
                trial.breaks += [f"stolen unit: {request} reveals {secret}" for secret in found_in([answer], secrets)]
            for request in unit.requests:
                answer = trial.attempt(lambda request=request: unit.ask(request))
                if answer is not None:
                    trial.breaks.append(f"stolen unit: it answered {request} without a session")
                    break  # the next requests might do harm
            for guess in unit.guesses:
                if trial.attempt(lambda guess=guess: unit.guess(guess) or b"") is not None:
                    trial.breaks.append(f"stolen unit: it accepted a guessed proof: {guess}")
                    break


class FlashDump(ActiveAdversary):
    """Searches copies of flash for pieces of secrets, as bytes and as text."""

    withstood = "none of {tries} secrets was found"

    def act(self, trial: Trial) -> str | None:
        dumps, marks, secrets = trial.system.dumps(), trial.system.marks(), trial.system.secrets()
        trial.tries += len(dumps) * len(secrets)
        trial.breaks += [f"{found} found" for found in _found(dumps, secrets)]
        others = _not_of(dumps, marks)
        return f"no current copy of the flash of {' and of '.join(others)}" if others else None


@dataclass(frozen=True)
class Remembered:
    """The content of two flashes while their units were members, to be searched for after the erasure."""

    system: System
    secrets: Mapping[str, bytes] = field(repr=False)
    marks: Mapping[str, bytes] = field(repr=False)
    was_shown: bool  # whether the files of flash were current at that time

    def left(self) -> list[str] | None:
        """Return the names of the secrets still in files of flash; None if that is unknown. Asks no unit."""
        dumps = self.system.dumps()
        found = _found(dumps, self.secrets)
        found += [
            f"flash of {owner}'s unit: its binding" for owner in self.marks if owner not in _not_of(dumps, self.marks)
        ]
        is_shown = self.was_shown and {dump.owner for dump in dumps} == set(self.marks)
        return found if found or is_shown else None


def remember(system: System) -> Remembered:
    """Return what must be gone after the erasure; called while the units are members."""
    marks = system.marks()
    return Remembered(system, system.secrets(), marks, not _not_of(system.dumps(), marks))


def _found(dumps: Sequence[Dump], secrets: Mapping[str, bytes]) -> list[str]:
    return [f"flash of {dump.owner}'s unit: {name}" for dump in dumps for name in found_in(dump.content, secrets)]


def _not_of(dumps: Sequence[Dump], marks: Mapping[str, bytes]) -> list[str]:
    """Return the owners without a flash copy that contains the mark of their unit."""
    marked = {dump.owner for dump in dumps if any(marks[dump.owner] in content for content in dump.content)}
    return [owner for owner in marks if owner not in marked]
