"""Measure one server with sparktui and with the real llama-benchy, in turns, and print both figures as Markdown.

`python tests/bench/side_by_side.py` starts an embedded engine; `--server vllm` a real vLLM (see tests/real). Both tools
run as their users run them, each in a process of its own, and send the same kind of request: nothing but `max_tokens`
says how long an answer is to be.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from sparktui.compare.cells import measured_cells
from sparktui.store.reader import Reader
from tests.real import environment, llama_benchy, tiny_model, vllm_server, word_tokenizer
from tests.real.bench_run import sparktui
from tests.real.llama_benchy import VERSIONS, Job, LlamaBenchy, Version
from tests.sim_engine import sim_engine

LEVELS = (1, 4, 16)
WARMUP_WAVES: dict[Version, int] = {"0.3.5": 0, "0.4.0": 1}
"""What each llama-benchy measures and throws away before a cell's first wave; we do the same."""
FIGURES = {
    "tg_throughput": "decode_tps",
    "ttfr": "ttfr_ms",
    "e2e_ttft": "ttft_ms",
    "pp_throughput": "prefill_tps",
    "est_ppt": "est_ppt_ms",
    "peak_throughput": "peak_tps",
}
"""llama-benchy's names and sparktui's."""
PROMISED = ("tg_throughput", "ttfr", "e2e_ttft")

Cell = tuple[int, str]
"""A concurrency, and a figure by llama-benchy's name."""
Waves = tuple[float, ...]
"""One value a wave."""


@dataclass(frozen=True, slots=True)
class Server:
    """Something to measure, and what llama-benchy needs to make prompts for it."""

    url: str
    model: str
    tokenizer: Path
    book: str


@dataclass(frozen=True, slots=True)
class Load:
    """What both tools send in every round."""

    pp: int
    tg: int
    runs: int
    levels: tuple[int, ...] = LEVELS


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of one cell: what each tool said of every wave, round by round."""

    concurrency: int
    figure: str
    ours: tuple[Waves, ...]
    theirs: tuple[Waves, ...]

    @property
    def medians(self) -> tuple[float, float]:
        """Ours and theirs, over the waves of all rounds."""
        return _median(self.ours), _median(self.theirs)

    @property
    def difference_pct(self) -> float:
        """Our median against theirs."""
        ours, theirs = self.medians
        return 100 * (ours / theirs - 1)

    @property
    def spread_pct(self) -> float:
        """How far apart one and the same tool's rounds are, highest to lowest median: of the less steady tool."""
        return max(_spread_pct(self.ours), _spread_pct(self.theirs))


def _median(rounds: Iterable[Waves]) -> float:
    return median(value for waves in rounds for value in waves)


def _spread_pct(rounds: tuple[Waves, ...]) -> float:
    each = [median(waves) for waves in rounds]
    return 100 * (max(each) - min(each)) / _median(rounds)


def race(server: Server, load: Load, version: Version, folder: Path) -> Iterator[list[Pair]]:
    """Let both tools measure a server in turns, ours first; yield after each round what all rounds so far said.

    Args:
        server: What both measure.
        load: What both send in a round.
        version: Which llama-benchy.
        folder: Keeps what they wrote.
    """
    built = llama_benchy.ensure()
    ours: list[dict[Cell, Waves]] = []
    theirs: list[dict[Cell, Waves]] = []
    for number in count():
        round_dir = folder / f"round-{number}"
        round_dir.mkdir()
        ours.append(_ours(server, load, version, number, round_dir))
        theirs.append(_theirs(built, version, server, load, round_dir))
        yield [Pair(*cell, tuple(r[cell] for r in ours), tuple(r[cell] for r in theirs)) for cell in ours[0]]


def _ours(server: Server, load: Load, version: Version, seed: int, folder: Path) -> dict[Cell, Waves]:
    profile, home = folder / "profile.json", folder / "sparktui"
    profile.write_text(json.dumps(_profile(server, load, version, seed)))
    run = sparktui(home, "run", str(profile), "--json")
    assert run.code == 0, run.account
    found: dict[Cell, Waves] = {}
    with Reader(home / "sparktui.db") as reader:
        (sweep,) = reader.sweeps(reader.resolve("last"))
        for measured in measured_cells(reader, sweep, calculator=f"benchy-{version}"):
            assert measured.figures.errors == 0, measured.figures.error_kinds
            for theirs, ours in FIGURES.items():
                found[measured.cell.concurrency, theirs] = measured.figures.samples(ours)
    return found


