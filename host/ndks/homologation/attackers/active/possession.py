# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attackers who have a unit, or a copy of its flash, and not its laptop."""

from .search import found_in
from .trial import ActiveAttacker, Trial


class WrongLaptop(ActiveAttacker):
    """Plugs Bob's unit into other laptops."""

    withstood = "{tries} other laptops got no key: {refused}"

    def act(self, trial: Trial) -> None:
        for stranger in trial.system.strangers:
            key = trial.attempt(lambda stranger=stranger: trial.system.ask_as(stranger))
            if key is not None:
                trial.breaks.append(f"wrong laptop: {stranger} was given a key of {8 * len(key)} bits")


class StolenUnit(ActiveAttacker):
    """Asks Bob's unit for everything without a session, and guesses the proof that would begin one."""

    withstood = "of {tries} requests and guesses none told a secret: {refused}"

    def act(self, trial: Trial) -> None:
        secrets = trial.system.secrets()
        with trial.system.stolen() as unit:
            for request, answer in unit.public().items():
                trial.tries += 1
                trial.breaks += [f"stolen unit: {request} tells {secret}" for secret in found_in([answer], secrets)]
            for request in unit.requests:
                answer = trial.attempt(lambda request=request: unit.ask(request))
                if answer is not None:
                    trial.breaks.append(f"stolen unit: it answered {request} without a session")
                    break  # the next ones might do harm
            for guess in unit.guesses:
                if trial.attempt(lambda guess=guess: unit.guess(guess) or b"") is not None:
                    trial.breaks.append(f"stolen unit: it took a proof that was guessed: {guess}")
                    break


class FlashDump(ActiveAttacker):
    """Searches copies of flash for secrets, in pieces, as bytes and as text."""

    withstood = "none of {tries} secrets was found"

    def act(self, trial: Trial) -> str | None:
        dumps = trial.system.dumps()
        if not dumps:
            return "there is no copy of a flash"
        secrets = trial.system.secrets()
        for dump in dumps:
            trial.tries += len(secrets)
            trial.breaks += [f"flash of {dump.owner}'s unit: {name} found" for name in found_in(dump.content, secrets)]
        return None
