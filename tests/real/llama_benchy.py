"""The real llama-benchy, built once and run as its users run it, but without the network: a book and a tokenizer of
the caller's, in a home folder of its own.

Both versions share one virtual environment: what they need is the same, and their wheels lie side by side in it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, get_args

from .building import Build, cache, python_version
from .processes import MARK, kill_marked, marked_env

Version = Literal["0.3.5", "0.4.0"]
VERSIONS: tuple[Version, ...] = get_args(Version)
WHEEL_SHA256: dict[Version, str] = {
    "0.3.5": "a40f5d348eb2c9eb548738c6322a4f57feff62a80e0d1d4759c1b16f8b9576dc",
    "0.4.0": "9d380f97bd5ef39b03ed2f319f1ee3bdf5c983463f6ce1479f432e90db079410",
}
NEEDS = Path(__file__).with_name("llama-benchy-needs.txt")
"""Everything that llama-benchy needs, to the last version."""
NEEDED_BYTES = 1024**3
DEADLINE_S = 900.0
ATTEMPTS = 3
BOOK_URL = "http://127.0.0.1:9/book.txt"
"""Never fetched: what it would bring already lies where llama-benchy keeps its books."""

PER_WAVE = ("tg_throughput", "pp_throughput", "peak_throughput")
PER_REQUEST = ("ttfr", "e2e_ttft", "est_ppt")
"""Fields of the report by what one of their values stands for."""


@dataclass(frozen=True, slots=True)
class LlamaBenchy(Build):
    """Where the built things are."""

    def wheel(self, version: Version) -> Path:
        """Return the folder that one version is unpacked in."""
        return self.root / f"llama-benchy-{version}"


@dataclass(frozen=True, slots=True)
class Job:
    """What llama-benchy is to measure."""

    url: str
    model: str
    tokenizer: Path
    book: str
    """What prompts are cut from, at places of llama-benchy's own choosing."""
    levels: tuple[int, ...]
    pp: int
    tg: int
    runs: int


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One cell of a report."""

    concurrency: int
    waves: dict[str, tuple[float, ...]]
    """One value a wave, the mean of its requests where the report has a value for each; times in milliseconds."""


def ensure() -> LlamaBenchy:
    """Build both versions unless they are there; raise BuildError where that fails."""
    needs = hashlib.sha256(NEEDS.read_bytes()).hexdigest()[:12]
    versions: dict[str, str | int] = {"needs": needs, "python": python_version()}
    versions |= {f"llama-benchy {version}": digest for version, digest in WHEEL_SHA256.items()}
    with cache() as folder:
        built = LlamaBenchy(folder / "llama-benchy")
        built.make("llama-benchy: 350 MB", versions, NEEDED_BYTES, lambda: _fill(built))
    return built


def _fill(built: LlamaBenchy) -> None:
    built.pip("what llama-benchy needs", "install", "--requirement", str(NEEDS))
    for version, digest in WHEEL_SHA256.items():
        pinned = built.root / f"{version}.txt"
        pinned.write_text(f"llama-benchy=={version} --hash=sha256:{digest}\n")
        exactly = ["--no-deps", "--require-hashes", "--target", str(built.wheel(version))]
        built.pip(f"llama-benchy {version}", "install", *exactly, "--requirement", str(pinned))


class WordlessError(AssertionError):
    """Some request brought no text: llama-benchy has no time to first token of it, and its waves are not whole."""


def run(built: LlamaBenchy, version: Version, job: Job, folder: Path) -> list[Benchmark]:
    """Run llama-benchy to its end in an empty folder; once more where a request brought no text.

    A model of random weights may begin with the end, and llama-benchy cannot be told to ignore that.
    """
    for attempt in range(ATTEMPTS - 1):
        with suppress(WordlessError):
            return _run(built, version, job, folder / str(attempt))
    return _run(built, version, job, folder / str(ATTEMPTS))


def _run(built: LlamaBenchy, version: Version, job: Job, folder: Path) -> list[Benchmark]:
    home, result = folder / "home", folder / "result.json"
    _shelve(job.book, home)
    env = marked_env(HOME=str(home), PYTHONPATH=str(built.wheel(version)), HF_HUB_OFFLINE="1", NO_PROXY="127.0.0.1")
    argv = [str(built.python), "-m", "llama_benchy", *_options(job), "--save-result", str(result), "--format", "json"]
    try:
        done = subprocess.run(
            argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired:
        kill_marked(env[MARK])
        raise
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return _read(result, version, job)


def _options(job: Job) -> list[str]:
    numbers = {"--pp": (job.pp,), "--tg": (job.tg,), "--runs": (job.runs,), "--concurrency": job.levels}
    options = ["--base-url", f"{job.url}/v1", "--model", job.model, "--tokenizer", str(job.tokenizer)]
    options += ["--book-url", BOOK_URL, "--skip-coherence"]
    return options + [text for name, values in numbers.items() for text in (name, *map(str, values))]


def _shelve(book: str, home: Path) -> None:
    shelf = home / ".cache" / "llama-benchy"
    shelf.mkdir(parents=True)
    name = hashlib.md5(BOOK_URL.encode(), usedforsecurity=False).hexdigest()
    (shelf / f"{name}.txt").write_text(book)


def _read(result: Path, version: Version, job: Job) -> list[Benchmark]:
    report = json.loads(result.read_text())
    assert report["version"] == version
    benchmarks = report["benchmarks"]
    sent = {entry["concurrency"]: len(entry["e2e_ttft"]["values"]) for entry in benchmarks}
    if sent != {level: level * job.runs for level in job.levels}:
        raise WordlessError(f"requests that brought text, by concurrency: {sent}")
    return [Benchmark(entry["concurrency"], _by_wave(entry)) for entry in benchmarks]


def _by_wave(entry: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    """Return one value a wave: the report has those of its requests wave after wave."""
    size = entry["concurrency"]
    values = {field: tuple(entry[field]["values"]) for field in PER_WAVE}
    for field in PER_REQUEST:
        flat = entry[field]["values"]
        values[field] = tuple(fmean(flat[start : start + size]) for start in range(0, len(flat), size))
    return values
