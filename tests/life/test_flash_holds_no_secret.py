# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The flash of a unit contains no secret, whole or in pieces of 8 bytes, and nothing that decrypts one.

One is there for a time: the private key to which a membership can be sealed is in nvm from JOINING_KEY to the
provisioning or erasure. It is never in a file.
"""

import random
from collections.abc import Callable
from pathlib import Path

import network_reference
import pytest
from capsule_reference import derive
from session_reference import Binding
from support.pieces import PIECE
from support.power_cuts import FULL, PowerCuts

import ndks
from ndks.crypto import CRYPTO
from ndks.exceptions import AuthenticationError
from ndks.laptop.bindings import BindingStore
from ndks.line.session import open_session
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks.network.member_package import seal_member
from ndks.network.network_file import Network
from ndks_protocol.binding import BindingKeys
from ndks_unit.flash.records import BODY, SEALED, RecordKeys, plausible

from .flash_view import records_under
from .story import Secrets, Story, use

Chapter = Callable[[Story], None]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


@pytest.fixture
def used(story: Story) -> Story:
    story.provision()
    story.bind()
    story.use()
    return story


def test_search_finds_whatever_is_there(used: Story) -> None:
    """Positive control: the search finds any 8 bytes of any of the secrets, at any position."""
    assert len(used.secrets) > 40
    assert used.found() == []
    sectors = [used.desk.unit.flash.nvm, *used.desk.unit.flash.snapshots]
    for position, (name, secret) in enumerate(used.secrets.items()):
        sector = sectors[position % 3]
        assert sector
        kept = bytes(sector.content)
        start, place = position % (len(secret) - PIECE + 1), (997 * position) % 4088
        sector.content[place : place + PIECE] = secret[start : start + PIECE]
        assert name in used.found()
        sector.content[:] = kept
    assert used.found() == []


def test_search_finds_a_joining_key(story: Story) -> None:
    story.request()
    story.request()
    assert story.found() == ["joining key 1"]
    story.join()
    assert story.found() == []


def test_search_finds_what_the_unit_keeps_in_the_clear(used: Story) -> None:
    for number, binding in enumerate(used.bindings):
        used.secrets[f"A {number}"] = Binding(binding).auth
    assert used.found() == [f"A {len(used.bindings) - 1}"], "the present one, and none of those before"


CHAPTERS: dict[str, list[Chapter]] = {
    "blank": [],
    "provisioned": [Story.provision],
    "bound": [Story.provision, Story.bind],
    "used": [Story.provision, Story.bind, Story.use],
    "compacted": [Story.provision, Story.bind, Story.use, Story.compact],
    "compacted twice": [Story.provision, Story.bind, Story.use, Story.compact, Story.use, Story.compact],
    "bound elsewhere": [Story.provision, Story.bind, Story.use, Story.compact, Story.bind_elsewhere],
    "zeroized": [Story.provision, Story.bind, Story.use, Story.compact, Story.zeroize],
    "tampered": [Story.provision, Story.bind, Story.use, Story.compact, Story.tamper],
    "asked to join": [Story.request],
    "asked to join twice": [Story.request, Story.request],
    "joined": [Story.request, Story.join],
    "provisioned in place of joining": [Story.request, Story.provision],
    "joined and used": [Story.request, Story.join, Story.bind, Story.use, Story.compact],
    "zeroized in place of joining": [Story.request, Story.zeroize],
    "tampered in place of joining": [Story.request, Story.tamper],
}


def check(story: Story) -> None:
    """Check that nothing is found but the private key of the unit's joining key, and what a power cut left of one."""
    *snapshots, nvm = story.desk.images()
    view, found = story.view, story.secrets.found_in([nvm])
    assert story.secrets.found_in(snapshots) == []
    assert all(name.startswith("joining key") for name in found)
    if view.joining_key:
        assert found == [name for name, secret in story.secrets.items() if secret == view.joining_key[:32]]
    elif not view.has_remains:
        assert found == []


def check_that_remains_are_erased(story: Story) -> None:
    """Check that the next thing that can happen to a blank unit leaves nothing of what a power cut has left."""
    for chapter in [Story.request, Story.zeroize, Story.provision] if not story.view.is_bound else []:
        chapter(story)
        assert len(story.found()) == (chapter is Story.request)


