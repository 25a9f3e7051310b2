# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What commands on a unit answer: units at hand, their files and services, bindings to laptops, emulated ones."""

from dataclasses import fields

from ndks.driver.answers import Hello, Status

from .shared import BINDING, PROBLEM


def _names(kind: type) -> str:
    return " ".join(field.name for field in fields(kind))


_HELLO, _STATUS = _names(Hello), _names(Status)
_USB = "(bus address vendor product_id product serial_number problem)"
ANSWERS = {
    "list": f"units[](port serial_number emulated_in? bound_here? hello?({_HELLO}) status?({_STATUS}) "
    f"error?{PROBLEM}) usb[]{_USB}",
    "info": f"port bound_here next_index? went_back? warning? hello({_HELLO}) status({_STATUS})",
    "eject": "serial_number",
    "deploy": "drive files",
    "traceback": "lines",
    "doctor": "versions(ndks protocol installed_in python system *) problems "
    "bindings(directory exists elsewhere units[](serial_number binding_ids differences)) "
    f"ports[](port product serial_number may_be_opened owner) usb[]{_USB} "
    f"units[](port serial_number bound_here? hello?({_HELLO}) error?{PROBLEM}) udev_rule(installed is_current)",
    "bind": BINDING,
    "bind --allow-jump": "serial_number message_counter",
    "bind --forget": "serial_number",
    "bind --show": "characteristics units[](serial_number binding_id differences)",
    "bind --backup": "file backup_code",
    "bind --restore": "directory serial_numbers",
    "trust": "lane binding_id serial_number? file?",
    "zeroize": "serial_number state",
    "service": "serial_number pid sockets[](scope port)",
    "service status": "services[](serial_number directory sockets[](scope port may_use) present? "
    f"status?({_STATUS}) error?{PROBLEM})",
    "service release": "serial_number released_for",
    "emulate": "port pid serial_number console? control?",
    "emulate --units": "network network_id file pid units[](port serial_number lane)",
}
MEANINGS = {
    "address": "USB address",
    "backup_code": "24 words that open the copy",
    "binding_ids": "ids of the laptop's bindings to the unit",
    "bindings": "the laptop's bindings",
    "boots": "starts of the unit",
    "bound_here": "whether the unit is bound to this laptop",
    "bus": "USB bus",
    "console": "path of the link to the console of a chip",
    "control": "path of the control socket",
    "differences": "what changed since the unit was bound",
    "directory": "where the bindings lie",
    "services.directory": "where its sockets are",
    "drive": "the board's drive",
    "dropped_frames": "frames that the unit could not read",
    "elsewhere": "other directories with bindings",
    "emulated_in": "directory of an emulated unit",
    "epochs": "epochs that the unit can keep",
    "erases": "times that the sector of flash was erased",
    "exists": "whether the directory exists",
    "flags": "what else is to be said of the state, in words",
    "free_memory": "bytes; 0: not limited",
    "generation_id": "id of the network's present generation",
    "generations": "generations of the network whose capsules the unit opens, the latest first",
    "hello": "what the unit says of itself to everybody",
    "installed": "where the rule is installed",
    "installed_in": "directory of the package",
    "is_current": "whether it is the rule of this version",
    "lanes": "lanes of a network",
    "lines": "lines of the traceback, with the names of the source",
    "log_size": "bytes of the record log",
    "log_used": "bytes of the record log that are in use",
    "major": "protocol version, before the point",
    "max_payload": "bytes of the largest frame's payload",
    "may_be_opened": "whether this user may open the port",
    "may_use": "whether this user may",
    "message_counter": "number of the unit's next message",
    "minor": "protocol version, after the point",
    "ndks": "version of ndks",
    "next_index": "index of the next key; null: none left",
    "owner": "owner, group and mode of the port",
    "ports": "serial ports",
    "problems": "what is wrong, and what helps",
    "product_id": "USB product id",
    "released_for": "seconds for which the port is free",
    "reset_reason": "why the unit started last",
    "scope": "keys, gate, agent or admin: what programs may do there",
    "services": "services that have sockets on this computer",
    "sockets": "sockets of the service, one a scope",
    "state_format": "version of the unit's state in flash",
    "status": "what the unit holds; what concerns its network only where it is bound to this laptop",
    "udev_rule": "the rule that lets users open units",
    "usb": "USB devices that may be boards",
    "vendor": "USB vendor id",
    "versions": "versions of ndks and of libraries",
    "window": "numbers below a sender's latest that the unit keeps account of",
    "wrong_attempts": "wrong proofs since the last right one",
}
