# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of retries: until success, while the error is temporary, and within the time limit."""

from types import SimpleNamespace

import pytest

from ndks import retry as module
from ndks import times
from ndks.retry import retry


class Attempts:
    """An operation that raises the given errors, one per attempt, then succeeds. It records pauses without waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
        self._errors = list(errors)
        self.count = 0
        self.now = 50.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self._sleep))

    def __call__(self) -> str:
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"

    def _sleep(self, seconds: float) -> None:
        assert seconds == times.RETRY_PAUSE
        self.now += seconds


def is_os_error(error: Exception) -> bool:
    return isinstance(error, OSError)


@pytest.mark.parametrize("failures", [0, 1, 5])
def test_until_it_works(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    attempts = Attempts(monkeypatch, *[OSError()] * failures)
    assert retry(attempts, is_os_error, 1.0) == "done"
    assert attempts.count == failures + 1


def test_only_while_it_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(monkeypatch, OSError(), ValueError("for good"), OSError())
    with pytest.raises(ValueError, match="for good"):
        retry(attempts, is_os_error, 1.0)
    assert attempts.count == 2


def test_no_longer_than_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(monkeypatch, *[OSError()] * 100)
    with pytest.raises(OSError):  # noqa: PT011
        retry(attempts, is_os_error, 10 * times.RETRY_PAUSE)
    assert 10 <= attempts.count <= 12


def test_at_least_once_more_where_the_attempt_itself_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(monkeypatch, OSError())
    assert retry(attempts, is_os_error, 0.0) == "done"
