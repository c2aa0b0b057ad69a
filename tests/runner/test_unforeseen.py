"""An error that nobody has thought of ends one topology, says where it came from, and no other loses its figures."""

from __future__ import annotations

from pathlib import Path

from tests.runner.campaigns import Owner, into_every_runner


def test_an_error_in_one_topology_does_not_end_the_race(owner: Owner) -> None:
    into_every_runner(
        owner,
        "from sparktui.runner import cell; told = cell.CellMeasurer.measure;"
        " cell.CellMeasurer.measure = lambda self, topology, *more:"
        " [][7] if topology == 'solo' else told(self, topology, *more)",
    )
    done = owner.type("run", owner.profile(), "--only", "solo,shuffle", "--concurrency", "1", "--plain")
    assert done.returncode == 1, done.stderr
    assert owner.rows("SELECT topology, state, error FROM sweep ORDER BY seq") == [
        ("solo", "failed", "the runner failed: IndexError: list index out of range"),
        ("shuffle", "done", None),
    ]
    (log,) = Path(owner.home / "data" / "run").glob("*/runner.log")
    assert "Traceback" in log.read_text()
    assert "Traceback" not in done.stderr
    owner.until(lambda: not owner.processes(), "the end of every process")
