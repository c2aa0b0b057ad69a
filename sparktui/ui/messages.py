"""Facts that cross from a worker thread to the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from sparktui.errors import SparktuiError
from sparktui.ui.snapshot import Snapshot


@dataclass
class SnapshotTaken(Message):
    """The store was read; a newer picture replaces one that waits."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotTaken)


@dataclass
class CampaignStarted(Message):
    """A detached runner is at work."""

    campaign: int


@dataclass
class FileWritten(Message):
    """An export is complete."""

    path: Path


@dataclass
class WorkFailed(Message):
    """Something asked for could not be done."""

    error: SparktuiError


@dataclass
class ViewAsked(Message):
    """The screen in front wants something else than it did: a snapshot with that is due at once."""


@dataclass
class BaselineChosen(Message):
    """Margins are to be against this topology; None for the runner-up."""

    topology: str | None


@dataclass
class CalculatorChosen(Message):
    """Figures are to be worked out by this calculator."""

    name: str
