# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The configuration of `ndks serve`, a TOML file. Each key says what it means; docs/serve.md has the table.

All mistakes in a file are reported at once, each by the name of its key: a server that starts has understood all of it.
"""

import dataclasses
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast, get_type_hints

from ndks.exceptions import NdksError
from ndks.files import read_small
from ndks.system_errors import file_errors

from ..keys.runs import LONGEST
from .config_readers import Address, Reader, address, name, names, one_of, path, some_names, text, whole

_MOST_BITS = 8 * LONGEST


class ConfigError(NdksError):
    """A configuration has mistakes; the message names each."""

    code = "CONFIG"
    exit_status = 2
    usual_advice = "correct the file; docs/serve.md has each key"


class Key(NamedTuple):
    """What a key of the file may be, and what it means."""

    read: Reader
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Kme:
    """Section [kme]: this server."""

    id: Annotated[str, Key(name, "what this server is called: source_KME_ID")]
    peer: Annotated[str, Key(name, "what the server of the other site is called: target_KME_ID")]
    listen: Annotated[Address, Key(address, "HOST:PORT where clients connect, with mutual TLS")]
    certificate: Annotated[Path, Key(path, "PEM file: the server's certificate, then those between it and its CA")]
    key: Annotated[Path, Key(path, "PEM file: its private key, which only this user may read")]
    clients_ca: Annotated[Path, Key(path, "PEM file: the CAs of the clients' certificates")]
    clients_crl: Annotated[
        Path | None, Key(path, "PEM file: certificate revocation lists, of each CA up to the root")
    ] = None
    name_in: Annotated[
        str, Key(one_of("CN", "SAN"), "where a client's certificate has its name: CN, or SAN (its first DNS name)")
    ] = "CN"
    monitor: Annotated[
        int | None, Key(whole(0, 0xFFFF), "port on 127.0.0.1, without TLS, for /metrics and /healthz; 0: any free one")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Saes:
    """Section [sae]: who gets keys, by the names in their certificates."""

    here: Annotated[tuple[str, ...], Key(some_names, "SAEs of this site: only they are answered")]
    there: Annotated[tuple[str, ...], Key(names, "SAEs of the other site")] = ()


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Section [keys]: which keys may be asked for."""

    size: Annotated[int, Key(whole(8, _MOST_BITS, step=8), "bits of a key where a request says nothing")] = 256
    min_size: Annotated[int, Key(whole(8, _MOST_BITS, step=8), "fewest bits of a key")] = 64
    max_size: Annotated[int, Key(whole(8, _MOST_BITS, step=8), "most bits of a key")] = 8192
    per_request: Annotated[int, Key(whole(1, 1024), "most keys of one request")] = 128


