# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of an RP2040 with CircuitPython that runs boot.py and code.py unmodified."""

import gc
import hashlib
import importlib
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import ndks_unit.fast_bits.lane_bits
import ndks_unit.fast_bits.packing  # noqa: F401 (both before there is a ulab: they would take it, and keep it)
from ndks_emulator import Power
from ndks_emulator.sector import Sector

from . import aes
from .clock import Clock, WatchDogMode
from .drive import Drive
from .flash import Nvm
from .host import Host, Script, ScriptEnd
from .pins import DigitalInOut, Pin, Pull

CIRCUITPY = Path(__file__).parents[3] / "firmware" / "circuitpy"
UID = bytes.fromhex("e66118604b2f5a21")
FREE_MEMORY = 61_234
BOARD_FILE = "ndks_unit.rp2040"
UNLINKING = "ndks_unit.on_demand.unlinking"  # not here: it would take the PC's packages apart, too


class UsbDevices:
    """The USB configuration that boot.py makes."""

    def __init__(self) -> None:
        self.manufacturer, self.product = "Raspberry Pi", "Pico"
        self.console, self.data, self.drive, self.hid, self.midi = True, False, True, True, True
        self.has_started = False

    def choose(self, **devices: bool) -> None:
        if self.has_started:
            raise RuntimeError("Cannot change USB devices now")
        vars(self).update(devices)

    def name(self, manufacturer: str, product: str) -> None:
        assert not self.has_started, "without effect after boot.py"
        if max(len(manufacturer), len(product)) > 126 or not (manufacturer + product).isascii():
            raise ValueError("at most 126 ASCII characters")
        self.manufacturer, self.product = manufacturer, product


class Chip:
    """A chip. `boot` resets everything except flash and drive."""

    def __init__(self, directory: Path) -> None:
        self.sector = Sector(Power())
        self.drive = Drive(directory)
        self.jumper = Pin()
        self.case = Pin()  # grounded while the case is open; with NDKS_CASE_LOOP in the settings, while it is closed
        self.settings: dict[str, Any] = {}  # content of settings.toml
        self.power_on()

    def power_on(self) -> None:
        self.usb = UsbDevices()
        self.clock = Clock()
        self.led = Pin()
        self.jumper.in_use = self.case.in_use = False
        self.drive.readonly = True
        self.runtime = SimpleNamespace(autoreload=True, safe_mode_reason=None)
        self.reset_reason = "POWER_ON"
        self.resets = 0  # number of resets by code

    def boot(self) -> None:
        """Switch the power off and on, and run boot.py, which must not open a file."""
        self.power_on()
        with _in_place_of(self._modules(port=None)):
            runpy.run_path(str(CIRCUITPY / "boot.py"), {"open": _refuse_to_open})
        self.usb.has_started = True
        self.drive.readonly = self.usb.drive

    def enter_safe_mode(self, reason: str) -> None:
        """Run safemode.py, as CircuitPython does in place of boot.py and code.py."""
        self.power_on()
        self.runtime.safe_mode_reason = f"supervisor.SafeModeReason.{reason}"
        with _in_place_of(self._modules(port=None) | {"time": self.clock.module}):
            runpy.run_path(str(CIRCUITPY / "safemode.py"), {"open": _refuse_to_open})

    def run(self, script: Callable[[Host], Script]) -> Host:
        """Run code.py, with this script as its host, until the script ends."""
        host = Host(self.clock)
        host.follow(script(host))
        with _in_place_of(self._modules(host.port if self.usb.data else None)):
            self._load_board_file()
            try:
                runpy.run_path(str(CIRCUITPY / "code.py"))
            except ScriptEnd:
                return host
            except BaseException as error:
                self.clock.watchdog.vm_ends(error)
                raise
        raise AssertionError("code.py must never end by itself")

    def _load_board_file(self) -> None:
        """Import rp2040.py again, with this drive in place of the PC's files."""
        sys.modules.pop(BOARD_FILE, None)
        module: Any = importlib.import_module(BOARD_FILE)
        module.open = self.drive.open
        module.os = SimpleNamespace(
            stat=self.drive.stat, sync=self.drive.sync, urandom=os.urandom, getenv=self.settings.get
        )
        module.gc = SimpleNamespace(collect=gc.collect, mem_free=lambda: FREE_MEMORY)
        module.hashlib = SimpleNamespace(new=_new_hash)

    def _count_reset(self) -> None:
        self.resets += 1

    def _modules(self, port: object) -> dict[str, Any]:
        usb = self.usb
        return {
            "aesio": aes,
            "board": SimpleNamespace(GP2=self.jumper, GP3=self.case, LED=self.led),
            "digitalio": SimpleNamespace(DigitalInOut=DigitalInOut, Pull=Pull),
            "microcontroller": SimpleNamespace(
                cpu=SimpleNamespace(
                    uid=bytearray(UID), reset_reason=f"microcontroller.ResetReason.{self.reset_reason}"
                ),
                nvm=Nvm(self.sector),
                watchdog=self.clock.watchdog,
                reset=self._count_reset,
            ),
            "storage": SimpleNamespace(
                disable_usb_drive=lambda: usb.choose(drive=False), getmount={"/": self.drive}.__getitem__
            ),
            "supervisor": SimpleNamespace(
                runtime=self.runtime,
                set_usb_identification=usb.name,
                ticks_ms=self.clock.ticks_ms,
                SafeModeReason=SimpleNamespace(USER="supervisor.SafeModeReason.USER"),
            ),
            "ulab": SimpleNamespace(
                numpy=SimpleNamespace(uint8=np.uint8, frombuffer=np.frombuffer, bitwise_xor=np.bitwise_xor)
            ),
            "usb_cdc": SimpleNamespace(
                data=port, enable=lambda *, console=True, data=False: usb.choose(console=console, data=data)
            ),
            "usb_hid": SimpleNamespace(disable=lambda: usb.choose(hid=False)),
            "usb_midi": SimpleNamespace(disable=lambda: usb.choose(midi=False)),
            "watchdog": SimpleNamespace(WatchDogMode=WatchDogMode),
            UNLINKING: SimpleNamespace(unlink_modules=lambda: None),
        }


@contextmanager
def _in_place_of(modules: dict[str, Any]) -> Iterator[None]:
    before = {name: sys.modules.get(name) for name in (*modules, BOARD_FILE)}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def _refuse_to_open(*_: object) -> None:
    raise AssertionError("boot.py must not open files: unplugging now would damage them")


def _new_hash(name: str) -> "hashlib._Hash":
    if name not in ("sha256", "sha1"):
        raise ValueError("Unsupported hash algorithm")
    return hashlib.new(name)
