"""What a cell was measured under, stretch by stretch: a cell has one, and one more after each break. Pure.

It is stored with each wave: whoever knows it may be killed before the cell is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sparktui.nodes.health import unfair_to_cell
from sparktui.nodes.health_finding import Finding
from sparktui.nodes.stamp import stamps_json
from sparktui.nodes.window import Window


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One unbroken part of a cell, from its beginning to the end of one of its waves."""

    began: float
    """Seconds since the epoch: what tells the stretches of a cell apart."""
    after: int
    """The newest node sample that was stored when it began."""
    until: int
    """The newest one that was stored when the wave had ended."""
    newest: dict[str, float]
    """By node, when the newest sample was taken that was stored when it began: what is older was only fetched late."""
    nodes: tuple[str, ...]
    engines: tuple[tuple[str, ...], ...]
    """The nodes of each engine."""
    told: tuple[Finding, ...] = ()
    """The findings that stood at any moment of it and are unfair to a cell."""
    mixed: str | None = None
    """What its engine has unlike the one that its topology's first waves were measured on."""
    prefix: tuple[int, int] | None = None
    """Prompt tokens that the engine found in its prefix cache, by its own counter, and those that it looked up."""


Part = tuple[Stretch, Mapping[str, Window]]
"""With the samples that were taken meanwhile, by node."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all of a cell was measured under."""

    stamps: str
    """How its nodes were: JSON, by node."""
    unfair: tuple[str, ...]
    """Why its figures are not its topology's, in a few words each."""
    mixed: tuple[str, ...]
    """What its engines had unlike the first one."""
    prefix: tuple[int, int] | None


def whole(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return each stretch once, as it was at the last of its waves."""
    return list({stretch.began: stretch for stretch in stretches}.values())


def conditions(parts: Sequence[Part]) -> Conditions:
    """Return what a cell of these stretches was measured under; each is judged by itself, and the first word holds."""
    found: dict[tuple[str, str], Finding] = {}
    for stretch, samples in parts:
        for finding in unfair_to_cell(stretch.told, samples, stretch.engines):
            found.setdefault(finding.key, finding)
    stretches = [stretch for stretch, _ in parts]
    return Conditions(
        stamps_json(*(samples for _, samples in parts)),
        tuple(f"{finding.node}: {finding.brief}" for finding in found.values()),
        tuple(dict.fromkeys(stretch.mixed for stretch in stretches if stretch.mixed)),
        _sum([stretch.prefix for stretch in stretches if stretch.prefix is not None]),
    )


def _sum(moves: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    return (sum(hits for hits, _ in moves), sum(queries for _, queries in moves)) if moves else None
