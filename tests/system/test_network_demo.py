# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The life of a network as `make network-demo` shows it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from ndks.exceptions import CheckFailed
from ndks_laboratory.networks import __main__ as demo
from ndks_laboratory.networks import broker, laptop
from ndks_laboratory.networks.channels import ByFolders
from ndks_laboratory.networks.scene import Scene
from ndks_laboratory.networks.story import Story

PAGE = Path(__file__).parents[2] / "docs" / "network.md"
pytestmark = pytest.mark.skipif(
    not hasattr(os, "openpty") or not shutil.which("ssh-keygen"), reason="needs pseudo-terminals and ssh-keygen"
)


def test_the_story_holds_over_each_carrier() -> None:
    """Over a broker only where there is one."""
    carriers = [] if broker.find_program() else ["--carrier", "dir"]
    command = [sys.executable, "-m", "ndks_laboratory.networks", *carriers]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=590, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "verdict: HELD" in finished.stdout
    held = r"^held +" if carriers else r"^held +held +"
    shown = re.findall(rf"{held}(.*)$", finished.stdout, re.MULTILINE)
    assert shown == re.findall(r"^held +held +(.*)$", PAGE.read_text(), re.MULTILINE)


def test_no_broker_is_a_named_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert demo.main(["--carrier", "mqtt"]) == 1
    assert "ndks: NO_BROKER: " in (told := capsys.readouterr().err)
    assert "--carrier dir" in told
    assert demo.main(["--carrier", "dir"]) == 1
    assert "ndks: NO_SSH_KEYGEN: " in capsys.readouterr().err


@pytest.mark.skipif(not broker.find_program(), reason="Mosquitto is not installed")
def test_nobody_gets_the_port_of_a_broker_that_is_stopped(tmp_path: Path) -> None:
    mosquitto = broker.Broker(tmp_path)
    for _ in range(2):
        mosquitto.start()
        mosquitto.stop()
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert mosquitto.port < int(first)  # from which the system takes ports for those who ask for any


def test_after_a_step_that_failed_the_rest_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise CheckFailed("waited in vain")

    told: list[str] = []
    monkeypatch.setattr(Story, "_found", fail)
    checks = Story(Scene(tmp_path, ByFolders(tmp_path / "folders")), told.append).run()
    assert [check.outcome.word for check in checks] == ["failed"] + ["not shown"] * (len(checks) - 1)
    assert checks[0].outcome.reason == "waited in vain"
    assert len(told) == len(checks)


def test_what_never_comes_about_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laptop.times, "NETWORK", 0.05)
    with pytest.raises(CheckFailed, match="waited in vain until one leads"):
        laptop.wait_until(lambda: False, "one leads")


class Relay:
    """Laptops as `let_lead` uses them; 8 leads. If 4 led as well when it sent, it hears 8, which has a higher rank."""

    serial_number = ""
    leader = 8

    def __init__(self, lane: int, sends_until_it_leads: int = 0) -> None:
        self.name, self.lane = str(lane), lane
        self._left = sends_until_it_leads

    def type(self, *words: object) -> None:
        pass

    def send(self, text: str) -> None:
        self._left -= 1
        if not self._left:
            Relay.leader = self.lane

    @property
    def place(self) -> tuple[int, int, int]:
        return 0, 0, Relay.leader


@pytest.mark.parametrize("sends", [1, 2, 1000])
def test_a_relay_that_was_master_when_it_sent_sends_again(
    sends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laptop.times, "NETWORK", 1.0)
    monkeypatch.setattr(Relay, "leader", 8)
    scene = Scene(tmp_path, ByFolders(tmp_path / "folders"))
    scene.members = [cast(laptop.Laptop, Relay(lane, sends)) for lane in (4, 8)]
    if sends == 1000:
        with pytest.raises(CheckFailed, match="4 does not lead"):
            scene.let_lead(scene.members[0])
    else:
        scene.let_lead(scene.members[0])
    assert Relay.leader == (8 if sends == 1000 else 4)
