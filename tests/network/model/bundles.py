# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent and generations."""

from .capsules import Refused
from .packets import Bundle
from .rules import LIMITS, holds
from .sending import Sending
from .station import MOST_CANDIDATES, REST, WAIT


class Bundles(Sending):
    """Bundles for the own unit, and bundles for others."""

    def _on_bundle(self, bundle: Bundle) -> None:
        if not bundle.is_signed(self._public) and holds("bundles are signed"):
            return
        if self.store.bundles.get(bundle.g) == bundle:
            self._repeated_at = self.now
            if self._answer and bundle.g == self._later(self._answer[1])[0]:
                self._answer = None  # somebody else was first
        if bundle.g <= self.g:
            if self.unit.epoch is not None and bundle.g == self.g:
                self._keep(bundle)
            return
        notices = bundle.notices_for(self.unit.hint(bundle.g))
        if not notices:
            self._show()  # its administrator may not know of this member
        elif len(self._candidates) < MOST_CANDIDATES:
            key = (bundle.g, *(box.digest for box in notices), bundle.previous)
            self._candidates.setdefault(key, (bundle, self.now))
            self._enter()

    def _enter(self) -> None:
        """Give the unit the bundles that wait, the oldest first, and for a while none before its predecessor."""
        for key in sorted(self._candidates):
            bundle, since = self._candidates[key]
            if bundle.g <= self.g:
                del self._candidates[key]
            elif bundle.previous <= self.g or self.unit.epoch is None or self._has_waited(since):
                del self._candidates[key]
                self._give(bundle)

    def _has_waited(self, since: int) -> bool:
        return self.now - since >= WAIT or not holds("a bundle waits for the one before it")

    def _give(self, bundle: Bundle) -> None:
        if holds("a bundle is stored before NOTICE"):
            self.store.pending = bundle
            self._step()
        notices = bundle.notices_for(self.unit.hint(bundle.g))
        for box in notices if holds("of equal hints all are tried") else notices[:1]:
            try:
                self.unit.notice(bundle.g, box)
            except Refused as refused:
                if refused.name == "ROSTER":
                    self._show()
                continue
            self._step()
            self._keep(bundle)
            self._after_entering()
            self._report_soon(self._random.randrange(REST))
            self._unknown = False
            self._seal_waiting()
            return

    def _keep(self, bundle: Bundle) -> None:
        self.store.bundles = dict(sorted({**self.store.bundles, bundle.g: bundle}.items())[-LIMITS.past - 1 :])
        self.store.pending = None

    def _after_entering(self) -> None:
        """Forget what a revoked unit may have said of others; they say it again, in the new generation."""
        pending, epoch = self.store.pending, self.unit.epoch
        if epoch is None:
            return
        if pending and pending.g <= epoch >> 16:
            self._keep(pending)
        if self.store.entered != epoch >> 16:
            self.store.entered = epoch >> 16
            for inbox in self.store.inboxes.values():
                inbox.changed()
        cuts = len(self.unit.epochs.revoked)
        if cuts == self.store.cuts or not holds("claims are forgotten when the list grew"):
            return
        for inbox in self.store.inboxes.values():
            inbox.forget_claims()
        self.store.vouchers, self.store.cuts = {}, cuts

    def _on_ask(self, g: int) -> None:
        """Somebody is in generation g, or, for -1, in one before the own."""
        if self._later(g) and not self._answer and self.now >= self._answered_at + 2 * REST:
            self._answer = (self.now + (0 if self.unit.is_master else 2 * self._slot()), g)

    def _show(self) -> None:
        """Let administrators see the newest bundle of this side: a later one does not know what it says."""
        rests = self.now < self._shown_at + 4 * REST
        if self.store.bundles and not rests and holds("hosts show the bundle of their side"):
            self._shown_at = self.now
            self.out.append(self.store.bundles[max(self.store.bundles)])

    def _later(self, g: int) -> list[int]:
        return sorted(kept for kept in self.store.bundles if kept > g)
