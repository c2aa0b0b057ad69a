"""What other machines say, as far as the store can hold it: a node that lies must not end a campaign."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sparktui.nodes.sample import NodeSample
from sparktui.store.rows import LAST_MOMENT

LARGEST = 2**63 - 1
"""What an INTEGER of SQLite holds."""


def storable(samples: Iterable[NodeSample]) -> list[NodeSample]:
    """Return the samples that were taken at some moment; readings that cannot be are unknown in them."""
    return [_held(s) for s in samples if 0 <= s.t <= LAST_MOMENT and _fits("heartbeat", s.heartbeat)]


def _held(sample: NodeSample) -> NodeSample:
    beyond = {name: None for name, value in _readings(sample) if not _fits(name, value)}
    return msgspec.structs.replace(sample, **beyond) if beyond else sample


def _readings(sample: NodeSample) -> Iterable[tuple[str, object]]:
    return ((name, getattr(sample, name)) for name in NodeSample.__struct_fields__)


def _fits(name: str, value: object) -> bool:
    least = 0 if name.endswith("_bytes") else -LARGEST
    return not isinstance(value, int) or least <= value <= LARGEST
