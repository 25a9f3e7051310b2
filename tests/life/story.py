# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that is used for everything, and all the secrets that it has had."""

import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import capsule_reference
from capsule_reference import Message, derive
from session_reference import Binding
from support.pieces import PIECE, pieces
from support.power_cuts import PowerCuts
from support.reference import clear_header, message

from ndks.driver.unit import Unit
from ndks.exceptions import NdksError
from ndks.network.network_file import Network
from ndks_emulator import PowerCut
from ndks_protocol import commands

from .desk import Desk
from .flash_view import FlashView, look
from .packages import package_for


class Secrets(dict[str, bytes]):
    """Secrets by name, each of at least PIECE bytes."""

    def of_network(self, network: Network) -> None:
        self["E"] = network.secret
        self["header mac key"] = derive(network.secret, "ndks header mac")
        self["header mask key"] = derive(network.secret, "ndks header mask")
        self["p1"], self["p2"], self["name"] = network.p1.encode(), network.p2.encode(), network.name.encode()

    def of_binding(self, name: str, binding: bytes) -> None:
        keys = Binding(binding)
        self[f"{name}: B"], self[f"{name}: KEK"] = binding, keys.kek
        self[f"{name}: seal mac"] = derive(keys.kek, "ndks seal mac")
        self[f"{name}: seal enc"] = derive(keys.kek, "ndks seal enc")

    def of_laptop(self, directory: Path) -> None:
        text = (directory / "host_secret").read_text().strip()
        self["host secret"], self["host secret as text"] = bytes.fromhex(text), text.encode()

    def of_message(self, network: Network, capsule: bytes, data: bytes) -> None:
        clear = clear_header(network, capsule)
        name = f"message {clear[5:13].hex()}"
        parameters = capsule_reference.Network(network.secret, network.p1, network.p2, network.digits)
        self[f"{name}: data"] = data
        self[f"{name}: keystream or AES key"] = Message(parameters, clear, data).z
        for label in ("ndks capsule auth", "ndks capsule mask"):
            self[f"{name}: {label}"] = derive(network.secret, label, clear)

    def found_in(self, images: list[bytes]) -> list[str]:
        """Return the names of secrets of which a piece is anywhere in the images."""
        assert all(len(secret) >= PIECE for secret in self.values())
        places = {piece for image in images for piece in pieces(image)}
        return [name for name, secret in self.items() if places & pieces(secret)]


def use(unit: Unit, network: Network, secrets: Secrets, chance: random.Random) -> None:
    """Use every command of a unit."""
    for bits in (256, 1000):
        key = unit.next_key(bits)
        secrets[f"exported key {key.index}"] = key.data
        secrets[f"its mask {key.index}"] = derive(network.secret, "ndks export mask", key.index.to_bytes(8))
    for cipher in commands.CIPHERS:
        for mode in "ab":
            data = chance.randbytes(50)
            secrets.of_message(network, unit.seal(data, cipher=cipher, mode=mode), data)
    for number, mode in ((7, "a"), (9, "b"), (8, "a")):
        sent = message(network, 77, number, chance.randbytes(50), salt=chance.randbytes(8))
        data = unit.unseal(sent.capsule, mode=mode, again=True)
        unit.accept(sent.capsule)
        secrets.of_message(network, sent.capsule, data)
    unit.trust(78, "77" * 16)


class Story:
    """A unit on a desk, from its blank state on."""

    def __init__(self, directory: Path, *, fine: bool = False) -> None:
        self.chance = random.Random(1)
        self.desk = Desk(directory, self.chance, fine=fine)
        self.network = Network.new("a name that nobody guesses")
        self.secrets = Secrets()
        self.secrets.of_network(self.network)
        self.joining_keys = 0

    @property
    def view(self) -> FlashView:
        return look(self.desk.images(), [*self.desk.bindings, *self.bindings])

    @property
    def bindings(self) -> list[bytes]:
        """Return all bindings that the unit has had, from its transport code on."""
        return [secret for name, secret in self.secrets.items() if name.endswith(": B")]

    @property
    def salt(self) -> bytes:
        binding = self.desk.unit.firmware.state.binding
        assert binding
        return binding.salt

    def do(self, operation: Callable[[Unit], object]) -> None:
        """Run a command of the host; any result is permitted if the power is cut."""
        with suppress(NdksError) if self.desk.unit.power.steps_left is not None else nullcontext():
            operation(self.desk.greeted())

    def provision(self) -> None:
        self.do(lambda host: host.provision(self.network, 1))
        if self.desk.bindings:
            self.secrets.of_binding(f"code {len(self.desk.bindings)}", self.desk.bindings[-1])

    def request(self) -> None:
        """Make a joining key, which makes the one before void."""
        self.do(lambda host: host._link.call(commands.JOINING_KEY))
        pair = self.view.joining_key
        if pair and pair[:32] not in self.secrets.values():
            self.secrets[f"joining key {self.joining_keys}"] = pair[:32]
            self.joining_keys += 1

    def join(self) -> None:
        """Join by a package that was sealed to the latest joining key."""
        joining_key, code = self.view.joining_key[32:], self.chance.randbytes(32)
        package = package_for(self.network, 1, joining_key, self.chance.randbytes(32))
        self.do(lambda host: host._owner.provision(commands.PROVISION_SEALED, code, package))
        self.secrets.of_binding(f"code {len(self.desk.bindings)}", code)

    def bind(self) -> None:
        code, salt = self.desk.bindings[-1], self.salt
        self.do(lambda host: host.bind(code))
        if (self.desk.store.directory / "host_secret").exists():
            self.secrets.of_laptop(self.desk.store.directory)
            self.secrets.of_binding(f"laptop as {self.desk.looks['A']}", self.desk.binding_of("A", salt))

    def bind_elsewhere(self) -> None:
        """Bind the unit to another laptop, which gets the present binding as a code."""
        salt = self.salt
        code = self.desk.binding_of("A", salt)
        self.desk.unplug()
        self.desk.here = "B"
        self.do(lambda host: host.bind(code))
        if (self.desk.store.directory / "host_secret").exists():
            self.secrets.of_binding("laptop B", self.desk.binding_of("B", salt))

    def use(self) -> None:
        self.do(lambda host: use(host, self.network, self.secrets, self.chance))

    def compact(self) -> None:
        """Fill the log until it is compacted."""
        sector = self.desk.unit.flash.nvm
        erases = sector.erases
        while sector.erases == erases and self.desk.unit.power.on:
            self.do(lambda host: host.acknowledge(0, host.next_index()[1] + 1))

    def zeroize(self) -> None:
        self.do(lambda host: host.zeroize())

    def tamper(self) -> None:
        self.desk.unit.case.open()
        with suppress(PowerCut) if self.desk.unit.power.steps_left is not None else nullcontext():
            self.desk.unit.poll()

    def found(self) -> list[str]:
        return self.secrets.found_in(self.desk.images())

    def cuts(self, chapter: "Callable[[Story], None]", power_cuts: PowerCuts) -> Iterator[int]:
        """Repeat a chapter with a power cut after ever more steps; yield the numbers of steps."""
        images = self.desk.images()
        before = self.desk.unit.power.steps
        chapter(self)
        steps = self.desk.unit.power.steps - before
        for left in (1 + point for point in power_cuts.points(steps - 2, at_most=40, in_full=300)):
            self.desk.unit.case.close()
            self.desk.put_back(images)
            self.desk.power_up()
            self.desk.here = "A"
            self.desk.unit.power.steps_left = left
            chapter(self)
            self.desk.unit.power.restore()
            yield left
