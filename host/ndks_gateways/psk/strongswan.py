# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""strongSwan: a postquantum preshared key (RFC 8784), which goes over vici to charon and is in no file.

Such a key counts only when both ends authenticate. Each has an id of its own, so that an end that is behind refuses it
by name. The end that began the IKE_SA begins another one beside it, and ends the former one once the new one is up:
while the other site is behind, the former one stays.
"""

import contextlib
import importlib
import re
import socket
import tempfile
from collections.abc import Generator, Iterable
from glob import glob
from pathlib import Path
from typing import Any

from ndks.exceptions import reason
from ndks.files import read_small
from ndks.system_errors import file_errors

from .consumer import ConsumerFailed
from .programs import run
from .rotation import Given

_SCHEME = "unix://"
_SECONDS = 30.0  # that charon may take for an answer
_INITIATE_MS = 10_000
_ESTABLISHED = b"ESTABLISHED"
_INCLUDE = re.compile(r"^\s*include\s+(\S+)", re.MULTILINE)
_OVERLAY = """\
include {config}
connections {{
  {connection} {{
    ppk_id = {ppk_id}
  }}
}}
"""


class StrongSwan:
    """A connection of a charon, whose `ppk_id` in the file `config` is replaced. `name` begins the ids of its keys."""

    def __init__(self, uri: str, connection: str, config: Path, name: str) -> None:
        self.name = f"strongSwan's connection {connection}"
        self._uri = uri
        self._connection = connection
        self._config = config
        self._prefix = f"{name}."

    def give(self, given: Given) -> None:
        ppk_id = self._id(given)
        with self._session() as charon:
            self._need_connection(charon)
            is_used = self._keys(charon) == {ppk_id}  # those before are unloaded at the end of this
            charon.load_shared({"id": ppk_id, "type": "ppk", "data": given.key, "owners": [ppk_id]})
            self._load_connections(ppk_id)
            if not is_used:
                self._begin_anew(charon, ppk_id)
            for each in self._keys(charon) - {ppk_id}:
                charon.unload_shared({"id": each})

    def has(self, given: Given) -> bool:
        ppk_id = self._id(given)
        with self._session() as charon:
            found: list[Any] = [each[self._connection] for each in charon.list_conns({"ike": self._connection})]
            is_set = any(each.get("ppk_id") == ppk_id.encode() for each in found)
            return is_set and self._keys(charon) == {ppk_id}

    def _keys(self, charon: Any) -> set[str]:
        """Return the ids of the keys in charon that belong to this use."""
        return {each.decode() for each in charon.get_shared()["keys"] if each.startswith(self._prefix.encode())}

    def _id(self, given: Given) -> str:
        return self._prefix + given.step.label

    def _need_connection(self, charon: Any) -> None:
        """Raise ConsumerFailed unless charon and the file have the connection. Else, loading would make an open one."""
        if self._connection.encode() not in charon.get_conns()["conns"]:
            raise ConsumerFailed(f"charon has no connection {self._connection}", "load it: swanctl --load-all")
        if not _names(self._config, self._connection):
            what = f"connection {self._connection} is not in {self._config}, nor in what it includes"
            raise ConsumerFailed(what, "name the file with which swanctl loads it: --config FILE")

    def _load_connections(self, ppk_id: str) -> None:
        """Load all connections as they are configured, this one with another ppk_id."""
        text = _OVERLAY.format(config=self._config.absolute(), connection=self._connection, ppk_id=ppk_id)
        with file_errors(), tempfile.NamedTemporaryFile("w", prefix="ndks-psk-", suffix=".conf") as overlay:
            overlay.write(text)
            overlay.flush()
            run(("swanctl", "--load-conns", "--file", overlay.name, "--uri", self._uri))

    def _begin_anew(self, charon: Any, ppk_id: str) -> None:
        """Authenticate again, if this end has begun the IKE_SA. ConsumerFailed: the former one is still there."""
        former = self._own_sas(charon)
        children = dict.fromkeys(child["name"] for sa in former.values() for child in sa.get("child-sas", {}).values())
        try:
            for child in children:
                _done(charon.initiate({"ike": self._connection, "child": child, "timeout": str(_INITIATE_MS)}))
        except _vici().exception.CommandException as error:
            _terminate(charon, self._own_sas(charon).keys() - former.keys())
            charon.unload_shared({"id": ppk_id})
            what = f"{self.name} was not authenticated with its new key, and goes on with the former one: {error}"
            raise ConsumerFailed(what, "see whether ndks psk runs at the other site, and has this key") from None
        if children:
            _terminate(charon, former)

    def _own_sas(self, charon: Any) -> dict[bytes, Any]:
        """Return those IKE_SAs of the connection that this end has begun, by their numbers."""
        listed = (sa for each in charon.list_sas({"ike": self._connection}) for sa in each.values())
        return {sa["uniqueid"]: sa for sa in listed if sa["state"] == _ESTABLISHED and "initiator" in sa}

    @contextlib.contextmanager
    def _session(self) -> Generator[Any]:
        """Connect to charon. ConsumerFailed, also for what goes wrong meanwhile."""
        vici = _vici()
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(_SECONDS)
            try:
                channel.connect(self._uri.removeprefix(_SCHEME))
                yield vici.Session(channel)
            except OSError as error:
                what = f"charon does not answer at {self._uri}: {reason(error)}"
                raise ConsumerFailed(what, "start strongSwan; the path is that of charon.plugins.vici.socket") from None
            except (vici.exception.CommandException, vici.exception.SessionException) as error:
                raise ConsumerFailed(f"charon refuses: {error}") from None


def _names(config: Path, connection: str) -> bool:
    """Return whether a file of swanctl, or one that it includes, has this word."""
    with file_errors():
        text = read_small(config).decode(errors="replace")
    if re.search(rf"(?<![\w-]){re.escape(connection)}(?![\w-])", text):
        return True
    patterns = [str(config.parent / each) for each in _INCLUDE.findall(text)]  # Path.glob takes no absolute ones
    included = (path for pattern in patterns for path in glob(pattern))  # noqa: PTH207
    return any(_names(Path(path), connection) for path in included)


def _terminate(charon: Any, numbers: Iterable[bytes]) -> None:
    for number in numbers:
        _done(charon.terminate({"ike-id": number, "timeout": str(_INITIATE_MS)}))


def _done(events: Any) -> None:
    """Wait for the end of a command, which reports its progress."""
    for _ in events:
        pass


def _vici() -> Any:
    return importlib.import_module("vici")  # an optional package, without types
