"""The nodes of one campaign over time: samples in the order they were taken, those that were fetched late included."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

import msgspec

from sparktui.nodes.sample import NodeSample
from sparktui.store import queries as sql
from sparktui.store.decode import as_row, node_sample_row
from sparktui.store.rows import BriefSampleRow, LeastLeftRow, Moment

T = TypeVar("T")


class Read(Protocol):
    """Reads in one snapshot of the store."""

    def __call__(self, read: Callable[[sqlite3.Connection], T], /) -> T:
        """Return what `read` returns."""


@dataclass(frozen=True, slots=True)
class NodeHistory:
    """Moments are seconds since the epoch. Every method raises StoreError where the store is damaged."""

    read: Read
    campaign: int

    def spans(self) -> dict[str, tuple[float, float]]:
        """Return the first and the last moment at which each node was sampled, by node."""
        return self.read(
            lambda connection: {
                node: msgspec.convert((first, last), tuple[Moment, Moment])
                for node, first, last in connection.execute(sql.NODES_SAMPLED, {"campaign": self.campaign})
            }
        )

    def last(self, node: str, until: float, count: int) -> list[NodeSample]:
        """Return a node's last samples up to a moment, that moment included, oldest first."""
        of = (self.campaign, node, until, count)
        return self.read(
            lambda connection: [
                node_sample_row(row).sample
                for row in reversed(connection.execute(sql.LAST_NODE_SAMPLES, of).fetchall())
            ]
        )

    def least_left(self, node: str, start: float, end: float) -> LeastLeftRow | None:
        """Return a node's sample with the least left from `start` to before `end`; None where there is none."""
        return self.read(lambda connection: self._least_left(connection, node, start, end))

    def columns(self, node: str, start: float, width_s: float, count: int) -> list[LeastLeftRow | None]:
        """Return the same for `count` spans of `width_s` seconds each, one after another."""
        edges = [start + index * width_s for index in range(count + 1)]
        return self.read(lambda connection: [self._least_left(connection, node, *span) for span in pairwise(edges)])

    def _least_left(self, connection: sqlite3.Connection, node: str, start: float, end: float) -> LeastLeftRow | None:
        row = connection.execute(sql.LEAST_LEFT, (self.campaign, node, start, end)).fetchone()
        return as_row(LeastLeftRow, row) if row[0] else None

    def count(self, node: str, start: float, end: float) -> int:
        """Return how many samples of a node there are between two moments."""
        of = (self.campaign, node, start, end)
        return int(self.read(lambda connection: connection.execute(sql.SAMPLES_BETWEEN, of).fetchone())[0])

    def brief(self, node: str) -> list[BriefSampleRow]:
        """Return all of a node's samples, in the order they were taken, with what figures are read from."""
        of = (self.campaign, node)
        rows = self.read(lambda connection: connection.execute(sql.BRIEF_SAMPLES, of).fetchall())
        return [as_row(BriefSampleRow, row) for row in rows]

    def newest(self) -> int:
        """Return the highest id of all samples; 0 where there are none."""
        return int(self.read(lambda connection: connection.execute(sql.NEWEST_NODE_SAMPLE).fetchone())[0])

    def earliest_since(self, after: int) -> float | None:
        """Return the earliest moment of the samples with an id above `after`; None without any.

        What was read of the time before that moment still holds.
        """
        of = (self.campaign, after)
        found: float | None = self.read(lambda connection: connection.execute(sql.EARLIEST_SINCE, of).fetchone())[0]
        return found
