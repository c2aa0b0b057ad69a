"""Hours of campaign at 64 users on the embedded engine, its steps made short, a viewer on a terminal: what grows."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rounds import machine
from tests.faults.matrix.viewer import Viewer
from tests.runner.campaigns import Owner
from tests.sim_engine import sim_engine

MIB = 1024**2
USERS, PP, TG = 64, 64, 128
PUBLISHED_TPS, TTFT_S = 355.73, 5.4
WAVE_S = USERS * (TG - 1) / PUBLISHED_TPS + TTFT_S
"""How long a wave takes on the published solo: what an hour of campaign holds goes by that."""
MODULES = {"runner": "sparktui.runner", "worker": "sparktui.load.worker", "agent": "sparktui.nodes.agent"}
LOOKS = 200
PER_WAVE, PER_SECOND = ("wave", "request"), ("live", "node_sample", "server_sample")


@dataclass(slots=True)
class Held:
    """What one process held, look by look."""

    rss: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def grown(self) -> tuple[int, int]:
        """Return by how much memory and open files have grown from the second quarter to the last."""
        return _grown(self.rss), _grown(self.files)


@dataclass(slots=True)
class Soaked:
    """What a soak has come to."""

    waves: int
    seconds: float
    held: dict[str, Held]
    lag_ms: list[float]
    """The p99 of each wave."""
    bytes_a_wave: float
    bytes_a_second: float
    compacted: float
    """What `sparktui compact` leaves of the store, as a fraction."""

    @property
    def hours(self) -> float:
        """How much campaign it was, at the published speed."""
        return self.waves * WAVE_S / 3600

    @property
    def bytes_an_hour(self) -> float:
        """What an hour of campaign takes of the store."""
        return 3600 * (self.bytes_a_wave / WAVE_S + self.bytes_a_second)


def soak(folder: Path, waves: int, speed: float) -> Soaked:
    """Run so many waves and watch who holds what."""
    owner = Owner(folder, {"HOME": str(folder)})
    with sim_engine(folder / "engine", speed=speed) as engine:
        load = ("--concurrency", str(USERS), "--pp", str(PP), "--tg", str(TG), "--runs", str(waves))
        done = owner.type("bench", engine.url, *load, "--detach")
        assert done.returncode == 0, done.stderr
        owner.until(lambda: _waves(owner) > 0, "the first wave")
        viewer, begun = Viewer(owner, screens=True), time.monotonic()
        try:
            held = _watched(owner, waves, {"viewer": viewer.pid, "engine": engine.process.pid})
        finally:
            viewer.close()
    seconds = time.monotonic() - begun
    lag = [us / 1000 for (us,) in owner.rows("SELECT lag_p99_us FROM wave WHERE NOT warmup ORDER BY id")]
    sizes = _sizes(owner.home / "data" / "sparktui.db")
    per_wave, per_second = (sum(sizes[table] for table in tables) for tables in (PER_WAVE, PER_SECOND))
    return Soaked(len(lag), seconds, held, lag, per_wave / len(lag), per_second / seconds, _compacted(owner))


def _compacted(owner: Owner) -> float:
    before = _pages(owner)
    done = owner.type("compact", "--yes")
    assert done.returncode == 0, done.stderr
    return _pages(owner) / before


def _pages(owner: Owner) -> int:
    return int(owner.rows("PRAGMA page_count")[0][0])


def _watched(owner: Owner, waves: int, pids: dict[str, int]) -> dict[str, Held]:
    for name, module in MODULES.items():
        pids[name] = next(p.pid for p in owner.processes_found() if module in (p.info["cmdline"] or []))
    held = {name: Held() for name in pids}
    for look in range(LOOKS):
        while (measured := _waves(owner)) < waves * look / LOOKS and owner.state() == "running":
            time.sleep(0.1)
        if measured >= waves - 1 or owner.state() != "running":
            break
        for name, pid in pids.items():
            process = psutil.Process(pid)
            held[name].rss.append(process.memory_info().rss)
            held[name].files.append(process.num_fds())
    owner.until(lambda: owner.state() != "running", "the campaign's end")
    assert owner.state() == "done"
    return held


def _waves(owner: Owner) -> int:
    found = owner.rows("SELECT count(*) FROM wave WHERE NOT warmup")
    return int(found[0][0]) if found else 0


def _sizes(store: Path) -> dict[str, int]:
    """Return what each table takes, its indices included: the store's pages shared out by what each has written."""
    with closing(sqlite3.connect(store)) as db:
        written = {table: _written(db, table) for table in (*PER_WAVE, *PER_SECOND)}
        (pages,), (page,) = db.execute("PRAGMA page_count").fetchone(), db.execute("PRAGMA page_size").fetchone()
    whole = sum(written.values())
    return {table: int(pages * page * size / whole) for table, size in written.items()}


def _written(db: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    lengths = " + ".join(f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in columns)
    found: int | None = db.execute(f"SELECT sum({lengths} + 8) FROM {table}").fetchone()[0]
    return found or 0


def _grown(values: list[int]) -> int:
    quarter = max(1, len(values) // 4)
    return int(median(values[-quarter:]) - median(values[quarter : 2 * quarter] or values))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--speed", type=float, default=40.0, help="how much shorter the engine's steps are")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spt-") as folder:
        found = soak(Path(folder), round(options.hours * 3600 / WAVE_S), options.speed)
    print(f"{found.waves} waves at c{USERS}: {found.hours:.1f} hours of campaign in {found.seconds:.0f} s; {machine()}")
    for name, held in found.held.items():
        rss, files = held.grown()
        line = f"{held.rss[len(held.rss) // 4] / MIB:.1f} MiB after a quarter, {held.rss[-1] / MIB:.1f} at the end"
        print(
            f"{name}: {line} ({rss / MIB:+.1f} from the second quarter to the last), {held.files[-1]} files ({files:+})"
        )
    quarter = len(found.lag_ms) // 4
    first, last = median(found.lag_ms[:quarter]), median(found.lag_ms[-quarter:])
    print(f"lag p99: {first:.2f} ms in the first quarter, {last:.2f} in the last")
    print(f"the store: {found.bytes_an_hour / MIB:.1f} MiB an hour; compacted, {found.compacted:.0%} of what it was")


if __name__ == "__main__":
    main()
