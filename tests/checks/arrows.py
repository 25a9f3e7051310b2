# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check the direction of imports between packages and between rooms: only arrows in this table are allowed.

python tests/checks/arrows.py
"""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs" / "make"))  # draws the same rooms

from rooms import BASE, OF_COMMANDS, arrows, imports, loaded_when_named, purposes

_PROTOCOL = {"ndks_protocol", "ndks_protocol.capsule", "ndks_protocol.control", "ndks_protocol.generator"}
_UNIT = {f"ndks_unit.{room}" for room in ("fast_bits", "flash", "messages", "network", "on_demand")}
_HOST = {
    "ndks",
    "ndks.driver",
    "ndks.folders",
    "ndks.keys",
    "ndks.laptop",
    "ndks.line",
    "ndks.network",
    "ndks.symbols",
    BASE,
}

# Room: the rooms that it may import. A room that is not here may import nothing.
ALLOWED = {
    "ndks_protocol": {"ndks_protocol.control"},
    "ndks_protocol.capsule": {"ndks_protocol"},
    "ndks_protocol.control": {"ndks_protocol", "ndks_protocol.capsule"},
    "ndks_protocol.generator": {"ndks_protocol"},
    "ndks_unit": _UNIT | _PROTOCOL,
    "ndks_unit.fast_bits": {"ndks_unit"} | _PROTOCOL,
    "ndks_unit.flash": {"ndks_unit", "ndks_protocol"},
    "ndks_unit.messages": {"ndks_unit", "ndks_unit.flash", "ndks_unit.network"} | _PROTOCOL,
    "ndks_unit.network": {"ndks_unit", "ndks_unit.flash", "ndks_unit.on_demand"} | _PROTOCOL,
    "ndks_unit.on_demand": {"ndks_unit", "ndks_unit.flash", "ndks_unit.messages"} | _PROTOCOL,
    "ndks_emulator": {"ndks_unit", "ndks_protocol"},
    "ndks_emulator.chip": {"ndks_emulator", "ndks_chip"},
    "ndks_chip": {"ndks_chip.usb"},
    "ndks_chip.usb": set[str](),
    BASE: {"ndks_protocol"},
    "ndks.symbols": {BASE},
    "ndks.folders": {BASE},
    "ndks.network": {BASE} | _PROTOCOL,
    "ndks.confinement": {"ndks.driver", "ndks.keys", "ndks.laptop", "ndks.network", BASE} | _PROTOCOL,
    "ndks.keys": {"ndks.network", BASE} | _PROTOCOL,
    "ndks.line": {BASE} | _PROTOCOL,
    "ndks.laptop": {BASE} | _PROTOCOL,
    "ndks.board": {BASE} | _PROTOCOL,
    "ndks.carriers": {"ndks.laptop", "ndks.line", BASE},
    "ndks.driver": {"ndks.folders", "ndks.keys", "ndks.laptop", "ndks.line", "ndks.network", "ndks.symbols", BASE}
    | _PROTOCOL,
    "ndks.agent": {"ndks.carriers", *_HOST} | _PROTOCOL,
    "ndks.aio": {"ndks.driver", "ndks.laptop", "ndks.line", BASE},
    "ndks": {"ndks.driver", "ndks.laptop", "ndks.network", "ndks.symbols", BASE},  # what `import ndks` shows
    "ndks.service": {"ndks.driver", "ndks.laptop", "ndks.line", BASE} | _PROTOCOL,
    "ndks_gateways": {"ndks.aio", "ndks.driver", "ndks.line", BASE} | _PROTOCOL,
    "ndks_gateways.tunnel": {BASE} | _PROTOCOL,
    "ndks_gateways.keys": {BASE} | _PROTOCOL,
    "ndks_gateways.serving": {
        *("ndks_gateways", "ndks_gateways.keys", "ndks.aio", "ndks.driver", "ndks.laptop", "ndks.line"),
        *({BASE} | _PROTOCOL),
    },
    "ndks_gateways.psk": {
        *("ndks_gateways", "ndks_gateways.keys", "ndks.aio", "ndks.driver", "ndks.laptop", "ndks.line"),
        *({BASE} | _PROTOCOL),
    },
    "ndks_gateways.running": {
        *(
            "ndks_gateways",
            "ndks_gateways.tunnel",
            "ndks.aio",
            "ndks.carriers",
            "ndks.driver",
            "ndks.laptop",
            "ndks.line",
        ),
        *({BASE} | _PROTOCOL),
    },
    "ndks_laboratory": {"ndks_laboratory.stages"} | _HOST | _PROTOCOL,
    "ndks_laboratory.stages": {"ndks_laboratory", "ndks_laboratory.faraday"} | _HOST | _PROTOCOL,
    "ndks_laboratory.faraday": {"ndks_laboratory"} | _HOST | _PROTOCOL,
    "ndks_laboratory.networks": {"ndks_laboratory", "ndks.agent", "ndks.carriers"} | _HOST | _PROTOCOL,
    "ndks_laboratory.gateways": {"ndks_laboratory", "ndks_laboratory.networks", "ndks_laboratory.stages"} | _HOST,
    "ndks_laboratory.homologation": {
        *("ndks_laboratory", "ndks_laboratory.networks", "ndks_laboratory.stages", "ndks.agent", "ndks.confinement"),
        *(_HOST | _PROTOCOL),
    },
    "ndks_pytest": {"ndks.driver", "ndks.keys", "ndks.laptop", "ndks.line", "ndks.network", "ndks_emulator", BASE},
    "ndks.cli": {"ndks.board", "ndks.confinement"} | _HOST | _PROTOCOL,
}
# These arrows are made when a command needs them: their packages take long to import, and may be missing.
_LABORATORY = {room for room in ALLOWED if room.startswith("ndks_laboratory")}
_GATEWAYS = {room for room in ALLOWED if room.startswith("ndks_gateways")}
LAZY = {
    "ndks.line": {"ndks_emulator"},
    "ndks.board": {"ndks_emulator", "ndks_emulator.chip", "ndks_chip"},
    "ndks_pytest": {"ndks.board", "ndks_emulator.chip"},
    "ndks.cli": {"ndks.agent", "ndks.service", "ndks_emulator", "ndks_emulator.chip", *_LABORATORY, *_GATEWAYS},
}


def main() -> int:
    complaints = [*check_arrows(), *check_commands()]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"{len(purposes())} rooms, {len(arrows())} arrows; {len(complaints)} complaints")
    return 1 if complaints else 0


def check_arrows() -> Iterator[str]:
    for (importer, imported), is_lazy in sorted(arrows().items()):
        allowed_late = imported in LAZY.get(importer, set())
        if imported not in ALLOWED.get(importer, set()) and not allowed_late:
            yield f"{importer} must not import {imported}"
        elif allowed_late and not is_lazy:
            yield f"{importer} imports {imported} where it is used, not at the top"


def check_commands() -> Iterator[str]:
    """Yield a complaint for each command module that is imported before its command is named."""
    when_named = loaded_when_named()
    for importer, imported, is_late in imports():
        loaded = {imported, imported.rpartition(".")[0]} & OF_COMMANDS
        if loaded and not is_late and importer not in when_named:
            yield f"{importer} imports {loaded.pop()}, which is loaded when its command is named"


if __name__ == "__main__":
    sys.exit(main())
