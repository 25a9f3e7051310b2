# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols in capsules: 0, 1 and nothing."""

import io
from collections.abc import Iterable

from ..symbols.symbols import Symbols, marked, unmarked
from . import capsules
from .messages import MessageVerbs
from .opened import step


class SymbolVerbs(MessageVerbs):
    """Sealing and opening of symbols. A nothing is only counted: it takes no key bit, and no memory, of its own."""

    def seal_symbols(self, symbols: "Iterable[int | None]", *, cipher: str = "", mode: str = "b") -> bytes:
        """Seal 0, 1 and None, for nothing, in a capsule and return it; see `encrypt`.

        A silence of any length costs at most 9 bytes: give it as `Symbols.of_runs([(2**62, "1")])` or
        `Symbols.parse(".{4611686018427387904}1")`. OddSymbol, SymbolsTooLong.
        """
        data = marked(Symbols(symbols))  # before the unit's turn: the symbols may take their time
        return self.seal(data, cipher=cipher, mode=mode)

    @step
    def open_symbols(
        self, capsule: bytes, *, mode: str = capsules.FASTER, again: bool = False, allow_jump: bool = False
    ) -> Symbols:
        """Open and accept a capsule and return its symbols; see `decrypt`.

        A capsule with bytes (OtherContent), or with symbols in another coding than the only one (BadSymbols), is not
        accepted.
        """
        taking = self.taking_message(io.BytesIO(capsule), mode=mode, again=again, allow_jump=allow_jump)
        with taking as message:
            return unmarked(message.read())
