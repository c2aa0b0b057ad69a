"""Labels beside a plot, moved apart where they would cover each other."""

from __future__ import annotations

from collections.abc import Sequence


def spread_out(wanted: Sequence[float], height: float, top: float, bottom: float) -> list[float]:
    """Return a place for each label, in the given order: near the wanted one, no two nearer than `height`.

    Those that do not fit between `top` and `bottom` reach below; the order from top to bottom stays.
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = [0.0] * len(wanted)
    room = bottom
    for index in reversed(order):
        places[index] = min(wanted[index], room)
        room = places[index] - height
    room = top
    for index in order:
        places[index] = max(places[index], room)
        room = places[index] + height
    return places
