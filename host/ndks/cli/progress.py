# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The progress bar of long commands."""

from typing import Any

from tqdm import tqdm

_TELLING = 3.0  # seconds, after which a rate means something
_EARLY_FORMAT = "{l_bar}{bar}| {n_fmt}/{total_fmt}"


class Bar(tqdm):  # pyright: ignore[reportMissingTypeArgument]
    """A progress bar that shows no rate and no remaining time during the first seconds, when they mean nothing."""

    @property
    def format_dict(self) -> Any:
        values = super().format_dict
        if values["elapsed"] < _TELLING:
            values["bar_format"] = _EARLY_FORMAT if values["total"] else "{desc}: {n_fmt}"
        return values
