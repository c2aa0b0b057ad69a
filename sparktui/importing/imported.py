"""What a result file says, as frozen values: every format is read into these, and one writer stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.origin import Expectation
from sparktui.measure.record import WaveRecord
from sparktui.nodes.stamp import NodeStamp

Per = Literal["wave", "request", "cell"]
Source = Literal["simulated", "published", "imported"]

UNKNOWN_COUNT = 0
"""Of `pp`, `tg` and `runs`, which the store wants as numbers: nobody can measure with a prompt of no tokens."""


class FileOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Where figures come from."""

    tool: str
    version: str | None = None
    file: str
    format: str
    date: str | None = None
    """As the file writes it."""
    calculator: str | None = None
    topologies: tuple[str, ...] = ()
    cannot_know: tuple[str, ...] = ()
    """What this kind of file does not tell."""
    left_out: tuple[str, ...] = ()
    """What this file holds and was not taken, and why."""
    facts: dict[str, str] = {}
    """What it says of model, image, recipe, hardware and such."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """`campaign.origin`: all files that a campaign was imported from."""

    sources: tuple[FileOrigin, ...]
    expectations: tuple[Expectation, ...] = ()

    def to_json(self) -> str:
        """Return it as the store keeps it."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class KnownFigure:
    """One figure of a cell that has no waves; `values` is empty where only a mean is known."""

    name: str
    mean: float
    std: float | None = None
    n: int | None = None
    per: Per = "cell"
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedWave:
    """One wave, request by request."""

    seq: int
    warmup: bool
    record: WaveRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCell:
    """One topology at one workload and concurrency, with known figures or with waves."""

    concurrency: int
    pp: int = UNKNOWN_COUNT
    tg: int = UNKNOWN_COUNT
    depth: int = 0
    shape: str = "waves"
    runs: int = UNKNOWN_COUNT
    state: str = "done"
    taint: str | None = None
    figures: tuple[KnownFigure, ...] = ()
    waves: tuple[ImportedWave, ...] = ()
    started: float | None = None
    ended: float | None = None
    server_tokens: int | None = None
    server_prompt_tokens: int | None = None
    ended_by: str | None = None
    health: dict[str, NodeStamp] | None = None

    @property
    def place(self) -> tuple[int, int, int, int, str]:
        """What no two cells of a sweep share."""
        return (self.concurrency, self.pp, self.tg, self.depth, self.shape)

    @property
    def described(self) -> str:
        """Its place, for a message."""
        return f"c{self.concurrency} pp{self.pp} tg{self.tg} depth{self.depth} {self.shape}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSweep:
    """One topology; an empty name is one that the file does not tell."""

    topology: str
    cells: tuple[ImportedCell, ...]
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    commands: Sequence[Any] = ()
    state: str = "done"
    launched: float | None = None
    ready: float | None = None
    stopped: float | None = None
    proof: Sequence[Any] | None = None
    error: str | None = None
    latency_mode: str | None = None
    latency_us: float | None = None


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """One line of a campaign's log."""

    t: float
    level: str
    source: str
    kind: str
    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One campaign, ready to be stored."""

    name: str
    sweeps: tuple[ImportedSweep, ...]
    origin: Provenance
    source: Source = "imported"
    created: float | None = None
    """When it was measured, seconds since the epoch; None where the file does not say."""
    finished: float | None = None
    state: str = "done"
    exit_code: int | None = None
    detail: str | None = None
    host: str = ""
    version: str | None = None
    """Of the sparktui that measured it."""
    profile_yaml: str = ""
    nodes: tuple[tuple[str, dict[str, Any]], ...] = ()
    events: tuple[ImportedEvent, ...] = ()
