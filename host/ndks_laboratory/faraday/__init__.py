# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The no-channel stage on real laptops (paper, section 4.1.1).

On each laptop in its cage, `take_record` searches for channels, takes keys, encrypts and deletes the message, searches
for channels again, and writes a record. Afterwards an expert compares both records with `compare_records`.
"""

from .channel import ChannelOpen, LaptopChannel, described, open_channels, refuse_open
from .channels import find_channels, interface_channel
from .commitments import SALT_SIZE
from .compare import KeyRow, all_of, compare_records, key_rows
from .computer import Computer
from .record import Record
from .sources import KeySource, keys_of_network, keys_of_unit
from .taking import ChannelWatch, FaradayPlan, KeySet, capsule_of, take_record

__all__ = (
    "LaptopChannel",
    "ChannelOpen",
    "ChannelWatch",
    "KeyRow",
    "KeySet",
    "KeySource",
    "Computer",
    "FaradayPlan",
    "Record",
    "SALT_SIZE",
    "all_of",
    "capsule_of",
    "compare_records",
    "described",
    "find_channels",
    "interface_channel",
    "key_rows",
    "keys_of_network",
    "keys_of_unit",
    "open_channels",
    "refuse_open",
    "take_record",
)
