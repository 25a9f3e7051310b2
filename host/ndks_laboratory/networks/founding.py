# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The administrator's desk: a network that names an authority, and what makes a laptop's unit a member."""

import shutil
import subprocess
from pathlib import Path

from ndks.exceptions import CheckFailed, NdksError
from ndks.network.agreement import NAMESPACE

from .laptop import Laptop

_WHO = "--who", "Carol Chief", "--why", "a desk of hers"


class NoSigner(NdksError):
    code = "NO_SSH_KEYGEN"
    usual_advice = "sudo apt-get install openssh-client"


class Desk:
    """The administrator's file, on a laptop that has no unit, and the authority's key, on no laptop. NoSigner."""

    def __init__(self, directory: Path) -> None:
        if not shutil.which("ssh-keygen"):
            raise NoSigner("there is no ssh-keygen on this computer, by which the authority signs")
        self._laptop = Laptop("administrator", directory / "administrator")
        self._key = directory / "chief"
        self.file = directory / "office.ndksadmin"

    def found(self) -> None:
        self._sign("-t", "ed25519", "-N", "", "-f", self._key)
        authority = "--authority", f"{self._key}.pub"
        self._laptop.type("network", "new", "office", "--administered", *authority, "-o", self.file)

    def change(self, verb: str, *words: object) -> int:
        """Change the file by a command of `ndks network`, and return the generation that begins."""
        return self._laptop.type("network", verb, self.file, *words, "--yes")["generation"]

    def admit(self, laptop: Laptop, *, tries_without: bool = False) -> bool:
        """Admit the unit of a laptop by request, signature and package.

        Return whether that was refused without the signature, if it `tries_without`.
        """
        request, package, agreement = (laptop.directory / name for name in ("request", "package", "agreement.json"))
        asked = laptop.type("join", "request", "--label", laptop.name, "-o", request, "--unit", laptop.port)
        self._laptop.type("join", "inspect", request, "--network", self.file, *_WHO, "-o", agreement)
        approve = "join", "approve", request, "--network", self.file, "-o", package, "--words", asked["words"], "--yes"
        refused = self._laptop.refusal(*approve, *_WHO) if tries_without else ""
        self._sign("-Y", "sign", "-n", NAMESPACE, "-f", self._key, agreement)
        signed = "--agreement", agreement, "--signature", f"{agreement}.sig"
        words = self._laptop.type(*approve, *signed)["words"]
        joined = laptop.type("join", "accept", package, "--words", words, "--yes", "--unit", laptop.port)
        laptop.serial_number, laptop.lane = joined["serial_number"], joined["lane"]
        return refused == "CHECK_FAILED"

    @staticmethod
    def _sign(*words: object) -> None:
        finished = subprocess.run(
            ["ssh-keygen", "-q", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if finished.returncode:
            raise CheckFailed(f"ssh-keygen failed: {finished.stderr.decode(errors='replace').strip()}")
