# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An authority that signs agreements, with ssh-keygen where there is one, else as it would."""

import base64
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ndks.network.agreement import NAMESPACE

SSH_KEYGEN = shutil.which("ssh-keygen")


def public_line(key: Ed25519PrivateKey) -> str:
    return "ssh-ed25519 " + base64.b64encode(_public_blob(key)).decode() + " authority"


def signed(key: Ed25519PrivateKey, content: bytes, namespace: str = NAMESPACE) -> str:
    """Return a signature of OpenSSH, made without it."""
    parts = [namespace.encode(), b"", b"sha256"]
    signature = key.sign(b"SSHSIG" + b"".join(map(_string, [*parts, sha256(content).digest()])))
    fields = [_public_blob(key), *parts, _string(b"ssh-ed25519") + _string(signature)]
    blob = b"SSHSIG\0\0\0\1" + b"".join(map(_string, fields))
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"


class Authority:
    """A key in files KEY and KEY.pub of a directory."""

    def __init__(self, directory: Path, name: str = "chief") -> None:
        self.key = Ed25519PrivateKey.generate()
        self.path = directory / name
        self.public_path = directory / f"{name}.pub"
        self.path.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        self.path.chmod(0o600)
        self.public_path.write_text(public_line(self.key) + "\n")

    def sign(self, path: Path, namespace: str = NAMESPACE) -> Path:
        """Sign a file, and return the signature's."""
        signature = path.with_name(f"{path.name}.sig")
        signature.unlink(missing_ok=True)
        if SSH_KEYGEN:
            command = [SSH_KEYGEN, "-q", "-Y", "sign", "-n", namespace, "-f", self.path, path]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        else:
            signature.write_text(signed(self.key, path.read_bytes(), namespace))
        return signature


def _public_blob(key: Ed25519PrivateKey) -> bytes:
    return _string(b"ssh-ed25519") + _string(key.public_key().public_bytes_raw())


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value
