# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden life of a unit, with the contents of nvm and snapshots, and single records."""

import copy

import pytest
from hosts.played import host_of, play
from support.reference import FIRMWARE_OF_VECTORS, flash_images, load_vectors

from ndks_protocol import commands
from ndks_unit import device
from ndks_unit.flash import records
from ndks_unit.flash.records import RecordKeys
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("flash")
GENERATIONS = load_vectors("generation_records")
SEALED_RECORD = load_vectors("suite")["sealed_record"]
RECORDS = [(entry["type"], entry["seq"], bytes.fromhex(entry["body"]), entry["record"]) for entry in VECTORS["records"]]
WITHOUT_KEY = {*records.PLAIN, records.ERASING, records.JOINING_KEY}  # plain records


@pytest.fixture(autouse=True)
def firmware_of_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "FIRMWARE", FIRMWARE_OF_VECTORS)


def test_the_published_life() -> None:
    host = host_of(VECTORS, VECTORS)
    play(host, VECTORS["steps"])
    assert host.unit.flash.nvm.erases >= 4


def test_the_published_life_shows_every_type_of_record() -> None:
    shown = {step["command"] for step in VECTORS["steps"] if "flash" in step}
    assert shown >= {commands.PROVISION.code, commands.BIND.code, commands.ZEROIZE.code, commands.ACKNOWLEDGE.code}
    types = {entry["type"] for entry in VECTORS["records"]}
    assert types >= {*records.SEALED[:3], *records.OPEN, *WITHOUT_KEY}


def test_the_published_joining_keys() -> None:
    host = host_of(VECTORS, {})
    play(host, VECTORS["joining"])
    assert host.firmware.state.lifecycle == commands.STATE_TAMPERED


def test_no_published_joining_key_is_left_by_what_erases_it() -> None:
    """Nothing of an earlier key is in flash, and no file ever has a part of the present one."""
    earlier = b""
    private = b""
    for step in VECTORS["joining"]:
        if "flash" not in step:
            continue
        nvm, *files = flash_images(step["flash"])
        at = nvm.find(b"\xf3\0\x40")
        private = nvm[at + records.BODY :][:32] if at >= 0 else b""
        for start in range(0, len(earlier), 8):
            assert not any(earlier[start:][:8] in image for image in (nvm, *files)) or private == earlier
        assert not any(private[start:][:8] in image for image in files for start in range(0, len(private), 8))
        earlier = private or earlier


def test_a_binding_that_was_interrupted_is_settled() -> None:
    interrupted = VECTORS["interrupted_binding"]
    steps = copy.deepcopy(interrupted["steps"])
    assert steps[0].pop("restart")  # the unit has just started
    play(host_of(VECTORS, interrupted), steps)


@pytest.mark.parametrize("cause", VECTORS["interrupted_erasures"])
def test_an_erasure_that_was_interrupted_is_finished(cause: str) -> None:
    interrupted = VECTORS["interrupted_erasures"][cause]
    host = host_of(VECTORS, interrupted)
    assert host.unit.flash.images == flash_images(interrupted["after"])
    assert host.firmware.state.lifecycle == (
        commands.STATE_TAMPERED if cause == "by_tampering" else commands.STATE_BLANK
    )


def record_keys(auth: str = VECTORS["bindings"][0]["A"], kek: str = VECTORS["bindings"][0]["KEK"]) -> RecordKeys:
    keys = RecordKeys(CRYPTO)
    keys.set_auth(bytes.fromhex(auth))
    keys.set_kek(bytes.fromhex(kek))
    return keys


def test_published_records() -> None:
    keys = record_keys()
    for kind, sequence, body, record in RECORDS:
        assert keys.encode(kind, body, sequence).hex() == record
        assert keys.decode(bytes.fromhex(record)) == body


def test_published_records_of_generations() -> None:
    for case in GENERATIONS["records"]:
        body = bytes.fromhex(case["body"])
        for binding, record in zip(GENERATIONS["bindings"], case["records"], strict=True):
            keys = record_keys(binding["A"], binding["KEK"])
            assert keys.encode(case["type"], body, case["seq"]).hex() == record
            assert keys.decode(bytes.fromhex(record)) == body
            whole = bytes.fromhex(record).ljust(4096, b"\xff")
            assert records.plausible(whole, 0) == (case["type"], len(body), case["seq"])


def test_a_generation_that_has_a_lane_or_a_past_too_many_is_no_record() -> None:
    for kind, size in ((records.GENERATION, 221 + 2 * 97), (records.PAST, 7 * 106), (records.FIRST_KEY, 34)):
        record = record_keys().encode(kind, bytes(size), 1)
        assert records.plausible(bytes(record).ljust(4096, b"\xff"), 0) is None


def test_the_sealed_record_of_another_implementation() -> None:
    keys = record_keys(kek=SEALED_RECORD["KEK"])
    body = bytes.fromhex(SEALED_RECORD["plaintext"])
    assert keys.encode(SEALED_RECORD["type"], body, SEALED_RECORD["seq"]).hex() == SEALED_RECORD["record"]
    assert keys.decode(bytes.fromhex(SEALED_RECORD["record"])) == body


def test_a_published_record_with_one_bit_changed_is_none() -> None:
    keys = record_keys()
    for kind, _, body, record in RECORDS:
        for bit in range(0, 8 * (records.BODY + len(body)), 5):
            damaged = bytearray.fromhex(record)
            damaged[bit // 8] ^= 1 << bit % 8
            if 8 <= bit < 24 or damaged[0] not in {*records.SEALED, *records.OPEN, *WITHOUT_KEY}:
                continue  # wrong size or type: no reader takes it for a record
            assert keys.decode(bytes(damaged)) is None, (kind, bit)


def test_under_other_keys_only_plain_records_are_read() -> None:
    strange = VECTORS["bindings"][1]
    for keys in (RecordKeys(CRYPTO), record_keys(strange["A"], strange["KEK"])):
        read = {kind for kind, _, _, record in RECORDS if keys.decode(bytes.fromhex(record)) is not None}
        assert read == WITHOUT_KEY


def test_no_published_secret_is_anywhere_in_flash() -> None:
    """Flash contains neither the network's secret nor a key that decrypts it."""
    secret = load_vectors("suite")["network"]["secret"]
    hidden = [secret, *(binding[name] for binding in VECTORS["bindings"] for name in ("B", "KEK"))]
    dumps = [step["flash"] for step in VECTORS["steps"] if "flash" in step]
    for dump in [*dumps, VECTORS["interrupted_binding"]["before"]]:
        for whole in flash_images(dump):
            assert not any(bytes.fromhex(value)[start:][:8] in whole for value in hidden for start in (0, 8, 16, 24))
