# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One capsule of the vectors, worked out byte by byte for PROTOCOL.md."""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "tests" / "checks"))  # the reference that makes the vectors

from capsule_reference import VECTORS, Message, clear_header, derive, paper_bytes, suite_network


def capsule_example() -> str:
    """Return the lines of the last of its capsules: suite hybrid, cipher vernam, 8 bytes of data in one chunk."""
    vectors = json.loads((VECTORS / "suite.json").read_text())
    rows, capsule = work_out(vectors["network"], vectors["capsules"][-1])
    if capsule.hex() != vectors["capsules"][-1]["capsule"]:
        raise AssertionError("the worked example does not give the capsule of the vectors")
    width = max(len(name) for name, _ in rows)
    return "".join(f"    {name:{width}}  {text}\n" for name, text in rows)


def work_out(network: dict[str, Any], vector: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes]:
    """Return each step with its bytes in hex, and the whole capsule."""
    data, binding_id = bytes.fromhex(vector["data"]), bytes.fromhex(vector["binding_id"])
    parameters = suite_network()
    salt = bytes.fromhex(vector["salt"])
    header = clear_header(vector["suite"], vector["cipher"], vector["lane"], vector["n"], salt)
    message = Message(parameters, header, data, binding_id)
    size = len(data) + 16
    rows = [
        ("E", parameters.secret.hex()),
        ("p1, p2, d", f"{network['p1']}, {network['p2']}, {network['d']}"),
        ("lane, n", f"{vector['lane']}, {vector['n']}"),
        ("binding id", binding_id.hex()),
        ("data", f"{data.hex()} ({data.decode()!r})"),
        ("H", split(header, 1, 1, 1, 1, 1, 8, 8)),
        ("header mac key", derive(parameters.secret, "ndks header mac").hex()),
        ("header mask key", derive(parameters.secret, "ndks header mask").hex()),
        ("wire header", split(message.header, 1, 16, 20)),
        ("paper bits", paper_bytes(parameters, int.from_bytes(header[5:13]), size).hex()),
        ("mask key", derive(parameters.secret, "ndks capsule mask", header).hex()),
        ("Z", message.z.hex()),
        ("tag key", message.tag_key.hex()),
        ("sync", message.sync.hex()),
        ("check", message.check.hex()),
        ("C", split(message.ciphertext, 8, len(data), 8)),
        ("chunk 0", split(message.chunks[0], size, 16)),
    ]
    return rows, message.capsule


def split(data: bytes, *sizes: int) -> str:
    """Return hex with a space between parts."""
    ends = list(itertools.accumulate(sizes, initial=0))
    return " ".join(data[start:end].hex() for start, end in itertools.pairwise(ends))
