# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Scores of ASCII texts by their likeness to English."""

import re

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.uint8]  # shape (texts, bytes)
Costs = npt.NDArray[np.float64]

# -log2 of the frequency of one of " abc...z" (columns) after another (rows), at most 15, one hexadecimal digit each.
# Counted in 5 MB of English prose, the documentation of free software.
_PAIRS = """
b35455466398555459543664a8a 3c545c86d5b7353f6d34366975b 649782abb44f38a48e5673ada4f 53c6a3ab35e45ac29b5735bcd7d
15996299b3ac6a949f75759bc7f 15954667a7ac664967335a6857c 24c9a45bc3fe6aa2ae4864ccd7f 15a9a29644fd57559d5574abe8b
33bbc1cdf3ffa8a4cf7868fde8f 85645545dbf845236a533c5f7f6 549ab1bae5ebb8948ac4b2a9cac 25ba8188c4cb6a588c8487c6c8f
34885288c3ea3ab48e855478e4e 325bb2bdd4fc85843ea6a5bdd9f 25b43473a5a869747da4366bd7c 37665747d69754265f3544659bc
43a9739a65eb38a34e3644ccd5d 59ea8bac9abe78ac8b6a80ceeea 23966286b4e775548e545678e5f 16b6b38b54d888855ab435a9d7f
25c7a3ac23fd7ab48f5566d8c6c 65556476f5fc34384f333dcfafc 62c991bad3ffc7b5beb8baadacd 33ccb3cd22ec8b54cf56adedbdf
2494938a83ce87b93da83b9b67b 1998a7a8a6ff77644c845ca7ddb 53ba91a994ec86a59e79abaab68
"""
_NEVER, _RARE = 25.0, 13.0  # bits: cost of bytes that are not text, and of rare characters
_MARKS = {",": 2.0, ".": 2.0, "'": 5.0, "-": 5.0, "?": 5.0, "!": 5.0, ":": 5.0, ";": 6.0, '"': 6.0, "\n": 6.0}
# The most common words of three letters and more.
_COMMON = """
the and that have for not with you this but his from they say her she will one all would there their what out about
who get which when make can like time just him know take people into year your good some could them see other than
then now look only come its over think also back after use two how our work first well way even new want because any
these give day most are was were been has had did does said made went came took got gone done being more very much
many such each where why here again always never often soon still yet before between through during under above below
while until since three four five six seven eight nine ten hundred thousand million half last next second third
another both few little less least own same too must should may might shall cannot let put keep kept left right long
short high low big small great large old young early late better best worse bad sure able man men woman women child
children world life hand part place case week month hour minute morning evening night today tomorrow yesterday number
point home house room water money price pay paid company group problem fact send sent receive received letter message
answer question call called ask asked tell told need needed feel become leave mean show shown hear heard play run move
live believe hold bring brought happen write written sit stand lose meet meeting met set learn change lead understand
watch follow stop create speak read spend grow open closed close walk win offer remember love consider appear buy wait
serve die build stay fall cut reach kill remain name city street office country state school student family government
business system program power party service law car road door key line end start ready against without within across
along around toward though although however perhaps enough almost already together away down every everything
something nothing anything everyone someone nobody monday tuesday wednesday thursday friday saturday sunday january
february march april june july august september october november december north south east west army attack war peace
ship train plane report order orders secret agree agreed please thank thanks dear sir madam yes
"""
_WORDS = frozenset(_COMMON.split())
_REPEATED = 1.0  # bits: cost of a symbol from its third repetition on


def cost(texts: Texts) -> Costs:
    """Return -log2 of the approximate probability of each text."""
    before = np.concatenate((np.full((len(texts), 1), ord(" "), np.uint8), texts[:, :-1]), axis=1)
    costs = _COSTS[before, texts]
    same = texts == before
    again = same[:, 1:] & same[:, :-1]
    costs[:, 1:][again] = np.minimum(costs[:, 1:][again], _REPEATED)
    return costs.sum(axis=1)


def saved(text: bytes) -> float:
    """Return the bits that common words save in the cost of a text."""
    words = re.findall("[a-z]{3,}", text.decode("ascii", "replace").lower())
    return float(sum(2 * len(word) - 3 for word in words if word in _WORDS))


def _costs() -> Costs:
    """Return the cost of each byte (column) after each other byte (row)."""
    costs = np.full((256, 256), _NEVER)
    printable = [*range(32, 127), 10]
    for after in range(256):
        for byte in printable:
            costs[after, byte] = _cost(chr(after), chr(byte))
    return costs


def _cost(before: str, here: str) -> float:
    if here.isdigit():
        return 4.0 if before.isdigit() else 7.0 if before == " " else 11.0
    if not (here.isalpha() or here == " "):
        end = _letters(before, " ") if before.isalpha() else 4.0
        return end + _MARKS.get(here, _RARE)
    if before.isdigit() or before in _MARKS:
        return 1.0 if here == " " else 8.0
    if here.isupper():
        return _letters(before, here) + (3.0 if before in " \n" else 2.0 if before.isupper() else 8.0)
    return _letters(before, here) + (1.0 if before.isupper() else 0.0)


def _letters(before: str, here: str) -> float:
    row, column = (ord(c.lower()) - ord("a") + 1 if c.isascii() and c.isalpha() else 0 for c in (before, here))
    return float(int(_PAIRS.split()[row][column], 16))


_COSTS = _costs()
