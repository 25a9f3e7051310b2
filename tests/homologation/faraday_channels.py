# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files of simulated devices, and what was found of channels in short."""

from ndks_laboratory.faraday import LaptopChannel


def only(channels: list[LaptopChannel]) -> LaptopChannel:
    (channel,) = channels
    return channel


def states(channels: list[LaptopChannel]) -> list[tuple[str, str, bool | None]]:
    return [(channel.kind, channel.name, channel.is_open) for channel in channels]


def rfkill(kind: str, name: str, soft: str, hard: str, number: int = 0) -> dict[str, str]:
    values = {"type": kind, "name": name, "soft": soft, "hard": hard}
    return {f"sys/class/rfkill/rfkill{number}/{key}": value for key, value in values.items()}


def usb(code: str, name: str = "1-2:1.0", **more: str) -> dict[str, str]:
    """Return an interface of a USB device: class, subclass and protocol, two hexadecimal digits each."""
    folder = f"sys/bus/usb/devices/{name}"
    files = {f"{folder}/bInterface{part}": code[2 * i : 2 * i + 2] for i, part in enumerate(("Class", "SubClass"))}
    files[f"{folder}/bInterfaceProtocol"] = code[4:]
    return files | {f"{folder}/{path}": text for path, text in more.items()}
