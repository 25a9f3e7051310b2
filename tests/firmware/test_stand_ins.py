# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The models are as strict as the board: they detect the errors that the firmware must handle."""

import pytest

from firmware.stand_ins import Chip, WatchdogReset, aes
from firmware.stand_ins.clock import Clock, WatchDogMode
from firmware.stand_ins.flash import Nvm
from firmware.stand_ins.port import FIFO, PACKET, DataPort
from ndks_emulator import Power
from ndks_emulator.sector import Sector


def test_a_watchdog_that_is_not_fed_resets_the_chip() -> None:
    clock = Clock()
    clock.watchdog.timeout = 8
    clock.watchdog.mode = WatchDogMode.RESET
    clock.advance(8000)
    clock.watchdog.feed()
    clock.advance(8000)
    with pytest.raises(WatchdogReset):
        clock.advance(1)
    with pytest.raises(ValueError, match="timeout"):
        clock.watchdog.timeout = 9
    with pytest.raises(NotImplementedError):
        clock.watchdog.mode = WatchDogMode.RAISE


def test_nvm_erases_all_of_itself_for_bytes_that_are_not_blank() -> None:
    sector = Sector(Power())
    nvm = Nvm(sector)
    nvm[0:2] = b"ab"
    nvm[4000:4001] = b"c"
    assert sector.erases == 0
    nvm[1:3] = b"bd"
    assert (nvm[0:3], nvm[4000:4001], sector.erases) == (b"abd", b"c", 1)
    with pytest.raises(ValueError, match="lengths"):
        nvm[0:2] = b"abc"


def test_the_port_takes_what_fits_and_overwrites_when_nobody_is_there() -> None:
    port = DataPort(lambda: None)
    port.write_timeout = 0
    port.host_is_there = True
    assert [port.write(bytes(1000)), port.write(bytes(1000)), port.write(bytes(1000))] == [FIFO, PACKET, 0]
    port.reset_output_buffer()
    assert (port.out_waiting, port.give_to_host(1000)) == (0, bytes(PACKET))
    port.host_is_there = False
    assert [port.write(bytes(1000)), port.write(bytes(1000))] == [FIFO, FIFO]


def test_counter_mode_throws_the_rest_of_a_block_away() -> None:
    whole, parts = bytearray(32), bytearray(20)
    aes.AES(bytes(32), aes.MODE_CTR, IV=bytes(16)).encrypt_into(whole, whole)
    begun = aes.AES(bytes(32), aes.MODE_CTR, IV=bytes(16))
    for start in (0, 10):
        part = parts[start : start + 10]
        begun.encrypt_into(part, part)
        parts[start : start + 10] = part
    assert parts == whole[:10] + whole[16:26]


def test_usb_devices_are_chosen_before_usb_starts(chip: Chip) -> None:
    with pytest.raises(RuntimeError, match="Cannot change USB devices now"):
        chip.usb.choose(drive=True)
