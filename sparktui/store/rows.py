"""The store's rows as frozen values: field for column, in the order of `schema.sql`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec

from sparktui.errors import StoreError
from sparktui.load.messages import Progress
from sparktui.measure.record import WaveRecord
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes.phase import Phase
from sparktui.nodes.sample import NodeSample
from sparktui.unreadable import UNREADABLE

T = TypeVar("T")

MOST_AT_ONCE = 1_000_000
Level = Annotated[int, msgspec.Meta(ge=1, le=MOST_AT_ONCE)]
"""How many requests at once: a damaged one has no place on an axis, and is not drawn slot by slot."""
LAST_MOMENT = 253_402_300_799.0
"""The end of the year 9999: no calendar goes further."""
Moment = Annotated[float, msgspec.Meta(ge=0, le=LAST_MOMENT)]
"""Seconds since the epoch."""
Size = Annotated[int, msgspec.Meta(ge=0)]
"""Bytes."""

CAMPAIGN_OVER = frozenset({"done", "partial", "failed", "stopped", "guard"})
SWEEP_OVER = frozenset({"done", "failed", "stopped", "guard"})
CELL_OVER = frozenset({"done", "failed", "skipped"})
"""The states that are final."""


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One race."""

    id: int
    name: str
    profile_yaml: str
    source: str
    created: float
    finished: float | None
    host: str
    version: str
    state: str
    exit_code: int | None
    detail: str | None
    origin: str | None = None

    @property
    def simulated(self) -> bool:
        """Whether its figures come from the embedded engine and must never pass for measurements."""
        return self.source == "simulated"

    @property
    def broken_off(self) -> bool:
        """Whether it is over, and not done."""
        return self.state in CAMPAIGN_OVER - {"done"}

    @property
    def resumable(self) -> bool:
        """Whether it was measured here, is over, and may have something left to measure."""
        return self.source in ("measured", "simulated") and self.broken_off

    @property
    def imported(self) -> bool:
        """Whether it comes from a file: an own export's, too, keeps the source that it had."""
        return self.origin is not None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One machine of a campaign."""

    campaign: int
    name: str
    facts_json: str

    @property
    def facts(self) -> dict[str, object]:
        """What was found on it at the start."""
        return _decoded(self.facts_json, dict[str, object])


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One topology over its concurrency levels."""

    id: int
    campaign: int
    seq: int
    topology: str
    fingerprint: str
    commands: str
    state: str
    launched: Moment | None
    ready: Moment | None
    stopped: Moment | None
    proof: str | None
    error: str | None
    latency_mode: str | None = None
    latency_us: float | None = None


@dataclass(frozen=True, slots=True)
class SweepNodeRow:
    """One node under one topology: what it was to need, and what it needed."""

    sweep: int
    node: str
    verdict: str | None
    left_before_bytes: int | None
    least_left_bytes: int | None
    most_gpu_bytes: int | None


@dataclass(frozen=True, slots=True)
class NodeNeedRow:
    """What one node lost under one topology of one campaign, from before its launch to the least it had left."""

    node: str
    took_bytes: int
    profile_yaml: str
    """The campaign's: the same launch takes the same, another one need not."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One topology at one workload and concurrency."""

    id: int
    sweep: int
    seq: int
    concurrency: Level
    pp: int
    tg: int
    depth: int
    shape: str
    runs: int
    state: str
    taint: str | None
    started: Moment | None
    ended: Moment | None
    server_tokens: int | None
    server_prompt_tokens: int | None
    ended_by: str | None = None
    health: str | None = None

    @property
    def health_by_node(self) -> dict[str, object] | None:
        """How the nodes were meanwhile; None where nobody watched."""
        return None if self.health is None else _decoded(self.health, dict[str, object])


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One committed wave."""

    id: int
    cell: int
    seq: int
    warmup: bool
    record: WaveRecord


@dataclass(frozen=True, slots=True)
class CountedRow:
    """What the requests of a cell's waves add up to, warm-up included; None where one of them was not counted."""

    cell: int
    prompt_tokens: int | None
    completion_tokens: int | None
    failed: int


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """How much the store holds of one campaign."""

    waves: int
    """Warm-up included."""
    requests: int
    samples: int
    """Of nodes."""


@dataclass(frozen=True, slots=True)
class KnownFigureRow:
    """What an imported file says of one figure of a cell; `values` is empty where it tells only a mean."""

    cell: int
    name: str
    mean: float
    std: float | None
    n: int | None
    per: str
    values_json: str

    @property
    def values(self) -> tuple[float, ...]:
        """The values the mean was taken over."""
        return _decoded(self.values_json, tuple[float, ...])


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One picture of a wave in flight."""

    id: int
    t: Moment
    cell: int
    wave_seq: int
    warmup: bool
    progress: Progress


@dataclass(frozen=True, slots=True)
class NodeSampleRow:
    """One look at a node."""

    id: int
    campaign: int
    sample: NodeSample


@dataclass(frozen=True, slots=True)
class LeastLeftRow:
    """Of one node's samples in a span of time the one with the least left: so no dip is lost, however long the span."""

    samples: int
    """In the span."""
    t: Moment
    left_bytes: Size | None
    """MemAvailable; None where it is unknown in all of them."""
    free_bytes: Size | None
    gpu_procs_bytes: Size | None
    phase: Phase


@dataclass(frozen=True, slots=True)
class BriefSampleRow:
    """Of one node's sample what figures, and the memory's line, are read from."""

    id: int
    t: float
    mem_available_bytes: int | None
    power_w: float | None
    energy_j: float | None


@dataclass(frozen=True, slots=True)
class ServerSampleRow:
    """What one engine said about itself."""

    id: int
    sweep: int
    t: Moment
    backend: str
    figures: ServerFigures


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a campaign's log."""

    id: int
    t: Moment
    campaign: int
    level: str
    source: str
    kind: str
    text: str
    data_json: str

    @property
    def data(self) -> dict[str, object]:
        """What goes with the text; a `t` in it is a moment."""
        found = _decoded(self.data_json, dict[str, object])
        if "t" in found and not _is_moment(found["t"]):
            del found["t"]
        return found


@dataclass(frozen=True, slots=True)
class ControlRow:
    """One command of a viewer to the runner."""

    id: int
    t: Moment
    campaign: int
    command: str
    done: float | None
    topology: str | None
    """The one that is to end; None for the one in flight."""


@dataclass(frozen=True, slots=True)
class LaunchedRow:
    """Something started on a node, and how to remove it; `undo_json` of `[]` means its process group."""

    id: int
    campaign: int
    sweep: int | None
    t: Moment
    node: str
    title: str
    pid: int | None
    pid_started: float | None
    undo_json: str
    gone: float | None

    @property
    def undo(self) -> tuple[str, ...]:
        """The argv that removes it; empty for a process group."""
        return _decoded(self.undo_json, tuple[str, ...])


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= LAST_MOMENT


def _decoded(text: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except UNREADABLE as error:
        raise StoreError(f"the store holds a damaged value: {error}", "the rest of it may still be readable") from error
