"""Where somebody looks on the Nodes screen: a span of time, a moment in it, a node; and how keys move that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparktui.ui.nodes_view import NodesRequest, NodesView, zoomed

FOLLOWING_S = 5
"""What a column stands for while a campaign runs, until another zoom is chosen."""


@dataclass(frozen=True, slots=True)
class Look:
    """Untouched it follows: the last minutes of a campaign that runs, the whole of one that is over."""

    width_s: int | None = None
    """What a column stands for; None as suits the campaign."""
    whole: bool = False
    """Everything, also while the campaign runs."""
    end: float | None = None
    """Where the span ends; None for now."""
    at: float | None = None
    """The moment looked at; None for the newest sample."""
    node: str | None = None
    """Whose sample is shown; None for the first."""

    def request(self, columns: int, running: bool) -> NodesRequest:
        """Return what to ask the store for."""
        follows = running and not self.whole
        return NodesRequest(columns, self.width_s or (FOLLOWING_S if follows else None), self.end, self.at)

    def cursor(self, view: NodesView) -> int | None:
        """Return the column that is looked at; None where it is out of sight."""
        t = view.sampled[1] if self.at is None else self.at
        column = view.span.column(t)
        return column if 0 <= column < view.span.columns else None

    def moved(self, view: NodesView, step: int) -> Look:
        """Look some columns to the left or right, as far as there are samples."""
        span = view.span
        now = span.column(view.sampled[1] if self.at is None else self.at)
        first, last = (span.column(t) for t in view.sampled)
        return self._at_column(view, max(first, min(last, now + step)))

    def at_start(self, view: NodesView) -> Look:
        """Look at the first sample."""
        return self.looking_at(view, view.sampled[0])

    def following(self) -> Look:
        """Look at the newest sample again, and go on with the time."""
        return replace(self, end=None, at=None)

    def beside(self, view: NodesView, step: int) -> Look:
        """Look at the next warning or error, or at the one before; without one nothing changes."""
        mark = view.mark_beside(view.sampled[1] if self.at is None else self.at, step)
        if mark is None:
            return self
        named = any(strip.node == mark.source for strip in view.strips)
        look = self.looking_at(view, mark.t)
        return replace(look, node=mark.source) if named else look

    def looking_at(self, view: NodesView, t: float) -> Look:
        """Look at a moment, wherever it is; it is in sight then, and stays there while time goes on."""
        span = view.span
        if 0 <= span.column(t) < span.columns:
            return replace(self._held(view), at=t)
        return replace(self._held(view), at=t, end=_in_the_middle(view, t, span.width_s))

    def zoomed(self, view: NodesView, step: int) -> Look:
        """Have a column stand for more time, or for less; what is looked at is in the middle then."""
        width_s = zoomed(view.span.width_s, step)
        end = self.end if self.at is None else _in_the_middle(view, self.at, width_s)
        return replace(self, width_s=width_s, whole=False, end=end)

    def showing_all(self) -> Look:
        """Show everything there is."""
        return Look(whole=True, at=self.at, node=self.node)

    def beside_node(self, view: NodesView, step: int) -> Look:
        """Look at the next node."""
        names = [strip.node for strip in view.strips]
        at = names.index(self.node) if self.node in names else 0
        return replace(self, node=names[(at + step) % len(names)]) if names else self

    def _at_column(self, view: NodesView, column: int) -> Look:
        span = view.span
        look = replace(self._held(view), at=(span.first + column + 0.5) * span.width_s)
        beyond = min(0, column) + max(0, column - span.columns + 1)
        return replace(look, end=(span.first + span.columns - 0.5 + beyond) * span.width_s) if beyond else look

    def _held(self, view: NodesView) -> Look:
        """Keep what is in sight where it is: a picture that moves cannot be read off."""
        if not view.running or self.end is not None:
            return self
        span = view.span
        return replace(self, width_s=span.width_s, whole=False, end=(span.first + span.columns - 0.5) * span.width_s)


def _in_the_middle(view: NodesView, t: float, width_s: int) -> float:
    """Return where a span ends that has a moment in its middle, or near its end where it would show the future."""
    return max(t, min(view.until, t + view.span.columns * width_s / 2))
