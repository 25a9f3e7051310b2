# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining an administered network: agreement, signature of the authority, package, commitments (section 13)."""

import base64
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from support.agents import NETWORK, Host, administrator
from support.network_unit import NetworkUnit

from ndks.crypto import CRYPTO
from ndks.exceptions import AuthenticationError, CheckFailed, JoiningFileError, UsageError
from ndks.network.administrator import Administrator
from ndks.network.agreement import NAMESPACE, Agreement
from ndks.network.approval import agreement_for, approve
from ndks.network.commitments import commit, differing, new_key
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import CommittedRequest, JoinRequest
from ndks.network.member_package import MEMBERSHIP, MemberPackage
from ndks.network.ssh_signature import check_authority, check_signature
from ndks_protocol.fields import unpack
from ndks_protocol.sealed_package import ephemeral_of, unseal
from ndks_protocol.wire import RELAY

UID = "0123456789ABCDEF"
JOINING_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
COMMITMENTS = commit(bytes(32), [("machine", "a laptop"), ("mac", "00:11"), ("mac", "00:22")])

# Made with OpenSSH: ssh-keygen -Y sign -n ndks-join -f KEY FILE
FILE = b"far lane\n"
AUTHORITY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMM7evNumsQJQdwcBQc8eXqa8IPx8DwPOJivVVpjONl0 authority"
SIGNATURE = """-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgwzt6826axAlB3BwFBzx5eprwg/
HwPA84mK9VWmM42XQAAAAJbmRrcy1qb2luAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1l
ZDI1NTE5AAAAQNeANDZkGCAoADsBsE4dYrzDiYtNs5Mwjr/l/c7cLJ0QIw1rWSyKeB5/1R
T6zj0YCQGSuDrdk13T9ps6nZASFgM=
-----END SSH SIGNATURE-----"""
OTHER_NAMESPACE = """-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgwzt6826axAlB3BwFBzx5eprwg/
HwPA84mK9VWmM42XQAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAEBPd3fPh3Kkt1ECLz69mj735D5/SIyVEFmBCrBa8XklgAVANVymambwmd3vZDUxkG
RaMthEpu1/j7hNrMG4+8UE
-----END SSH SIGNATURE-----"""
OTHER_KIND = """-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEe9D5/rz8t3Z+tK5SckifsroOhAmuP24lsZrmrbSV0/vYHlLRVPvPoFKLWgIcDxecILpH
5grz9WqGSXj6gptQTQAAAAluZGtzLWpvaW4AAAAAAAAABnNoYTUxMgAAAGUAAAATZWNkc2
Etc2hhMi1uaXN0cDI1NgAAAEoAAAAhAKLyhTr38a7FVA4+Za8pd7ftOPqxCn4W44i/48YQ
XKcUAAAAIQCf5J+9l++aj8drcH/13X2feNKc3mWg4Dxf9ICzzqQiAQ==
-----END SSH SIGNATURE-----"""


def request(**fields: Any) -> CommittedRequest:
    public = JOINING_KEY.public_key().public_bytes_raw()
    return CommittedRequest.committed(UID, public, COMMITMENTS, label="Alice's unit", **fields)


def agreed(admin: Administrator, asked: JoinRequest) -> Agreement:
    return agreement_for(admin, asked, "Bob", "2026-11-28", "needs it")


def membership_in(package: MemberPackage) -> tuple[Any, ...]:
    shared = JOINING_KEY.exchange(X25519PublicKey.from_public_bytes(ephemeral_of(package.sealed)))
    fields = unseal(CRYPTO, shared, JOINING_KEY.public_key().public_bytes_raw(), package.sealed)
    return unpack(MEMBERSHIP, fields)


