"""Where the race is and how long it will take: a sentence, a clock and one gauge per topology."""

from __future__ import annotations

from textual.content import Content

from sparktui.moments import local_time
from sparktui.ui.empty import without_a_campaign
from sparktui.ui.endings import ending
from sparktui.ui.snapshot import Campaign, Snapshot, Topology
from sparktui.ui.text import Part, clipped, harmless, lines, spread, track
from sparktui.ui.widgets.panel import Panel
from sparktui.units import duration


class Progress(Panel):
    """Two lines: what is being done with the time left, and how much of every topology is done."""

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        campaign = snapshot.campaign
        if campaign is None:
            return Content(without_a_campaign(snapshot))
        where = _where(snapshot, campaign)
        room = width - Content.assemble(*where).cell_length - 1
        forms = _when(snapshot, campaign)
        when = next((form for form in forms if form.cell_length <= room), forms[-1])
        left = _wave_left(snapshot)
        if len(left) <= room - when.cell_length:
            where.append((left, "$dim"))
        return lines([spread(Content.assemble(*where), when, width), _gauges(snapshot, width)])


def _where(snapshot: Snapshot, campaign: Campaign) -> list[Part]:
    if not campaign.running:
        return [(_ending(campaign), "bold"), f"  {harmless(campaign.detail or '')}"]
    if campaign.interrupted:
        return _interrupted(campaign)
    current = snapshot.current
    if current is None:
        return [("waiting to start" if campaign.state == "queued" else "between topologies", "bold")]
    name = (current.name, f"bold {snapshot.colour(current.name)}")
    return [name, f" ({current.index + 1} of {len(snapshot.topologies)})", *_doing(snapshot, current)]


def _interrupted(campaign: Campaign) -> list[Part]:
    """Say that nobody works on a race any more, and the two ways on: what it launched may still be up."""
    what = f": no runner. sparktui stop {campaign.id} ends what is left, "
    return [("interrupted", "bold $error"), what, ("6", "bold $accent"), " ", ("r", "bold $accent"), " goes on"]


def _ending(campaign: Campaign) -> str:
    words = {"guard": "stopped by the memory guard", "partial": "done, but something failed"}
    return words.get(campaign.state, campaign.state)


def _doing(snapshot: Snapshot, current: Topology) -> list[Part]:
    wave = snapshot.wave
    if current.state == "measuring" and wave is not None and wave.topology == current.name:
        kind = "pool run" if wave.shape == "pool" else "wave"
        number = "warm-up" if wave.warmup else f"{kind} {wave.number} of {wave.runs}"
        return [f" · c{wave.concurrency} · {number}"]
    since = current.ready if current.state == "warming" else current.launched
    lasting = f" for {duration(snapshot.taken - since)}" if since is not None else ""
    return [f" · {current.state}{lasting if current.state in ('launching', 'warming') else ''}"]


def _wave_left(snapshot: Snapshot) -> str:
    """Say how long the wave in flight should still take; nothing once it takes longer than waves do."""
    wave, usual, current = snapshot.wave, snapshot.remaining.wave_s, snapshot.current
    if wave is None or usual is None or current is None or wave.topology != current.name:
        return ""
    left = usual - wave.running_s
    return f", {duration(left)} left" if left >= 1 else ""


def _when(snapshot: Snapshot, campaign: Campaign) -> list[Content]:
    """Return how long it takes, in full and in ever shorter forms."""
    if not campaign.running:
        took = None if campaign.finished is None else campaign.finished - campaign.created
        return [Content(f"took {duration(took)}")]
    if campaign.interrupted:
        return [Content()]
    if snapshot.wave is not None and snapshot.wave.stale:
        return [Content.styled(f"silent for {duration(snapshot.wave.age_s)}", "bold $warning")]
    left = snapshot.remaining
    cell, sweep, every = (duration(seconds) for seconds in (left.cell_s, left.sweep_s, left.all_s))
    done = "" if left.all_s is None else local_time(snapshot.taken + left.all_s, ", done %H:%M")
    full = f"cell {cell} · sweep {sweep} · all {every}{done}"
    return [
        Content(form)
        for form in (full, f"cell {cell} · all {every}{done}", f"cell {cell} · all {every}", f"all {every}")
    ]


def _gauges(snapshot: Snapshot, width: int) -> Content:
    count = len(snapshot.topologies)
    if not count:
        return Content()
    each = max(1, (width - (count - 1)) // count)
    parts: list[Part] = []
    for topology in snapshot.topologies:
        parts += [" " if parts else "", *_gauge(snapshot, topology, each)]
    return Content.assemble(*parts)


def _gauge(snapshot: Snapshot, topology: Topology, width: int) -> list[Part]:
    """Draw how much is done; of one that came to no good end, how it ended in the place of what is missing."""
    ended = clipped(ending(topology), width)
    room = width - len(ended) - 1 if ended else width
    full, rest = track(_done_share(snapshot, topology), max(0, room))
    parts: list[Part] = [(full, snapshot.colour(topology.name)), (rest, "$line")]
    if not ended:
        return parts
    return [*parts, " " if room >= 0 else "", (ended, "$dim" if topology.state == "stopped" else "bold $error")]


def _done_share(snapshot: Snapshot, topology: Topology) -> float:
    cells = [cell for cell in snapshot.cells if cell.topology == topology.name]
    planned = sum(cell.runs for cell in cells)
    return sum(min(cell.runs, cell.waves) for cell in cells) / planned if planned else 0.0
