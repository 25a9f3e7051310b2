# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Encrypted backup of a laptop's bindings, for a failed disk; it is of no use on another laptop."""

import base64
import json
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .. import strict_json
from ..exceptions import FileError, UsageError
from ..refusals import UPGRADE_HOST
from .bindings import BindingStore
from .words import CODE_BYTES, to_words

FORMAT = 1
_NONCE = bytes(12)  # constant, because each key encrypts only one backup


def seal(store: BindingStore) -> tuple[str, bytes]:
    """Return a new code in words, and the store's files encrypted with it. AuthenticationError, FileError."""
    code = secrets.token_bytes(CODE_BYTES)
    files = {name: base64.b64encode(content).decode() for name, content in store.export().items()}
    sealed = AESGCM(code).encrypt(_NONCE, json.dumps(files).encode(), _header())
    values = {"ndks_backup": FORMAT, "sealed": base64.b64encode(sealed).decode()}
    return to_words(code), (json.dumps(values) + "\n").encode()


def restore(store: BindingStore, copy: bytes, code: bytes, *, overwrite: bool) -> list[str]:
    """Restore the files of a backup and return the serial numbers of its units. UsageError, FileError."""
    try:
        values: Any = strict_json.loads(copy)
        if not strict_json.is_version(values["ndks_backup"], FORMAT):
            raise FileError("the backup has another format version", UPGRADE_HOST)
        files = strict_json.loads(AESGCM(code).decrypt(_NONCE, base64.b64decode(values["sealed"]), _header()))
        contents = {str(name): base64.b64decode(content) for name, content in files.items()}
    except InvalidTag:
        raise UsageError("these words do not decrypt this backup, or it was altered", "compare the words") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise FileError("this is not a backup of bindings", "name the file that ndks bind --backup wrote") from None
    store.replace(contents, overwrite=overwrite)
    return sorted({Path(name).stem for name in contents if "/" in name})


def _header() -> bytes:
    return f"ndks backup {FORMAT}".encode()