@dataclass(frozen=True, kw_only=True)
class LedgerPlace:
    """Section [ledger]: where it is kept which keys were handed out. Either `file` or `postgresql`."""

    file: Annotated[Path | None, Key(path, "SQLite file: the site has one server")] = None
    postgresql: Annotated[str | None, Key(text, "how to reach PostgreSQL (libpq): all servers of the site")] = None
    last_run: Annotated[
        Path, Key(path, "file of this server, not on the ledger's disk: shows that a ledger is an old copy")
    ]
    server: Annotated[
        str | None, Key(name, "what this server is called among those of the site; default: the host's name")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Section [limits]: what one client may do to the others."""

    requests: Annotated[int, Key(whole(1, 1_000_000), "requests a second of one SAE")] = 1000
    wrong_ids: Annotated[
        int, Key(whole(1, 1_000_000), "requests a minute of one SAE with ids of keys that it cannot have")
    ] = 60
    body: Annotated[int, Key(whole(256, 1 << 20), "bytes of a request's body")] = 1 << 16
    patience: Annotated[
        int, Key(whole(1, 600), "seconds for a handshake, for a request's body, and for a client to take an answer")
    ] = 10
    idle: Annotated[int, Key(whole(1, 3600), "seconds until a connection without a request is closed")] = 60
    connections: Annotated[
        int,
        Key(
            whole(1, 100_000), "connections at once, of all clients; one more takes a place of the client that has most"
        ),
    ] = 512


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Section [skip]: Cisco's protocol for encryptors. Without it SKIP is off."""

    local: Annotated[str, Key(name, "localSystemID of this site")]
    remote: Annotated[tuple[str, ...], Key(some_names, "remoteSystemID: the other sites' local ones")]
    clients: Annotated[tuple[str, ...], Key(some_names, "encryptors of this site, by the names in their certificates")]


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Section [audit]: who asked for which key ids; never keys."""

    file: Annotated[
        Path | None, Key(path, "JSON lines are appended to this file, which SIGHUP opens again; default: no log")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Config:
    """All of a configuration. `groups`: for multicast, SAEs that share keys, by the name of the group."""

    kme: Kme
    sae: Saes
    keys: Keys
    ledger: LedgerPlace
    limits: Limits
    audit: Audit
    skip: Skip | None
    groups: dict[str, tuple[str, ...]]

    @property
    def saes(self) -> frozenset[str]:
        """All SAEs, of both sites."""
        return frozenset(self.sae.here) | frozenset(self.sae.there)


SECTIONS: dict[str, type] = {
    "kme": Kme,
    "sae": Saes,
    "keys": Keys,
    "ledger": LedgerPlace,
    "limits": Limits,
    "skip": Skip,
    "audit": Audit,
}
GROUPS = "groups"


def load(file: Path) -> Config:
    """Return the configuration in a file. ConfigError, FileError."""
    with file_errors():
        content = read_small(file)
    try:
        return read(tomllib.loads(content.decode()), file.absolute().parent)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}", error.advice) from None


def read(values: dict[str, Any], directory: Path) -> Config:
    """Return a configuration; relative paths begin at `directory`. ConfigError with all mistakes."""
    mistakes: list[str] = [f"there is no section [{each}]" for each in values if each not in {*SECTIONS, GROUPS}]
    sections: dict[str, Any] = {"skip": None}
    for section, kind in SECTIONS.items():
        if section != "skip" or section in values:
            sections[section] = _section(section, kind, values.get(section, {}), directory, mistakes)
    groups = _groups(values.get(GROUPS, {}), directory, mistakes)
    if not mistakes:
        config = Config(**sections, groups=groups)
        mistakes += _contradictions(config)
        if not mistakes:
            return config
    raise ConfigError("; ".join(mistakes))


def keys_of(kind: type) -> dict[str, Key]:
    """Return the keys of a section."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in dataclasses.fields(kind)}


def required_of(kind: type) -> set[str]:
    """Return the keys of a section that have no default."""
    return {field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}


def _section(section: str, kind: type, given: Any, directory: Path, mistakes: list[str]) -> Any:
    if not isinstance(given, dict):
        mistakes.append(f"{section} must be a section: [{section}]")
        return None
    keys, values = keys_of(kind), cast("dict[str, Any]", given)
    found: dict[str, Any] = {}
    mistakes += [f"there is no key {section}.{each}" for each in values if each not in keys]
    mistakes += [f"{section}.{each} is missing" for each in keys if each in required_of(kind) - values.keys()]
    for each in [each for each in values if each in keys]:
        try:
            found[each] = keys[each].read(values[each], directory)
        except ValueError as error:
            mistakes.append(f"{section}.{each} {error}")
    return kind(**found) if required_of(kind) <= found.keys() else None


def _groups(given: Any, directory: Path, mistakes: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if not isinstance(given, dict):
        mistakes.append(f"{GROUPS} must be a section: [{GROUPS}]")
        return found
    for group, members in cast("dict[str, Any]", given).items():
        try:
            found[name(group, directory)] = some_names(members, directory)
        except ValueError as error:
            mistakes.append(f"{GROUPS}.{group} {error}")
    return found


def _contradictions(config: Config) -> Iterator[str]:
    """Yield what is wrong between values that are right by themselves."""
    keys, ledger, skip = config.keys, config.ledger, config.skip
    if not keys.min_size <= keys.size <= keys.max_size:
        yield "keys.size is not between keys.min_size and keys.max_size"
    if (ledger.file is None) == (ledger.postgresql is None):
        yield "ledger needs either file or postgresql"
    if ledger.file == ledger.last_run:
        yield "ledger.file and ledger.last_run are the same file"
    for both in sorted({*config.sae.here} & {*config.sae.there}):
        yield f"{both} is in sae.here and in sae.there"
    if config.kme.id == config.kme.peer:
        yield "kme.id and kme.peer are the same"
    yield from _wrong_groups(config)
    if skip:
        systems = {skip.local, *skip.remote}
        if skip.local in skip.remote:
            yield "skip.local is in skip.remote"
        for both in sorted(systems & config.saes):  # its keys could be fetched by both protocols
            yield f"{both} is the name of an SAE and of a system of skip"


def _wrong_groups(config: Config) -> Iterator[str]:
    seen: dict[frozenset[str], str] = {}
    for group, members in config.groups.items():
        unknown = sorted({*members} - config.saes)
        if unknown:
            yield f"{GROUPS}.{group} has {', '.join(unknown)}, which is in neither sae.here nor sae.there"
        if len(members) < 2:
            yield f"{GROUPS}.{group} needs two members"
        same = seen.setdefault(frozenset(members), group)
        if same != group:
            yield f"{GROUPS}.{group} has the members of {GROUPS}.{same}"