@pytest.mark.parametrize("fine", [False, True], ids=["steps", "bytes"])
@pytest.mark.parametrize("chapters", CHAPTERS.values(), ids=CHAPTERS)
def test_nothing_is_found_whenever_the_power_goes(
    chapters: list[Chapter], fine: bool, tmp_path: Path, power_cuts: PowerCuts
) -> None:
    story = Story(tmp_path, fine=fine)
    for chapter in chapters[:-1]:
        chapter(story)
        check(story)
    for chapter in chapters[-1:]:
        for _ in story.cuts(chapter, power_cuts):
            check(story)
            story.desk.power_up()
            check(story)
            if story.view.has_remains and not story.view.is_tampered:
                check_that_remains_are_erased(story)
    story.desk.power_up()
    check(story)


@pytest.mark.parametrize("end", [Story.zeroize, Story.tamper], ids=["zeroize", "tamper"])
def test_nothing_that_could_be_opened_is_left_of_what_was_erased(used: Story, end: Chapter) -> None:
    used.compact()
    used.use()
    assert records_under(used.desk.images(), used.bindings[-1])
    end(used)
    used.secrets.update((f"A {binding.hex()}", Binding(binding).auth) for binding in used.bindings)
    assert used.found() == []
    assert not any(records_under(used.desk.images(), binding) for binding in used.bindings)


def test_nothing_is_left_of_the_binding_before(used: Story) -> None:
    used.compact()
    before = used.bindings[-1]
    used.bind_elsewhere()
    used.use()
    assert used.bindings[-1] != before
    assert records_under(used.desk.images(), used.bindings[-1])
    assert records_under(used.desk.images(), before) == []


def test_directory_of_an_emulated_unit(tmp_path: Path) -> None:
    """The search covers all its files and their names."""
    directory, chance, secrets = tmp_path / "unit", random.Random(2), Secrets()
    store = BindingStore(tmp_path / "laptop", lambda with_network=False: (("board", "a laptop"),))
    network = Network.new("another name to look for")
    secrets.of_network(network)

    def found() -> list[str]:
        files = [path for path in directory.rglob("*") if path.is_file()]
        assert len(files) >= 5
        return secrets.found_in([path.read_bytes() for path in files] + [str(path).encode() for path in files])

    with ndks.open(f"emulator:{directory}", create=True, bindings=store) as unit:
        code = unit.provision(network, 1)
        secrets.of_binding("code", code)
        assert found() == []
        unit.bind(code)
        secrets.of_laptop(store.directory)
        secrets.of_binding("laptop", store._binding(unit.hello, (("board", "a laptop"),)))
        for _ in range(3):
            use_again(unit, network, secrets, chance)
            for _ in range(30):
                unit.acknowledge(0, unit.next_index()[1] + 1)
            assert found() == []
        assert unit.status().erases > 3
    assert found() == []
    (directory / "note").write_bytes(network.secret[5 : 5 + PIECE])
    assert found() == ["E"]
    (directory / "note").unlink()
    with ndks.open(f"emulator:{directory}", bindings=store) as unit:
        unit.zeroize()
    assert found() == []


def use_again(unit: ndks.Unit, network: Network, secrets: Secrets, chance: random.Random) -> None:
    """Use a unit that has opened the same messages before."""
    if unit.status().message_counter == 0:
        use(unit, network, secrets, chance)
    else:
        data = chance.randbytes(50)
        secrets.of_message(network, unit.seal(data), data)


