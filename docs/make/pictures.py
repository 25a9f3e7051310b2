# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Draw the pictures of docs from the code, from a real run, and from transcripts.

python docs/make/pictures.py            draw them
python docs/make/pictures.py --check    say which are not up to date
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from draw_capsule import draw_capsule
from draw_life import draw_life
from draw_network import draw_network
from draw_request import draw_request
from draw_rooms import draw_rooms
from draw_terminal import draw_terminal
from draw_tunnel import draw_tunnel

FOLDER = Path(__file__).parents[2] / "docs"
PICTURES: dict[str, Callable[[], str]] = {
    "rooms.svg": draw_rooms,
    "request.svg": draw_request,
    "capsule.svg": draw_capsule,
    "life.svg": draw_life,
    "network.svg": draw_network,
    "tunnel.svg": draw_tunnel,
    "demo.svg": draw_terminal,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    status = 0
    for name, draw in PICTURES.items():
        path, drawn = FOLDER / name, draw()
        if is_check and (not path.is_file() or path.read_text() != drawn):
            print(f"docs/{name} is stale: make docs", file=sys.stderr)
            status = 1
        elif not is_check:
            path.write_text(drawn)
    return status


if __name__ == "__main__":
    sys.exit(main())
