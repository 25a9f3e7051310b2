# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The least that serves keys with aiohttp: random ones, kept in memory until they are fetched, over mutual TLS.

python stub.py PORT DIRECTORY    certificates of `ndks serve certs` are in the directory
"""

import base64
import os
import ssl
import sys
import uuid
from pathlib import Path

from aiohttp import web

_keys: dict[str, str] = {}


async def _enc_keys(request: web.Request) -> web.Response:
    wanted = await request.json()
    keys = [{"key_ID": str(uuid.uuid4()), "key": _new()} for _ in range(wanted["number"])]
    _keys.update((each["key_ID"], each["key"]) for each in keys)
    return web.json_response({"keys": keys})


async def _dec_keys(request: web.Request) -> web.Response:
    ids = [each["key_ID"] for each in (await request.json())["key_IDs"]]
    return web.json_response({"keys": [{"key_ID": each, "key": _keys.pop(each)} for each in ids]})


def _new() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def main(port: str, directory: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=Path(directory, "ca.crt"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(Path(directory, "KME_A.crt"), Path(directory, "KME_A.key"))
    application = web.Application()
    application.router.add_post("/api/v1/keys/{sae}/enc_keys", _enc_keys)
    application.router.add_post("/api/v1/keys/{sae}/dec_keys", _dec_keys)
    web.run_app(application, host="127.0.0.1", port=int(port), ssl_context=context, access_log=None, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
