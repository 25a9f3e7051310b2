# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Numbers of messages that a laptop keeps for its units: none is given twice."""

from pathlib import Path

import pytest
from host.binding_stores import Laptop, hello_of, laptop, member, other_laptop
from unit.other_member import header_of

import ndks

__all__ = ("laptop", "member", "other_laptop")

LETTER = b"meet me at the old bridge"


def seal(laptop: Laptop, member: str, network: ndks.Network) -> int:
    """Seal a message, and return its number."""
    with laptop.open(member) as unit:
        return header_of(network, unit.seal(LETTER)).number


def test_the_highest_number_is_kept_and_given(
    laptop: Laptop, member: str, network: ndks.Network, tmp_path: Path
) -> None:
    """An old image of the flash is restored; the laptop has the higher counter."""
    directory = tmp_path / "unit"
    image = {path: path.read_bytes() for path in directory.iterdir() if path.suffix == ".bin"}
    assert image
    assert [seal(laptop, member, network) for _ in range(3)] == [1, 2, 3]
    assert laptop.store.minimum_counters(hello_of(laptop, member)).of(0).message_counter == 3
    for path, content in image.items():
        path.write_bytes(content)
    assert seal(laptop, member, network) == 4
    laptop.store.minimum_counters(hello_of(laptop, member)).note(0, message_counter=100)
    assert seal(laptop, member, network) == 101


def test_the_number_that_an_earlier_version_kept_is_taken_over(
    laptop: Laptop, member: str, network: ndks.Network
) -> None:
    serial_number = hello_of(laptop, member).serial_number
    (laptop.directory / "counters" / f"{serial_number}.json").unlink()
    file = laptop.file_of(serial_number)
    file.write_text(file.read_text().replace('"own_number": 0', '"own_number": 41'))
    assert seal(laptop, member, network) == 42


@pytest.mark.parametrize("number", [1 << 48, 1 << 64])
def test_a_false_number_that_an_earlier_version_kept_is_passed_over(
    number: int, laptop: Laptop, member: str, network: ndks.Network
) -> None:
    serial_number = hello_of(laptop, member).serial_number
    (laptop.directory / "counters" / f"{serial_number}.json").unlink()
    file = laptop.file_of(serial_number)
    file.write_text(file.read_text().replace('"own_number": 0', f'"own_number": {number}'))
    assert seal(laptop, member, network) == 1


def test_numbers_of_a_crash_are_kept_too(laptop: Laptop, member: str, network: ndks.Network) -> None:
    crashing = laptop.open(member)
    assert header_of(network, crashing.seal(LETTER)).number == 1
    crashing._link.close()
    number = seal(laptop, member, network)
    assert 1 < number <= 65
    assert laptop.store.minimum_counters(hello_of(laptop, member)).of(0).message_counter == number


def test_a_number_far_above_needs_leave(laptop: Laptop, member: str, network: ndks.Network) -> None:
    for number in (1 << 20, (1 << 20) + 2):
        laptop.store.minimum_counters(hello_of(laptop, member)).note(0, message_counter=number)
    with laptop.open(member) as unit:
        with pytest.raises(ndks.DeviceError) as refused:
            unit.next_index()
        assert refused.value.code == "TOO_FAR"
        unit.unlock(allow_jump=True)
        assert header_of(network, unit.seal(LETTER)).number == (1 << 20) + 3


def test_numbers_survive_rebinding(laptop: Laptop, member: str, network: ndks.Network) -> None:
    assert seal(laptop, member, network) == 1
    laptop.network = (("subnet", "10.0.0.0/8"),)
    with laptop.open(member) as unit:
        unit.bind(with_network=True)
    assert laptop.store.minimum_counters(hello_of(laptop, member)).of(0).message_counter == 1
    assert seal(laptop, member, network) == 2


def test_numbers_begin_again_after_zeroizing_and_provisioning(
    laptop: Laptop, member: str, network: ndks.Network
) -> None:
    for _ in range(3):
        seal(laptop, member, network)
    with laptop.open(member) as unit:
        serial_number = unit.hello.serial_number
        unit.zeroize()
        assert unit.hello.state == "blank"
        assert not laptop.file_of(serial_number).exists()
        unit.bind(unit.provision(network, 2))
    assert seal(laptop, member, network) == 1


def test_numbers_begin_again_when_it_was_zeroized_elsewhere(
    laptop: Laptop, other_laptop: Laptop, member: str, network: ndks.Network
) -> None:
    for _ in range(3):
        seal(laptop, member, network)
    with other_laptop.open(member) as unit:
        unit.zeroize()
        code = unit.provision(network, 2)
    with laptop.open(member) as unit:
        unit.bind(code)
    assert seal(laptop, member, network) == 1


def test_a_store_on_a_full_disk_does_not_take_the_message_back(
    laptop: Laptop, member: str, network: ndks.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is sealed; only the minimum counter is not written. The session is closed."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("ndks.laptop.bindings.write_private", refuse)
        with laptop.open(member) as unit:
            assert header_of(network, unit.seal(LETTER)).number == 1
    assert seal(laptop, member, network) == 2
