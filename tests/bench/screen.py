"""What the app costs on a real terminal: time to the first paint, key to repaint, bytes a second, processor, memory.

`python tests/bench/screen.py` prints Markdown. Viewers run in ptys of their own; the race they watch is the embedded
engine at c64, and for opening there is a store with a million node samples and a hundred thousand requests.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

from sparktui.store.reader import Reader
from tests.bench.large_store import build_large, rows_in
from tests.bench.rounds import machine, spread
from tests.bench.terminal import terminal
from tests.ui.fixture_store import FINISHED, build

SIZE = (120, 40)
APP = [sys.executable, "-m", "sparktui"]
ATTACH = [*APP, "attach", "last"]
LAUNCHED, LISTED, ATTACHED = b"profiles", b"two-vllm", b"decode"
"""What a screen has on it: Launch once it is painted and once it has its profiles, Live once it shows data."""
SETTLED_S = 1.5
KEYS = (b"4", b"2", b"3", b"5", b"2", b"6", b"1")


def first_paint_ms(argv: list[str], text: bytes, home: Path) -> float:
    """Return how long after its start a viewer shows data."""
    with terminal(argv, SIZE, home) as screen:
        return (screen.until(text) - screen.started) * 1000


def interpreter_ms(home: Path) -> float:
    """Return how long Python itself takes to print a word: what no program in it can go below."""
    with terminal([sys.executable, "-c", "print('decode')"], SIZE, home) as screen:
        return (screen.until(b"decode") - screen.started) * 1000


def repaint_ms(home: Path, presses: int) -> list[float]:
    """Return how long after each key the screen begins to change, in a finished race, where nothing else changes it."""
    taken = []
    with terminal(ATTACH, SIZE, home) as screen:
        screen.until(ATTACHED)
        for key in (*KEYS, *KEYS):  # every screen once, so that it is made
            screen.press(key)
            screen.quiet(SETTLED_S)
        for number in range(presses):
            pressed = screen.press(KEYS[number % len(KEYS)])
            taken.append((screen.some() - pressed) * 1000)
            screen.quiet(0.4)
    return taken


def watching(home: Path, seconds: float, *options: str) -> tuple[float, float, float]:
    """Watch a race that is going on; return KiB a second, the share of a core in percent, and MiB held."""
    with terminal([*ATTACH, *options], SIZE, home) as screen:
        screen.until(ATTACHED)
        screen.read(3.0)
        cpu, started = screen.cpu_s(), time.monotonic()
        written = screen.read(seconds)
        passed = time.monotonic() - started
        return written / passed / 1024, 100 * (screen.cpu_s() - cpu) / passed, screen.rss_bytes() / 1024**2


def start_race(home: Path) -> None:
    """Start a race that stays at c64 for longer than anybody measures here, and wait until it is there."""
    profile = yaml.safe_load((Path(__file__).parents[2] / "profiles" / "demo.yaml").read_text())
    profile["workload"] |= {"concurrency": [64], "runs": 400, "pp": 1024, "tg": 128}
    path = home / "race.yaml"
    path.write_text(yaml.safe_dump(profile))
    argv = [*APP, "run", str(path), "--only", "cluster-tp2", "--detach"]
    subprocess.run(argv, env=os.environ | {"SPARKTUI_HOME": str(home)}, check=True, capture_output=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with Reader(home / "sparktui.db") as reader:
            if (live := reader.latest_live(1)) is not None and live.progress.active > 32:
                return
        time.sleep(0.25)
    raise TimeoutError("the race did not come to c64")


def stop_race(home: Path) -> None:
    """End it."""
    subprocess.run([*APP, "stop"], env=os.environ | {"SPARKTUI_HOME": str(home)}, check=False, capture_output=True)


def in_turns(rounds: int, *measured: Callable[[], float]) -> list[list[float]]:
    """Measure several things in turns, so that what disturbs the machine disturbs all of them."""
    taken: list[list[float]] = [[] for _ in measured]
    for _ in range(rounds):
        for values, measure in zip(taken, measured, strict=True):
            values.append(measure())
    return taken


def report_opening(folder: Path, rounds: int, large: bool) -> None:
    """Print how long opening takes, beside what Python alone takes."""
    small, big = folder / "small", folder / "big"
    small.mkdir()
    build(small / "sparktui.db", FINISHED)
    measured = [
        lambda: interpreter_ms(small),
        lambda: first_paint_ms(APP, LAUNCHED, small),
        lambda: first_paint_ms(APP, LISTED, small),
        lambda: first_paint_ms(ATTACH, ATTACHED, small),
    ]
    names = [
        "Python printing a word",
        "`sparktui`: Launch",
        "`sparktui`: Launch with its profiles",
        "`sparktui attach`: a finished race",
    ]
    if large:
        big.mkdir()
        build_large(big / "sparktui.db")
        held = rows_in(big / "sparktui.db")
        measured.append(lambda: first_paint_ms(ATTACH, ATTACHED, big))
        names.append(f"the same, {held['node_sample']:,} samples and {held['request']:,} requests in the store")
    for name, values in zip(names, in_turns(rounds, *measured), strict=True):
        print(f"| start to data on screen, ms: {name} | {spread(values, digits=0)} |")


def report_keys(home: Path, presses: int) -> None:
    """Print how long a key takes."""
    taken = repaint_ms(home, presses)
    p95 = quantiles(taken, n=20)[-1]
    print(f"| key to repaint, ms: from screen to screen | {spread(taken, digits=0)}, p95 {p95:.0f} |")


def report_watching(home: Path, seconds: float, rounds: int) -> None:
    """Print what watching costs while a race goes on."""
    start_race(home)
    try:
        for name, options in (("4 Hz", ()), ("`--ssh`", ("--ssh",))):
            runs = [watching(home, seconds, *options) for _ in range(rounds)]
            rates, shares, held = zip(*runs, strict=True)
            print(f"| watching c64, {name}: KiB/s | {spread(rates)} |")
            print(f"| watching c64, {name}: % of a core | {spread(shares)} |")
            print(f"| watching c64, {name}: MiB held | {spread(held, digits=0)} |")
    finally:
        stop_race(home)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--presses", type=int, default=42)
    parser.add_argument("--no-large", action="store_true", help="without the store of a million samples")
    options = parser.parse_args()
    print(f"the app at {SIZE[0]}x{SIZE[1]}; {machine()}\n\n| what | |\n|---|---|")
    with tempfile.TemporaryDirectory(prefix="sparktui-screen-") as temporary:
        folder = Path(temporary)
        report_opening(folder, options.rounds, large=not options.no_large)
        report_keys(folder / "small", options.presses)
        race = folder / "race"
        race.mkdir()
        report_watching(race, options.seconds, max(2, options.rounds // 2))


if __name__ == "__main__":
    main()
