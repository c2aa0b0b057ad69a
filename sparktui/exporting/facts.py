"""How a campaign was measured, on what and by whom: the facts that every report tells beside its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from sparktui import __version__
from sparktui.compare.comparison import Column, Comparison
from sparktui.compare.fingerprint import Fingerprint
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import SIMULATED, moment
from sparktui.units import UNKNOWN, duration
from sparktui.unreadable import UNREADABLE

ALL_TOPOLOGIES = "all topologies"
Fact = tuple[str, str]
"""What it is, and what it is here."""


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of one thing: a node, a topology, a file."""

    title: str
    facts: tuple[Fact, ...]


def measured(subject: Subject, comparison: Comparison) -> tuple[Fact, ...]:
    """Return how the figures were come by."""
    campaign = subject.campaign
    cells = [cell for column in comparison.columns for cell in column.cells]
    figures = [cell.figures for cell in cells]
    requests, errors = sum(f.requests for f in figures), sum(f.errors for f in figures)
    waves = sum(f.waves for f in figures)
    facts = [
        ("source", SIMULATED if subject.simulated else campaign.source),
        ("model", _joined(column.fingerprint.model for column in comparison.columns)),
        ("workload", _joined(str(cell.workload) for cell in cells)),
        ("concurrency", _joined(str(level) for level in sorted({cell.cell.concurrency for cell in cells}))),
        ("calculator", comparison.calculator),
        ("token counts from", known(comparison.token_source)),
        ("time stamps from", _joined(sorted({f.clock for f in figures} - {"none"}))),
        ("waves", f"{waves}, of {requests} requests, {errors} of them failed" if requests else str(waves or UNKNOWN)),
        ("sampling", _joined(_sampling(column.fingerprint) for column in comparison.columns)),
        ("started", moment(campaign.created)),
        ("ended", moment(campaign.finished)),
        ("ended as", f"{campaign.state}: {campaign.detail}" if campaign.detail else campaign.state),
        ("made by", made_by(subject)),
        ("exported by", f"sparktui {__version__}"),
    ]
    return tuple(facts)


def made_by(subject: Subject) -> str:
    """Say which sparktui measured, simulated or imported it, and where."""
    campaign = subject.campaign
    how = {"simulated": "SIMULATED", "published": "published, imported"}.get(campaign.source, campaign.source)
    return f"{how} by sparktui {campaign.version}" + (f" on {campaign.host}" if campaign.host else "")


def known(name: str) -> str:
    """Return a name, or `-` where it says that there is none."""
    return UNKNOWN if name == "none" else name


def nodes(subject: Subject) -> tuple[Group, ...]:
    """Return what was found on each node at the start."""
    return tuple(Group(node.name, tuple(_flat(node.facts))) for node in subject.reader.nodes(subject.campaign.id))


def topologies(comparison: Comparison) -> tuple[Group, ...]:
    """Return each topology's engine, how long it took to come up, and its whole fingerprint; what all share first."""
    found = {column.name: tuple(_of_column(column)) for column in comparison.columns}
    if len(found) < 2:
        return tuple(Group(name, facts) for name, facts in found.items())
    first, *others = found.values()
    shared = tuple(fact for fact in first if all(fact in facts for facts in others))
    own = {name: tuple(fact for fact in facts if fact not in shared) for name, facts in found.items()}
    groups = {ALL_TOPOLOGIES: shared, **own}
    return tuple(Group(name, facts) for name, facts in groups.items() if facts)


def origins(subject: Subject) -> tuple[Group, ...]:
    """Return the files that an imported campaign came from, and what they cannot tell; nothing of a measured one."""
    if subject.campaign.origin is None:
        return ()
    try:
        origin = msgspec.json.decode(subject.campaign.origin, type=dict[str, object])
    except UNREADABLE:
        return ()
    sources = origin.get("sources")
    found = [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []
    return tuple(Group(str(source.get("file", UNKNOWN)), tuple(_flat(source))) for source in found)


def _of_column(column: Column) -> Iterator[Fact]:
    sweep = column.sweep
    yield "state", f"{sweep.state}: {sweep.error}" if sweep.error else sweep.state
    if sweep.launched is not None and sweep.ready is not None:
        yield "serving after", duration(sweep.ready - sweep.launched)
    if sweep.latency_us is not None:
        yield "latency of the idle server", f"{sweep.latency_us / 1000:.2f} ms ({sweep.latency_mode or UNKNOWN})"
    yield from _flat(msgspec.to_builtins(column.fingerprint))


def _sampling(fingerprint: Fingerprint) -> str | None:
    return None if fingerprint.sampling is None else _text(fingerprint.sampling)


def _flat(facts: Mapping[str, object]) -> Iterator[Fact]:
    """Return facts one level deep; what is not known is left out."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from ((f"{name} {inner}", _text(inside)) for inner, inside in value.items() if inside is not None)
        elif value not in (None, [], ""):
            yield str(name), _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return msgspec.json.encode(value).decode()


def _joined(values: Iterable[str | None]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value)) or UNKNOWN
