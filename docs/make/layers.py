# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Lay out a graph in layers, arrows downwards, with few crossings (after Sugiyama, Tagawa and Toda, 1981)."""

import itertools
from collections.abc import Iterable

Arrow = tuple[str, str]
_SWEEPS = 40  # few graphs of this size get better after ten


class Layers:
    """Nodes in layers from top to bottom; an arrow over several layers passes a joint in each."""

    def __init__(self, nodes: Iterable[str], arrows: Iterable[Arrow]) -> None:
        nodes, arrows = list(nodes), set(arrows)
        self.backwards = _backwards(nodes, arrows)  # arrows that close a circle
        forwards = arrows - self.backwards
        shown = {arrow for arrow in forwards if not _has_detour(arrow, forwards)}
        depths = _depths(nodes, shown)
        self.paths = {arrow: _with_joints(arrow, depths) for arrow in sorted(shown)}
        self.layers: list[list[str]] = [[] for _ in range(max(depths.values()) + 1)]
        for node in nodes:
            self.layers[depths[node]].append(node)
        for (upper, _), path in self.paths.items():
            for depth, joint in enumerate(path[1:-1], depths[upper] + 1):
                self.layers[depth].append(joint)
        self._links = sorted(link for path in self.paths.values() for link in itertools.pairwise(path))
        self._untangle()

    def columns(self, widths: dict[str, float], gap: float) -> dict[str, float]:
        """Return the middle of each node: near its neighbours, and `gap` from those beside it."""
        middles = {node: float(place) for layer in self.layers for place, node in enumerate(layer)}
        for sweep in range(_SWEEPS):
            for layer in self.layers if sweep % 2 else self.layers[::-1]:
                wanted = {node: _mean([middles[at] for at in self._beside(node)], middles[node]) for node in layer}
                middles |= _spread(layer, wanted, widths, gap)
        left = min(middles[node] - widths.get(node, 0) / 2 for node in middles)
        return {node: middle - left for node, middle in middles.items()}

    def _untangle(self) -> None:
        """Sort each layer by the places of its neighbours in the layer above, then below; keep the best order."""
        best, fewest = [layer[:] for layer in self.layers], self._crossings()
        for _ in range(_SWEEPS):
            downwards = list(itertools.pairwise(self.layers))
            for fixed, moving in [*downwards, *((lower, upper) for upper, lower in reversed(downwards))]:
                self._sort(moving, {node: place for place, node in enumerate(fixed)})
                if (crossings := self._crossings()) < fewest:
                    best, fewest = [layer[:] for layer in self.layers], crossings
        self.layers = best

    def _sort(self, layer: list[str], places: dict[str, int]) -> None:
        own = {node: place for place, node in enumerate(layer)}
        beside = {node: [places[other] for other in self._beside(node) if other in places] for node in layer}
        layer.sort(key=lambda node: _mean(beside[node], own[node]))

    def _beside(self, node: str) -> list[str]:
        return [lower for upper, lower in self._links if upper == node] + [
            upper for upper, lower in self._links if lower == node
        ]

    def _crossings(self) -> int:
        count = 0
        for upper, lower in itertools.pairwise(self.layers):
            ends = sorted((upper.index(a), lower.index(b)) for a, b in self._links if a in upper)
            count += sum(b > d for i, (a, b) in enumerate(ends) for c, d in ends[i + 1 :] if a < c)
        return count


def _backwards(nodes: list[str], arrows: set[Arrow]) -> set[Arrow]:
    """Return arrows without which there is no circle."""
    found: set[Arrow] = set()
    done: set[str] = set()

    def visit(node: str, above: tuple[str, ...]) -> None:
        for arrow in sorted(arrow for arrow in arrows if arrow[0] == node):
            if arrow[1] in (*above, node):
                found.add(arrow)
            elif arrow[1] not in done:
                visit(arrow[1], (*above, node))
        done.add(node)

    for node in nodes:
        if node not in done:
            visit(node, ())
    return found


def _has_detour(arrow: Arrow, arrows: set[Arrow]) -> bool:
    """Say whether another way leads where an arrow leads."""
    reached, ahead = set[str](), [lower for upper, lower in arrows if upper == arrow[0] and lower != arrow[1]]
    while ahead:
        node = ahead.pop()
        if node not in reached:
            reached.add(node)
            ahead += [lower for upper, lower in arrows if upper == node]
    return arrow[1] in reached


def _depths(nodes: list[str], arrows: set[Arrow]) -> dict[str, int]:
    """Return how many arrows the longest way to each node has."""
    depths = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for upper, lower in arrows:
            depths[lower] = max(depths[lower], depths[upper] + 1)
    return depths


def _with_joints(arrow: Arrow, depths: dict[str, int]) -> list[str]:
    upper, lower = arrow
    joints = [f"{upper} > {lower} at {depth}" for depth in range(depths[upper] + 1, depths[lower])]
    return [upper, *joints, lower]


def _spread(layer: list[str], wanted: dict[str, float], widths: dict[str, float], gap: float) -> dict[str, float]:
    """Return places near the wanted ones, in this order: the mean of pushing rightwards and pushing leftwards."""

    def pushed(order: list[str], sign: int) -> dict[str, float]:
        places: dict[str, float] = {}
        edge = float("-inf")
        for node in order:
            places[node] = max(sign * wanted[node], edge + widths.get(node, 0) / 2)
            edge = places[node] + widths.get(node, 0) / 2 + gap
        return {node: sign * place for node, place in places.items()}

    right, left = pushed(layer, 1), pushed(layer[::-1], -1)
    return {node: (right[node] + left[node]) / 2 for node in layer}


def _mean(values: list[float] | list[int], default: float) -> float:
    return sum(values) / len(values) if values else default
