"""A store with a million samples: what `sparktui nodes` and the Nodes screen take to read it, in CPU time."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sparktui.recorder.flight import Records
from sparktui.store.reader import Reader
from sparktui.ui.nodes_feed import NodesFeed
from sparktui.ui.nodes_view import NodesRequest
from tests.bench.large_store import build_large
from tests.bench.rounds import machine, spread
from tests.ui.fixture_store import NOW

COLUMNS = 110
"""Of a strip in a terminal of 120."""


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the milliseconds of CPU that this takes."""
    began = time.process_time_ns()
    work()
    return (time.process_time_ns() - began) / 1e6


def one_round(store: Path, campaign: int) -> Iterator[tuple[str, float]]:
    """Open the store as a viewer that has just been started would."""
    with Reader(store) as reader:
        feed = NodesFeed(reader, campaign, None)
        yield "all of it, first look", cpu_ms(lambda: feed.view(NodesRequest(COLUMNS), NOW))
        yield "all of it, a second later", cpu_ms(lambda: feed.view(NodesRequest(COLUMNS), NOW + 1))
        yield "an hour, first look", cpu_ms(lambda: feed.view(NodesRequest(COLUMNS, 45), NOW))
        yield "sparktui nodes", cpu_ms(lambda: Records(reader, campaign).flight(600.0))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "sparktui.db"
        campaign = build_large(store, options.samples, requests=1)
        taken: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            for name, ms in one_round(store, campaign):
                taken.setdefault(name, []).append(ms)
    print(f"{options.samples} samples of two nodes; {machine()}")
    for name, values in taken.items():
        print(f"{name:<28}{spread(values, ' ms')}")


if __name__ == "__main__":
    main()