def test_request_approval_and_package() -> None:
    admin, asked = administrator(), request(network="far")
    admin.issue()
    package = approve(admin, asked, agreed(admin, asked), mode=RELAY)
    lane, g, key, *others = membership_in(package)
    assert (lane, g) == (package.lane, admin.state.g) == (4, 4)
    assert others == [1, 0, 3, "far", "0.52", "25", 0, 0, RELAY]
    assert (package.serial_number, package.tick, package.signing_key) == (UID, 1, admin.keys.public)
    host = Host(NetworkUnit(lane, g, key), package.signing_key)
    host.receive(package.bundle)
    assert host.unit.noticed == [4]
    assert key.hex() not in package.content.decode()
    (member,) = admin.state.members
    assert member.admission.request == sha256(asked.content).hexdigest()
    assert (member.admission.label, member.admission.who) == ("Alice's unit", "Bob")
    assert member.admission.commitments == COMMITMENTS
    assert len(package.words.split()) == 6


def test_the_longest_package_fits_one_request() -> None:
    admin = administrator()
    network = replace(NETWORK, name="n" * 32, p1="0." + "1" * 60, p2="25." + "1" * 60)
    admin.state = replace(admin.state, network=network)
    asked = request()
    assert len(approve(admin, asked, agreed(admin, asked)).sealed) - 48 <= 237


def test_requests_that_are_refused() -> None:
    admin, asked = administrator(), request()
    approve(admin, asked, agreed(admin, asked))
    with pytest.raises(UsageError, match="approved before"):
        approve(admin, asked, agreed(admin, asked))
    again = request(network="far")
    with pytest.raises(UsageError, match="a member already"):
        approve(admin, again, agreed(admin, again))
    with pytest.raises(CheckFailed, match="another request"):
        approve(admin, again, agreed(admin, asked))
    other = request(network="near")
    with pytest.raises(CheckFailed, match="for network near"):
        approve(admin, other, agreed(admin, other))
    weak = JoinRequest.new(UID, bytes(32))
    with pytest.raises(AuthenticationError):
        approve(admin, weak, agreed(admin, weak))
    assert admin.state.g == 0


def test_the_authority_signs() -> None:
    admin, asked = administrator(), request()
    key = Ed25519PrivateKey.generate()
    admin.state = replace(admin.state, authority=public_line(key))
    agreement = agreed(admin, asked)
    with pytest.raises(CheckFailed, match="wants its authority's signature"):
        approve(admin, asked, agreement)
    with pytest.raises(CheckFailed, match="another key"):
        approve(admin, asked, agreement, signed(Ed25519PrivateKey.generate(), agreement.content))
    with pytest.raises(CheckFailed, match="does not fit"):
        approve(admin, asked, agreement, signed(key, agreement.content + b" "))
    assert admin.state.members == ()
    assert approve(admin, asked, agreement, signed(key, agreement.content)).lane == 4


def test_agreements_are_read_as_they_are_written() -> None:
    admin, asked = administrator(), request()
    agreement = agreed(admin, asked)
    assert Agreement.parsed(agreement.content) == agreement
    assert json.loads(agreement.content)["ndks_join_agreement"] == 1
    bad = (b"", b"{}", b"[1]", agreement.content[:-1], agreement.content.replace(b"Bob", b""), b"[" * 100_000)
    for content in bad:
        with pytest.raises((CheckFailed, UsageError)):
            Agreement.parsed(content)
    with pytest.raises(UsageError, match="who agreed"):
        agreement_for(admin, asked, "", "2026-11-28", "")
    with pytest.raises(UsageError, match="ISO 8601"):
        agreement_for(admin, asked, "Bob", "yesterday", "")


def test_a_signature_of_openssh() -> None:
    check_authority(AUTHORITY)
    check_signature(FILE, SIGNATURE, AUTHORITY, NAMESPACE)
    check_signature(FILE, "\n" + SIGNATURE.replace("\n", "\r\n") + "\n", AUTHORITY, NAMESPACE)
    refused_for = {
        "does not fit the file": (b"other", SIGNATURE),
        "namespace is not ndks-join": (FILE, OTHER_NAMESPACE),
        "of a kind": (FILE, OTHER_KIND),
    }
    for what, (content, signature) in refused_for.items():
        with pytest.raises(CheckFailed, match=what):
            check_signature(content, signature, AUTHORITY, NAMESPACE)


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_damaged_signatures(place: int) -> None:
    lines = SIGNATURE.splitlines()
    blob = bytearray(base64.b64decode("".join(lines[1:-1])))
    if place < len(blob):
        blob[place] ^= 1
    else:
        blob = blob[: place - len(blob)]
    damaged = "\n".join([lines[0], base64.b64encode(blob).decode(), lines[-1]])
    with pytest.raises(CheckFailed):
        check_signature(FILE, damaged, AUTHORITY, NAMESPACE)


