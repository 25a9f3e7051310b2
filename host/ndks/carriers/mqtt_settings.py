# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How to reach a broker: mqtt://HOST:PORT/TOPIC, mqtts:// over TLS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from ..exceptions import FileError, UsageError, reason
from ..files import read_private
from ..system_errors import file_errors
from . import urls

EXAMPLE = "mqtts://broker.example:8883/ndks/alpha?ca=ca.pem&user=NAME&password-file=FILE"
_OPTIONS = ("ca", "certificate", "key", "user", "password-file")
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LONGEST_TOPIC = 200  # bytes


@dataclass(frozen=True)
class MqttSettings:
    """Broker, topic and credentials. `certificate` is the client's file or "", `tls` is None without TLS."""

    host: str
    port: int
    topic: str
    user: str
    password: str = field(repr=False)
    certificate: str
    tls: ssl.SSLContext | None

    @classmethod
    def parsed(cls, text: str) -> "MqttSettings":
        """Return the settings of a URL. UsageError; FileError: a file cannot be used, or others may read a secret."""
        url = urls.parse(text, _OPTIONS, EXAMPLE)
        topic = url.path.strip("/")
        if not url.host or not topic:
            raise UsageError(f"{text} must name a broker and a topic", f"write it as {EXAMPLE}")
        if set(topic) & set("+#\0") or topic.startswith("$") or len(topic.encode()) > _LONGEST_TOPIC:
            raise UsageError(f"{topic} is no topic: it has +, # or $, or is too long", f"write it as {EXAMPLE}")
        user, password_file = url.option("user"), url.option("password-file")
        if password_file and not user:
            raise UsageError(f"{text} has a password and no user", f"write it as {EXAMPLE}")
        password = _password(Path(password_file)) if password_file else ""
        port, certificate = url.port or _PORTS[url.scheme], url.option("certificate")
        return cls(url.host, port, topic, user, password, certificate, _tls(url))


def _password(path: Path) -> str:
    with file_errors():
        content = read_private(path)
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise FileError(f"{path} is no password: it is not UTF-8") from None


def _tls(url: urls.Url) -> ssl.SSLContext | None:
    names = [name for name in ("ca", "certificate", "key") if url.option(name)]
    if url.scheme == "mqtt":
        if names:
            raise UsageError(f"mqtt:// has no TLS, so {names[0]} would not be used", "write mqtts://")
        return None
    if url.option("key") and not url.option("certificate"):
        raise UsageError(f"{url.text} has a key and no certificate", f"write it as {EXAMPLE}")
    context = _context(url.option("ca"))
    if certificate := url.option("certificate"):
        _load_certificate(context, Path(certificate), Path(url.option("key") or certificate))
    return context


def _context(ca: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError:
        raise FileError(f"{ca} has no certificate in PEM", "name the file of the authority's certificate") from None
    except OSError as error:
        raise FileError(f"{ca}: {reason(error)}", "name the file of the authority's certificate") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    with file_errors():
        read_private(key)  # others may not read it
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")  # never prompts
    except ssl.SSLError:
        what = f"{certificate} and {key} are not a certificate in PEM and its key, or the key has a password"
        raise FileError(what, "name the certificate, and its key without a password") from None
    except OSError as error:
        raise FileError(f"{certificate}: {reason(error)}") from None