def _profile(server: Server, load: Load, version: Version, seed: int) -> dict[str, object]:
    """Return a profile that asks for no more than llama-benchy does; the seed is to be new in every round, lest the
    server have the prompts in its prefix cache."""
    sampling = {"exact_tg": False, "token_ids": version == "0.4.0"}
    workload = {"concurrency": load.levels, "pp": load.pp, "tg": load.tg, "runs": load.runs, "seed": seed}
    return {
        "name": "side-by-side",
        "nodes": {"local": {"host": "local"}},
        "model": {"id": server.model},
        "serving": {"launcher": "external", "url": server.url},
        "topologies": {"server": {"kind": "solo", "nodes": ["local"]}},
        "workload": workload | {"warmup_waves": WARMUP_WAVES[version], "sampling": sampling},
    }


def _theirs(built: LlamaBenchy, version: Version, server: Server, load: Load, folder: Path) -> dict[Cell, Waves]:
    job = Job(
        server.url,
        server.model,
        server.tokenizer,
        server.book,
        levels=load.levels,
        pp=load.pp,
        tg=load.tg,
        runs=load.runs,
    )
    benchmarks = llama_benchy.run(built, version, job, folder)
    return {(b.concurrency, figure): b.waves[figure] for b in benchmarks for figure in FIGURES}


@contextmanager
def embedded(folder: Path) -> Iterator[Server]:
    """Run an embedded engine at its true speed, whose steps all take as long as the model says."""
    tokenizer = folder / "tokenizer"
    word_tokenizer.write_tokenizer(tokenizer)
    with sim_engine(folder / "engine", speed=1.0, extra=("--drift", "0")) as engine:
        yield Server(engine.url, engine.model, tokenizer, word_tokenizer.book(seed=1))


@contextmanager
def vllm(folder: Path) -> Iterator[Server]:
    """Run a real vLLM with a tiny random model."""
    built = environment.ensure()
    with vllm_server.running_vllm(built, folder / "vllm.log") as server:
        yield of_vllm(server, built)


def of_vllm(server: vllm_server.VllmServer, built: environment.Environment) -> Server:
    """Return a vLLM that runs already as something to measure."""
    return Server(server.url, vllm_server.MODEL, built.model, "".join(tiny_model.sentences()))


SERVERS: dict[str, tuple[Callable[[Path], AbstractContextManager[Server]], Load]] = {
    "embedded": (embedded, Load(pp=2048, tg=32, runs=3)),
    "vllm": (vllm, Load(pp=256, tg=64, runs=5)),
}
"""Each with the load it is given where nothing else is asked for."""


def table(pairs: list[Pair]) -> str:
    """Return the pairs as Markdown, medians over all waves."""
    lines = [
        "| figure | c | sparktui | llama-benchy | difference | one tool's rounds apart |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for pair in sorted(pairs, key=lambda pair: (list(FIGURES).index(pair.figure), pair.concurrency)):
        medians = " | ".join(f"{value:.2f}" for value in pair.medians)
        apart = f"{pair.difference_pct:+.2f} % | {pair.spread_pct:.2f} %"
        lines.append(f"| {pair.figure} | {pair.concurrency} | {medians} | {apart} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=sorted(SERVERS), default="embedded")
    parser.add_argument("--version", choices=VERSIONS, default="0.3.5")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--runs", type=int, default=None, help="waves per cell and round")
    options = parser.parse_args()
    start, load = SERVERS[options.server]
    if options.runs:
        load = Load(load.pp, load.tg, options.runs, load.levels)
    with tempfile.TemporaryDirectory(prefix="sparktui-side-by-side-") as folder, start(Path(folder)) as server:
        *_, pairs = islice(race(server, load, options.version, Path(folder)), options.rounds)
    what = f"llama-benchy {options.version}, {options.server}, pp{load.pp} tg{load.tg}"
    print(f"{what}, {options.rounds} rounds of {load.runs} waves, {os.cpu_count()} cores\n\n{table(pairs)}")


if __name__ == "__main__":
    main()
