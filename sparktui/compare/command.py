"""What `sparktui compare` prints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sparktui.compare.alike import called
from sparktui.compare.comparison import Comparison
from sparktui.compare.document import to_json
from sparktui.compare.goodput import NO_LIMITS, UserLimits
from sparktui.compare.select import selected
from sparktui.compare.summary import compare
from sparktui.compare.tables import WIDTH, render
from sparktui.compare.tabulate import UNLIKE
from sparktui.errors import UsageError
from sparktui.measure.calculators import DEFAULT


@dataclass(frozen=True, slots=True)
class Asked:
    """How to compare, as typed."""

    baselines: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    """None for all."""
    calculator: str = DEFAULT
    force: bool = False
    as_json: bool = False
    limits: UserLimits = NO_LIMITS
    """How many users each topology serves within these is said too."""


def print_comparison(texts: Sequence[str], asked: Asked, path: Path) -> None:
    """Print how campaigns, or topologies of them, compare; of two topologies what the second gains over the first.

    Raises:
        UsageError: There is nothing of that name; or not all were measured alike, after printing them.
        StoreError: The store cannot be read.
    """
    with selected(texts, path) as selections:
        comparison = compare(
            selections,
            baselines=asked.baselines,
            metrics=asked.metrics,
            calculator=asked.calculator,
            force=asked.force,
        )
    click.echo(json.dumps(to_json(comparison, asked.limits), indent=2) if asked.as_json else _text(comparison, asked))
    if not comparison.ranked:
        raise UsageError("not ranked: they were not measured alike", "--force ranks them all the same")
    if left_out := called(comparison.campaigns_apart):
        raise UsageError(
            f"{left_out} not ranked: {UNLIKE}", f"compare without {left_out}, or --force ranks all the same"
        )


def _text(comparison: Comparison, asked: Asked) -> str:
    width = max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    gains = comparison.ranked and len(comparison.columns) == 2
    return render(comparison, width, gains=gains, limits=asked.limits)
