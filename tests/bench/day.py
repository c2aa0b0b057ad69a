"""A campaign of 24 hours, replayed at speed: what the viewer holds, hour by hour."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rounds import machine
from tests.ui.replay import replay

MIB = 1024**2


async def hours(folder: Path, count: int, keys: str) -> list[int]:
    """Return what the viewer held at the end of every hour, in bytes."""
    held = [rss async for rss in replay(folder, count * 60, keys)]
    return held[59::60]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--keys", default="2345", help="the screens looked at, in turns of 20 minutes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        held = asyncio.run(hours(Path(folder), options.hours, options.keys))
        size = (Path(folder) / "sparktui.db").stat().st_size
    print(f"{options.hours} hours replayed in {time.monotonic() - started:.0f} s; {machine()}")
    print("MiB held at the end of every hour:", *(rss // MIB for rss in held))
    print(f"the store: {size / options.hours / MIB:.1f} MiB an hour")


if __name__ == "__main__":
    main()
