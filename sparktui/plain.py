"""The viewer without screens: one line an event, on stderr."""

from __future__ import annotations

import time

import click

from sparktui.errors import ExitCode
from sparktui.measure.cell import cell_figures
from sparktui.measure.live import rate
from sparktui.moments import local_time
from sparktui.paths import store_path
from sparktui.profile.loader import parse_profile
from sparktui.runner.asking import ask_to_stop
from sparktui.runner.eta import Remaining
from sparktui.runner.last_words import last_words
from sparktui.runner.lock import has_runner
from sparktui.runner.progress import remaining
from sparktui.store.reader import Reader
from sparktui.store.rows import CAMPAIGN_OVER, CellRow, EventRow, SweepRow
from sparktui.units import duration, milliseconds, percent_of
from sparktui.units import rate as tps
from sparktui.visible import printable

POLL_S = 0.25
MOST_CELLS = 2**63
HEARTBEAT_S = 15.0
"""A long cell says where it is at least this often."""


def follow(campaign: int, *, stop_on_interrupt: bool, since: int = 0) -> int:
    """Print what happens until the campaign has ended; return its exit code.

    Args:
        campaign: Its number.
        stop_on_interrupt: Whether Ctrl-C stops the campaign, or only the looking.
        since: The id of the first event to print; all of them where left out.
    """
    with Reader(store_path()) as reader:
        follower = Follower(reader, campaign, since)
        try:
            return follower.to_the_end()
        except KeyboardInterrupt:
            if not stop_on_interrupt:
                _note(f"campaign {campaign} goes on; come back with: sparktui attach {campaign}")
                return ExitCode.DONE
        return _stop_and_follow(follower, campaign)


def _stop_and_follow(follower: Follower, campaign: int) -> int:
    try:
        ask_to_stop(store_path(), campaign)
    except KeyboardInterrupt:  # while it waited for whoever has the store locked
        _note(f"campaign {campaign} was not asked to stop, and goes on; `sparktui stop {campaign}` ends it")
        return ExitCode.INTERRUPTED
    _note(f"stopping campaign {campaign}; Ctrl-C again leaves it to stop by itself")
    try:
        follower.to_the_end()
    except KeyboardInterrupt:
        _note(f"`sparktui stop {campaign}` waits for its end")
    return ExitCode.INTERRUPTED


class Follower:
    """One plain viewer: what it has printed already."""

    def __init__(self, reader: Reader, campaign: int, since: int = 0) -> None:
        self._reader = reader
        self._campaign = campaign
        self._last_event = max(0, since - 1)
        self._began = time.time()
        self._last_line = time.monotonic()
        profile_yaml = reader.campaign(campaign).profile_yaml
        # An imported campaign has no profile: it is over, so nothing remains that one would be needed for.
        self._warmup = parse_profile(profile_yaml, "").workload.warmup_waves if profile_yaml else 0

    def to_the_end(self) -> int:
        """Print until the campaign has ended, and return its exit code."""
        row = self._reader.campaign(self._campaign)
        _note(f"campaign {row.id}: {row.name}{' · SIMULATED' if row.simulated else ''}")
        while True:
            # Asked before the row is read: what a runner that has ended left in the row is final.
            alive = has_runner(self._campaign)
            row = self._reader.campaign(self._campaign)
            self._print_new()
            if not alive and row.state in CAMPAIGN_OVER:
                return ExitCode.PARTIAL if row.exit_code is None else row.exit_code
            if not alive:
                said = last_words(row.id)
                how = f": {said}" if said else " without a word"
                _note(printable(f"its runner ended{how}; `sparktui stop {row.id}` cleans up after it"))
                return ExitCode.PARTIAL
            time.sleep(POLL_S)

    def _print_new(self) -> None:
        for event in self._reader.events_since(self._campaign, self._last_event):
            self._last_event = event.id
            self._print(event)
        if time.monotonic() - self._last_line > HEARTBEAT_S:
            self._print_heartbeat()

    def _print(self, event: EventRow) -> None:
        mark = {"info": "", "warning": "warning: ", "error": "error: "}.get(event.level, "")
        text = f"{mark}{event.text}"
        cell = event.data.get("cell")
        if event.kind in ("cell-done", "cell-failures") and isinstance(cell, int) and abs(cell) < MOST_CELLS:
            text = f"{text}  {self._cell_line(cell)}{self._left(event)}"
        self._line(event.t, text)
        tail = str(event.data.get("log_tail", "")).strip()
        for line in tail.splitlines()[-30:]:
            click.echo(f"           | {printable(line)}", err=True)

    def _line(self, t: float, text: str) -> None:
        click.echo(f"{local_time(t)}  {printable(text)}", err=True)
        self._last_line = time.monotonic()

    def _cell_line(self, cell: int) -> str:
        waves = [wave.record for wave in self._reader.waves(cell, warmup=False)]
        figures = cell_figures(waves)
        return (
            f"decode {tps(figures.mean('decode_tps'))} tok/s · prefill {tps(figures.mean('prefill_tps'))} tok/s · "
            f"TTFT {milliseconds(figures.mean('ttft_ms'))} ms"
        )

    def _left(self, event: EventRow) -> str:
        """Say how far the campaign is; of what was before this viewer, how far it was then is not known."""
        if event.t < self._began:
            return ""
        left = self._remaining()
        return f" · {percent_of(left.fraction)}, about {duration(left.all_s)} left"

    def _print_heartbeat(self) -> None:
        live = self._reader.latest_live(self._campaign)
        measuring = self._measuring()
        if live is None or measuring is None or live.cell != measuring[1].id:
            self._last_line = time.monotonic()
            return
        sweep, cell = measuring
        points = [(row.t, row.progress.tokens) for row in self._reader.live_since(cell.id, max(0, live.id - 16))]
        kind = "pool run" if cell.shape == "pool" else "wave"
        wave = "warm-up" if live.warmup else f"{kind} {live.wave_seq + 1} of {cell.runs}"
        left = self._remaining()
        self._line(
            time.time(),
            f"{sweep.topology} c{cell.concurrency}: {wave}, {tps(rate(points, time.time()))} tok/s now · "
            f"{percent_of(left.fraction)}, about {duration(left.all_s)} left",
        )

    def _measuring(self) -> tuple[SweepRow, CellRow] | None:
        for sweep in self._reader.sweeps(self._campaign):
            for cell in self._reader.cells(sweep.id):
                if cell.state == "measuring":
                    return sweep, cell
        return None

    def _remaining(self) -> Remaining:
        sweeps = self._reader.sweeps(self._campaign)
        cells = {sweep.id: self._reader.cells(sweep.id) for sweep in sweeps}
        return remaining(sweeps, cells, self._reader.wave_seconds(self._campaign), self._warmup)


def _note(text: str) -> None:
    click.echo(printable(text), err=True)
