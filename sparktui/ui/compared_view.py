"""Several campaigns on the Compare screen, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparktui.compare.comparison import Comparison


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """The screen wants these instead of the open campaign."""

    selections: tuple[str, ...]
    """As `sparktui compare` takes them: `3`, `published/gemma4-26b-a4b`."""


@dataclass(frozen=True, slots=True)
class CompareView:
    """Who wins over all of them; not ranked where they were not measured alike."""

    request: CompareRequest
    comparison: Comparison
