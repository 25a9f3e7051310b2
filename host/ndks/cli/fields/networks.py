# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What commands on networks answer: their files, administrators, members, and how units join."""

from .shared import BINDING

_NETWORK = "network network_id suite warning?"
_CHANGED = "network file generation member_count revoked_count"
_PUBLISHED = "heard? retained?"
_ADMITTED = "(lane serial_number label state)"
ANSWERS = {
    "network new": f"{_NETWORK} cipher file kept_as? administrator? authority?",
    "network show NAME.ndksadmin": f"{_NETWORK} cipher p1? p2? digits f1 f2 administrator authority revocations "
    "generation members[](lane serial_number label state joined request who when why)",
    "network another": f"{_CHANGED} administrator revocations",
    "network revoke": f"{_CHANGED} {_PUBLISHED} units[]{_ADMITTED}",
    "network retire": f"{_CHANGED} {_PUBLISHED} units[]{_ADMITTED}",
    "network refresh": f"{_CHANGED} {_PUBLISHED} digits f1 f2",
    "network merge": f"{_CHANGED} {_PUBLISHED} merged",
    "network upgrade": f"{_CHANGED} units[]{_ADMITTED}",
    "network publish": f"{_CHANGED} {_PUBLISHED}",
    "network renew": "generation number",
    "network show": f"{_NETWORK} cipher p1? p2? digits f1 f2 epoch next_lane "
    "members[](lane serial_number label binding_id)",
    "provision": f"{_NETWORK} serial_number lane transport_code",
    "provision --bind": f"{_NETWORK} {BINDING}",
    "provision --for": f"{_NETWORK} serial_number lane file words",
    "provision PACKAGE": "network serial_number lane transport_code",
    "provision PACKAGE --bind": f"{_NETWORK} {BINDING}",
    "provision NAME.ndksadmin --bind": "network serial_number lane generation number file member_count revoked_count",
    "join request": "serial_number file words opening?",
    "join inspect": "serial_number label network date words committed shown? problem? file? agreement_words?",
    "join approve": f"{_CHANGED} {_PUBLISHED} serial_number lane words package",
    "join accept": "network serial_number lane generation number",
}
MEANINGS = {
    "administrator": "number of the administrator, 0 to 3",
    "agreement_words": "six words of the SHA-256 of agreement.json",
    "authority": "public key of OpenSSH whose signature each candidate needs; empty: none does",
    "committed": "names of the characteristics that the request commits to",
    "heard": "whether a member was heard in the new generation; null: none is there that could be",
    "joined": "first generation of the unit; null: the next one",
    "kept_as": "path of the copy of the network file that was there, if that network has units",
    "member_count": "how many units are in the present generation",
    "members": "units that were made from the file",
    "merged": "whether a new generation was made that unites what two administrators did apart",
    "next_lane": "lane that the next unit gets",
    "join.number": "epoch, counted in its generation",
    "provision.number": "epoch, counted in its generation",
    "opening": "path of the file that opens the request's commitments, for the authority",
    "package": "path of the package",
    "request": "SHA-256 of the request, in hexadecimal digits",
    "retained": "whether the carriers keep what was published for those who come later",
    "revocations": "how many units this administrator may still revoke",
    "revoked_count": "how many units are revoked",
    "shown": "what the candidate shows: names and values",
    "network.state": "in, retired or revoked",
    "transport_code": "24 words that bind the unit, at another laptop",
    "when": "when that was agreed",
    "who": "who agreed that the unit may join",
    "why": "why the unit may join",
    "words": "six words of the file's SHA-256, to be compared by voice",
}
