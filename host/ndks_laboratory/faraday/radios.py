# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Wi-Fi, Bluetooth and other transmitters, and the rfkill switches of Linux that block them.

rfkill and Bluetooth ignore network namespaces: a transmitting radio is a channel inside a cage as well.
"""

import re
from dataclasses import dataclass

from ndks.paths import real_path

from .channel import LaptopChannel
from .computer import Computer, read

_KINDS = {"wlan": "Wi-Fi", "bluetooth": "Bluetooth", "wwan": "cellular", "ultrawideband": "ultra-wideband"}
_BLOCK = "sudo rfkill block all"
_CONTROLLER = re.compile(r"hci\d+")  # not its connections, hci0:1 and so on
_MODEM = re.compile(r"wwan\d+")  # not its ports, wwan0at0 and so on
NO_SWITCH = "no rfkill switch reports whether it transmits"
_REMOVE = "switch it off in the firmware's setup, or remove it"


@dataclass(frozen=True)
class _Switch:
    kind: str
    names: frozenset[str]  # of the switch, and of the device that it blocks
    channel: LaptopChannel


def radios(computer: Computer) -> list[LaptopChannel]:
    """Return all transmitters, and the switches that block several."""
    if not computer.has_sysfs:
        state = "this system does not report whether there is one"
        return [LaptopChannel("radio", "of any kind", state, None, "switch Wi-Fi, Bluetooth and modem off")]
    switches = _switches(computer)
    blocked = {name for switch in switches for name in switch.names}
    unblocked = [channel for channel in _controllers(computer) if channel.name not in blocked]
    return [*(switch.channel for switch in switches), *unblocked, *_modems(computer)]


def modem(computer: Computer, name: str) -> LaptopChannel:
    """Return a cellular modem, which is closed if there are switches for modems and all of them block."""
    states = [switch.channel.is_open for switch in _switches(computer) if switch.kind == "wwan"]
    if states and not any(state is not False for state in states):
        return LaptopChannel("cellular", name, "blocked", False)
    return LaptopChannel("cellular", name, "not blocked" if states else NO_SWITCH, True if states else None, _REMOVE)


def _switches(computer: Computer) -> list[_Switch]:
    found: list[_Switch] = []
    for folder in computer.children("sys/class/rfkill"):
        kind, name = read(folder / "type"), read(folder / "name") or folder.name
        answers = {which: read(folder / which) for which in ("hard", "soft")}
        blocking = [which for which, answer in answers.items() if answer == "1"]
        if blocking:
            state, is_open = f"blocked ({', '.join(blocking)})", False
        else:
            known = set(answers.values()) == {"0"}
            state, is_open = ("not blocked", True) if known else ("its rfkill switch does not answer", None)
        advice = "" if is_open is False else _BLOCK
        names = frozenset({name, real_path(folder / "device").name})
        found.append(
            _Switch(kind, names, LaptopChannel(_KINDS.get(kind, kind or "radio"), name, state, is_open, advice))
        )
    return found


def _controllers(computer: Computer) -> list[LaptopChannel]:
    wifi = [folder.name for folder in computer.children("sys/class/ieee80211")]
    bluetooth = [
        folder.name for folder in computer.children("sys/class/bluetooth") if _CONTROLLER.fullmatch(folder.name)
    ]
    for interface in computer.children("sys/class/net"):
        if (interface / "phy80211").is_dir():
            wifi.append(read(interface / "phy80211/name") or real_path(interface / "phy80211").name)
        elif (interface / "wireless").is_dir():  # an old driver without rfkill
            wifi.append(interface.name)
    named = [("Wi-Fi", name) for name in dict.fromkeys(wifi)] + [("Bluetooth", name) for name in bluetooth]
    return [LaptopChannel(kind, name, NO_SWITCH, None, _REMOVE) for kind, name in named]


def _modems(computer: Computer) -> list[LaptopChannel]:
    folders = computer.children("sys/class/wwan")
    return [modem(computer, folder.name) for folder in folders if _MODEM.fullmatch(folder.name)]
