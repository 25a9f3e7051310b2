# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One capsule of the vectors, worked out byte by byte for PROTOCOL.md."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.generator import Generator

_SUITE = Path(__file__).parents[2] / "protocol" / "vectors" / "suite.json"
_ZEROS = bytes(16)


def capsule_example() -> str:
    """Return the lines of the last of its capsules: suite hybrid, cipher vernam, 8 bytes of data in one chunk."""
    vectors = json.loads(_SUITE.read_text())
    rows, capsule = work_out(vectors["network"], vectors["capsules"][-1])
    if capsule.hex() != vectors["capsules"][-1]["capsule"]:
        raise AssertionError("the worked example does not give the capsule of the vectors")
    width = max(len(name) for name, _ in rows)
    return "".join(f"    {name:{width}}  {text}\n" for name, text in rows)


def work_out(network: dict[str, Any], vector: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes]:
    """Return each step with its bytes in hex, and the whole capsule."""
    secret, data, binding_id = (
        bytes.fromhex(text) for text in (network["secret"], vector["data"], vector["binding_id"])
    )
    k = vector["lane"] << 48 | vector["n"]
    header = bytes([1, vector["suite"], vector["cipher"], 0, 0]) + k.to_bytes(8) + bytes.fromhex(vector["salt"])
    mac_key, mask_key = derive(secret, "ndks header mac"), derive(secret, "ndks header mask")
    tag = hmac.digest(mac_key, header, hashlib.sha256)[:16]
    masked = xor(header[1:], ctr(mask_key, tag, 20))
    wire = header[:1] + tag + masked
    size = len(data) + 16
    paper = bytes(Generator(network["p1"], network["p2"], network["d"]).key(k).read(0, 8 * size))
    z = xor(paper, ctr(derive(secret, "ndks capsule mask", header), _ZEROS, size))
    sync = derive(secret, "ndks sync", header + binding_id)[:8]
    check = derive(secret, "ndks check", header + hashlib.sha256(paper[: 8 + len(data)]).digest())[:8]
    text = sync + data + check
    body = xor(text, z)
    tag_key = derive(secret, "ndks capsule auth", header)
    chunk = body + hmac.digest(tag_key, bytes(4) + b"\1" + body, hashlib.sha256)[:16]
    rows = [
        ("E", secret.hex()),
        ("p1, p2, d", f"{network['p1']}, {network['p2']}, {network['d']}"),
        ("lane, n", f"{vector['lane']}, {vector['n']}"),
        ("binding id", binding_id.hex()),
        ("data", f"{data.hex()} ({data.decode()!r})"),
        ("H", split(header, 1, 1, 1, 1, 1, 8, 8)),
        ("header mac key", mac_key.hex()),
        ("T", tag.hex()),
        ("header mask key", mask_key.hex()),
        ("H[1:21] masked", masked.hex()),
        ("paper bits", paper.hex()),
        ("Z", z.hex()),
        ("sync", sync.hex()),
        ("check", check.hex()),
        ("S", split(text, 8, len(data), 8)),
        ("C", split(body, 8, len(data), 8)),
        ("tag key", tag_key.hex()),
        ("wire header", split(wire, 1, 16, 20)),
        ("chunk 0", split(chunk, size, 16)),
    ]
    return rows, wire + chunk


def derive(key: bytes, label: str, context: bytes = b"") -> bytes:
    return hmac.digest(key, label.encode() + b"\0" + context, hashlib.sha256)


def ctr(key: bytes, iv: bytes, size: int) -> bytes:
    return Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(size))


def xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


def split(data: bytes, *sizes: int) -> str:
    """Return hex with a space between parts."""
    parts: list[str] = []
    for size in sizes:
        parts.append(data[:size].hex())
        data = data[size:]
    return " ".join(parts)
