"""What Live shows of the wave in flight, for machines: the same figures, of the same moment."""

from __future__ import annotations

from dataclasses import asdict

from sparktui.live.feed import LiveFeed
from sparktui.store.reader import Reader


def to_json(reader: Reader, campaign: int, now: float) -> dict[str, object] | None:
    """Return the wave in flight at a moment, units in the names; None while no cell is being measured."""
    newest = reader.latest_live(campaign)
    cell = None if newest is None else reader.cell(newest.cell)
    if cell is None or cell.state != "measuring":
        return None
    feed = LiveFeed(reader, campaign)
    feed.read()
    (sweep,) = (sweep for sweep in reader.sweeps(campaign) if sweep.id == cell.sweep)
    wave = feed.wave(now, (sweep, cell))
    if wave is None:
        return None
    figures = asdict(wave)
    del figures["slots"]  # one byte a request, for the grid
    return {"t": now, **figures}