def test_directory_of_a_member_of_generations(tmp_path: Path) -> None:
    """Nothing is found of what was sent, of what the unit derives from it, and of what it has given up."""
    directory, secrets = tmp_path / "unit", Secrets()
    store = BindingStore(tmp_path / "laptop", lambda with_network=False: (("board", "a laptop"),))
    administrator = Administrator(Administration(Network.new("a network to look for"), bytes(range(32))))

    def found() -> list[str]:
        return secrets.found_in([path.read_bytes() for path in directory.rglob("*") if path.is_file()])

    def enter(unit: ndks.Unit, bundle: Bundle, lane: int) -> None:
        of_generation(secrets, administrator, bundle.g, lane)
        unit.unlock()
        (notice,) = bundle.notices_for(unit.hint(bundle.g))
        unit.notice(bundle.g, notice)

    with ndks.open(f"emulator:{directory}", create=True, bindings=store) as unit:
        request = unit.join_request()
        lane = administrator.admit(request.serial_number)
        bundle = administrator.issue()
        unit.enrol(seal_member(administrator, request, lane, bundle))
        secrets["name"] = administrator.state.network.name.encode()
        secrets.of_laptop(store.directory)
        enter(unit, bundle, lane)
        for _ in range(8):  # more than the past has room for
            enter(unit, administrator.issue(), lane)
            for _ in range(12):  # more moves than are kept
                unit.renew()
                for _ in range(4):
                    unit.tick(16)
            assert found() == []
    (directory / "note").write_bytes(secrets["G 4"][3 : 3 + PIECE])
    assert sorted(found()) == ["E(4, 0)", "G 4"]


def of_generation(secrets: Secrets, administrator: Administrator, g: int, lane: int) -> None:
    generation = administrator.state.generation(g)
    assert generation
    key = network_reference.member_key(administrator.state.root, lane, g)
    secrets[f"G {g}"], secrets[f"M {g}"] = generation.secret, key
    secrets[f"M {g + 1}"] = network_reference.member_key(administrator.state.root, lane, g + 1)
    for label in ("ndks header mac", "ndks header mask", "ndks control"):
        secrets[f"{label} {g}"] = derive(generation.secret, label)
    for number in range(13):
        secrets[f"E({g}, {number})"] = network_reference.epoch_secret(generation.secret, number)


# An attacker with a copy of the flash


def keys_from_flash(images: list[bytes]) -> list[bytes]:
    """Return every 32 bytes of flash that are not blank, and the KEK derived from them as a binding."""
    windows = {image[start : start + 32] for image in images for start in range(len(image) - 31)}
    windows = {window for window in windows if window.strip(b"\0\xff")}
    return sorted(windows | {derive(window, "ndks bind kek") for window in windows})


def test_nothing_in_flash_opens_a_record(used: Story) -> None:
    used.compact()
    images = used.desk.images()
    sealed = [
        image[offset : offset + BODY + record[1]]
        for image in images
        for offset in range(0, 4064 - BODY, 16)
        if (record := plausible(image, offset)) and record[0] in SEALED
    ]
    keys = RecordKeys(CRYPTO)
    keys.set_kek(Binding(used.bindings[-1]).kek)
    shortest = min((record for record in sealed if keys.decode(record)), key=len)
    tried = keys_from_flash(images)
    assert len(tried) > 1000
    for kek in tried:
        keys.set_kek(kek)
        assert keys.decode(shortest) is None


def test_nothing_in_flash_unlocks_the_unit(used: Story) -> None:
    """A copy of the flash has A, with which an attacker gets as far as UNLOCK."""
    used.compact()
    right = Binding(used.bindings[-1])
    host = used.desk.greeted()
    host.close()
    used.desk.unplug()
    host = used.desk.greeted()
    tried = keys_from_flash(used.desk.images())
    tried += [right.auth, derive(right.auth, "ndks bind kek"), (right.id + bytes.fromhex(host.hello.salt))]
    stolen = BindingKeys(CRYPTO, bytes(32))
    stolen.auth = right.auth
    before = used.desk.images()
    for kek in tried[:: 1 if FULL else 10] + tried[-3:]:
        stolen.kek = kek
        host._owner.greet()
        with pytest.raises(AuthenticationError) as refusal:
            open_session(host._link, host._owner._hello_payload, stolen)
        assert refusal.value.code == "KEK"
    assert used.desk.images() == before, "nothing is written for a wrong key"
    assert used.desk.unit.firmware.state.opened is None
    stolen.kek = right.kek
    host._owner.greet()
    open_session(host._link, host._owner._hello_payload, stolen)
    assert used.desk.unit.firmware.state.opened
