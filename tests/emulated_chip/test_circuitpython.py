# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""CircuitPython from an image, with an empty drive, which it formats; a prompt on its console."""

import os
import re

import pytest
from emulated_chip.chips import UID, run_until
from emulated_chip.thumb import flash_with

from ndks_chip import Chip, read_uf2

pytestmark = pytest.mark.chip
NVM, NVM_SIZE, DRIVE = 0xFF000, 0x1000, 0x100000
WATCHDOG = "from microcontroller import watchdog as w; from watchdog import WatchDogMode"
PROMPT = b"\r\n>>> "


class Prompt:
    """A chip with CircuitPython at its prompt."""

    def __init__(self, flash: bytearray) -> None:
        self.changes: list[tuple[int, int]] = []
        self.chip = Chip(flash, uid=UID, on_flash=lambda *change: self.changes.append(change))
        self.output = bytearray()
        self.chip.console.on_data = self.output.extend
        self.wait_for_prompt()

    def wait_for_prompt(self) -> None:
        run_until(self.chip, lambda: self.chip.console.is_ready, 10_000)
        run_until(self.chip, lambda: b"Press any key" in self.output, 10_000)
        self.type(b"\x03\r")

    def type(self, text: bytes) -> str:
        """Type text, and return what follows until the next prompt."""
        self.output.clear()
        self.chip.console.write(text)
        run_until(self.chip, lambda: bytes(self.output).endswith(PROMPT), 20_000)
        return bytes(self.output[: -len(PROMPT)]).decode()

    def evaluate(self, expression: str) -> str:
        return self.type(f"{expression}\r".encode()).partition("\r\n")[2]


@pytest.fixture(scope="module")
def image() -> bytes:
    return read_uf2(os.environ["NDKS_UF2"])


@pytest.fixture(scope="module")
def prompt(image: bytes) -> Prompt:
    return Prompt(flash_with(image))


def test_it_starts_and_formats_its_drive(prompt: Prompt) -> None:
    assert any(at >= DRIVE for at, _ in prompt.changes)
    assert all(at >= NVM for at, _ in prompt.changes)
    assert "code.py" in prompt.evaluate("import os; os.listdir('/')")
    assert prompt.chip.data.is_ready is False


def test_uid_and_version(prompt: Prompt) -> None:
    assert prompt.evaluate("import microcontroller as m; bytes(m.cpu.uid)") == repr(UID)
    assert prompt.evaluate("m.cpu.frequency") == "125000000"
    assert prompt.evaluate("m.cpu.reset_reason").endswith("POWER_ON")


def test_arithmetic(prompt: Prompt) -> None:
    """Divisions of all kinds, by the hardware's divider and in software, while ticks interrupt."""
    prompt.type(b"def f():\r s = 0\r for i in range(1, 20000): s += 123456789 // i + 987654321 % i\r return s\r\r\r")
    assert int(prompt.evaluate("f()")) == sum(123456789 // i + 987654321 % i for i in range(1, 20000))
    assert prompt.evaluate("7**300 % 10**40") == str(7**300 % 10**40)


def test_random_bytes_differ(prompt: Prompt) -> None:
    prompt.evaluate("import os")
    assert prompt.evaluate("os.urandom(16)") != prompt.evaluate("os.urandom(16)")


def test_time_is_virtual(prompt: Prompt) -> None:
    took = prompt.evaluate("import time; t = time.monotonic_ns(); time.sleep(5); time.monotonic_ns() - t")
    assert 5.0e9 < int(took) < 5.1e9


def test_nvm_is_in_flash_and_outlives_the_power(prompt: Prompt, image: bytes) -> None:
    prompt.changes.clear()
    prompt.evaluate("import microcontroller as m; m.nvm[5:8] = b'abc'")
    assert {at // NVM_SIZE * NVM_SIZE for at, _ in prompt.changes} == {NVM}
    flash = bytearray(prompt.chip.read(0x10000000, 2 << 20))
    assert flash[NVM + 5 : NVM + 8] == b"abc"
    other = Prompt(flash)
    assert other.evaluate("import microcontroller as m; m.nvm[5:8]") == "bytearray(b'abc')"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("import microcontroller as m; m.reset()", "SOFTWARE"),
        (f"{WATCHDOG}; w.timeout = 1; w.mode = WatchDogMode.RESET", "WATCHDOG"),
    ],
)
def test_resets(prompt: Prompt, how: str, reason: str) -> None:
    before = prompt.chip.resets
    prompt.chip.console.write(f"{how}\r".encode())
    run_until(prompt.chip, lambda: prompt.chip.resets > before, 5000)
    prompt.output.clear()
    prompt.wait_for_prompt()
    assert prompt.evaluate("import microcontroller as m; m.cpu.reset_reason").endswith(reason)
    prompt.chip.run(3e9)
    assert prompt.chip.resets == before + 1


def test_a_prompt_survives_many_kinds_of_packets(prompt: Prompt) -> None:
    """Sizes around the packet's 64 bytes."""
    for size in (1, 62, 63, 64, 65, 127, 128, 129, 200):
        assert prompt.evaluate(f"len('{'x' * size}')") == str(size)
        assert re.fullmatch(f"'x{{{size}}}'", prompt.evaluate(f"'x' * {size}"))


def test_closing_at_1200_baud_starts_the_boot_loader(image: bytes) -> None:
    chip = Prompt(flash_with(image)).chip
    chip.console.set_baud(1200)
    chip.console.set_dtr(False)
    run_until(chip, lambda: chip.is_in_boot_rom, 5000)
    chip.console.set_baud(115200)
    chip.console.set_dtr(True)
    chip.reset()
    run_until(chip, lambda: chip.console.is_ready, 10_000)
    assert not chip.is_in_boot_rom


def test_the_reset_button_in_the_middle_of_everything(image: bytes) -> None:
    """50 resets, at times that no program chose."""
    chip = Chip(flash_with(image), uid=UID)
    for i in range(50):
        chip.run(7_919_113 * (i + 1))
        chip.reset()
    run_until(chip, lambda: chip.console.is_ready, 10_000)
