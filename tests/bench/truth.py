"""Truth of time: what the store says of each token's arrival, against when the server sent it, while the app draws.

`sparktui bench` runs in a terminal of 160 by 50, with its own defaults, against the stamping server. The receive stamp
is then what the campaign's store holds, so it has gone all the way: kernel, worker, runner, store. Tokens that came
while the worker was kept from running for longer than the time between two share a read, and its stamp, which is the
last one's: figures are printed with them and without.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sparktui.measure.record import WaveRecord
from sparktui.measure.statistics import percentile
from sparktui.store.reader import Reader
from tests.bench.rounds import machine, stolen_s
from tests.bench.stamping import MODEL, StampingServer, stamp_errors_us, stamping_server

DEADLINE_S = 300.0
LEVELS = (64, 512)
PROMPT_TOKENS = 128
FAR_US = 200
_LINES, _COLUMNS = 50, 160


class Terminal:
    """A terminal that somebody looks at: what is drawn on it is read at once, and counted."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        self.drawn_bytes = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def press(self, key: str) -> None:
        """Type a key."""
        os.write(self._master, key.encode())

    def close(self) -> None:
        """Switch it off."""
        os.close(self.slave)
        self._reader.join(DEADLINE_S)
        os.close(self._master)

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 65536):
                self.drawn_bytes += len(data)
        except OSError:
            pass  # Nobody has it open any more.


@contextmanager
def app_on(terminal: Terminal, home: Path, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `sparktui bench` in a terminal, and leave it by its own key at the end."""
    env = {**os.environ, "SPARKTUI_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    argv = [sys.executable, "-m", "sparktui", "bench", *arguments]
    on = terminal.slave
    with subprocess.Popen(argv, env=env, stdin=on, stdout=on, stderr=on, start_new_session=True) as app:
        try:
            yield app
            terminal.press("q")
            app.wait(DEADLINE_S)
        finally:
            app.kill()


def measured(server: StampingServer, concurrency: int, tokens: int, runs: int) -> tuple[list[WaveRecord], int]:
    """Run a campaign of one cell with the app open; return its waves, and how many bytes the app drew."""
    load = ["--concurrency", str(concurrency), "--pp", str(PROMPT_TOKENS), "--tg", str(tokens), "--runs", str(runs)]
    terminal = Terminal()
    with tempfile.TemporaryDirectory(prefix="sparktui-truth-") as home:
        with app_on(terminal, Path(home), [server.url, "--model", MODEL, *load]) as app:
            _wait_until_done(app, Path(home, "sparktui.db"))
            drawn = terminal.drawn_bytes
        terminal.close()
        with Reader(Path(home, "sparktui.db")) as reader:
            (sweep,) = reader.sweeps(1)
            (cell,) = reader.cells(sweep.id)
            return [wave.record for wave in reader.waves(cell.id, events=True, warmup=False)], drawn


def _wait_until_done(app: subprocess.Popen[bytes], store: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        assert app.poll() is None, "the app has ended"
        if store.exists():
            with Reader(store) as reader:
                states = [campaign.state for campaign in reader.campaigns()]
            if states and states[0] not in ("queued", "running"):
                assert states == ["done"], states
                return
        time.sleep(0.5)
    raise AssertionError("the campaign did not end")


def row(level: int, server: StampingServer, waves: list[WaveRecord], drawn: int, stolen: float) -> str:
    """Return what came of a level, as a few lines."""
    errors = [error for wave in waves for error in stamp_errors_us(server, wave)]
    far = sum(error > FAR_US for error in errors) / len(errors)
    own = [error for wave in waves for error in stamp_errors_us(server, wave, own_read=True)]
    lag_us = [wave.lag_p99_us for wave in waves if wave.lag_p99_us is not None]
    clocks = "/".join(sorted({wave.clock for wave in waves}))
    return "\n".join(
        (
            f"  c{level:<4} all tokens            {_spread(errors)}; {far:.2%} over {FAR_US} us",
            f"        with reads of their own {_spread(own)}",
            f"        {len(waves)} waves, {clocks} clock; reads {percentile(lag_us, 50) or 0:.0f} us late (p99);"
            f" {drawn // 1024} KiB drawn; {stolen:.1f} s of CPU stolen from this machine meanwhile",
        )
    )


def _spread(errors: list[float]) -> str:
    p50, p99 = percentile(errors, 50), percentile(errors, 99)
    return f"p50 {p50:.0f} us, p99 {p99:.0f} us, {min(errors):.0f} to {max(errors):.0f} us (n={len(errors)})"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=6, help="waves per level")
    parser.add_argument("--rate", type=float, default=8000.0, help="tokens a second, of all streams")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a wave lasts")
    options = parser.parse_args()
    print(f"truth: recorded arrival minus the server's send, {options.rate:.0f} tok/s, app drawing; {machine()}")
    for level in LEVELS:
        stolen = stolen_s()
        with stamping_server(options.rate, level) as server:
            waves, drawn = measured(server, level, round(options.rate * options.seconds / level), options.runs)
        print(row(level, server, waves, drawn, stolen_s() - stolen), flush=True)


if __name__ == "__main__":
    main()