@pytest.mark.parametrize("armored", ["", "text", SIGNATURE[:-5], SIGNATURE[5:], SIGNATURE.replace("U1NI", "!!!!")])
def test_what_is_no_signature(armored: str) -> None:
    with pytest.raises(CheckFailed):
        check_signature(FILE, armored, AUTHORITY, NAMESPACE)


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa" + AUTHORITY[11:], AUTHORITY[:60]])
def test_what_is_no_key_of_an_authority(line: str) -> None:
    with pytest.raises(UsageError):
        check_authority(line)


def test_commitments() -> None:
    key = new_key()
    shown = [("machine", "a laptop"), ("mac", "00:11"), ("mac", "00:22")]
    given = commit(key, shown)
    assert [name for name, _ in given] == ["mac", "mac", "machine"]
    assert differing(given, key, shown[::-1]) == []
    assert differing(given, key, shown[:2]) == ["mac"]
    assert differing(given, key, [*shown[1:], ("machine", "another")]) == ["machine"]
    assert differing(given, new_key(), shown) == ["mac", "machine"]
    assert commit(bytes(32), [("mac", "00:11")]) == (("mac", "cf6034c291235a6a57d4fa32781c5e5f"),)


def test_requests_with_commitments_are_read_strictly(tmp_path: Path) -> None:
    asked = request()
    path = tmp_path / "request"
    asked.save(path)
    assert CommittedRequest.load(path) == asked
    with pytest.raises(JoiningFileError, match="another version"):
        JoinRequest.load(path)
    values = json.loads(asked.content)
    for commitments in (None, 5, [["mac"]], [["mac", "00"]], [[5, "00" * 16]], [["mac", "AB" * 16]]):
        refused(CommittedRequest, values | {"commitments": commitments})


def test_packages_are_read_strictly(tmp_path: Path) -> None:
    admin, asked = administrator(), request()
    package = approve(admin, asked, agreed(admin, asked))
    path = tmp_path / "package"
    package.save(path)
    assert MemberPackage.load(path) == package
    with pytest.raises(JoiningFileError, match="another version"):
        JoinPackage.load(path)
    values = json.loads(package.content)
    other = administrator(1).issue().content.hex()
    damage: list[dict[str, Any]] = [
        *({"tick": tick} for tick in (0, 65536, True, "1")),
        *({"signing_key": key} for key in ("00", "00" * 32, 5)),
        *({"bundle": bundle} for bundle in ("", "42", values["bundle"][:-2], values["bundle"][:-2] + "zz", None)),
        {"more": 1},
    ]
    for change in damage:
        refused(MemberPackage, values | change)
    assert MemberPackage.parsed(json.dumps(values | {"bundle": other}).encode(), "p").bundle.hex() == other


def refused(kind: type[JoinRequest | MemberPackage], values: dict[str, Any]) -> None:
    with pytest.raises(JoiningFileError):
        kind.parsed(json.dumps(values).encode(), "the file")


def public_line(key: Ed25519PrivateKey) -> str:
    return "ssh-ed25519 " + base64.b64encode(public_blob(key)).decode() + " authority"


def public_blob(key: Ed25519PrivateKey) -> bytes:
    return string(b"ssh-ed25519") + string(key.public_key().public_bytes_raw())


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def signed(key: Ed25519PrivateKey, content: bytes) -> str:
    parts = [NAMESPACE.encode(), b"", b"sha256"]
    signature = key.sign(b"SSHSIG" + b"".join(map(string, [*parts, sha256(content).digest()])))
    fields = [public_blob(key), *parts, string(b"ssh-ed25519") + string(signature)]
    blob = b"SSHSIG\0\0\0\1" + b"".join(map(string, fields))
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"
