# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What ndks answers on itself."""

ANSWERS = {
    "completion": "shell script",
    "completion --install": "shell file",
    "completion --units": "unit_names",
    "completion --tunnels": "tunnel_names",
    "help": "help answers?(*)",
    "version": "version protocol python platform",
}
MEANINGS = {
    "answers": "fields of the answers of this command, by its forms: this table",
    "help": "text of the help",
    "platform": "system",
    "script": "the completions",
    "shell": "the shell",
    "tunnel_names": "tunnels that run here, or have run",
    "unit_names": "what --unit may be here",
    "version": "version of ndks",
}
