"""An engine whose process eats its node's memory from the moment that a file is there, until it is killed.

`python eating_engine.py FILE AT_MOST_BYTES COMMAND...` starts the command beside itself.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

STEP_BYTES = 64 * 1024**2
STEP_S = 0.05


def main() -> None:
    """Serve, and eat when told to."""
    told, at_most, command = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    engine = subprocess.Popen(command)
    while not told.exists():
        if engine.poll() is not None:
            sys.exit(engine.returncode)
        time.sleep(0.02)
    eaten: list[bytes] = []
    while len(eaten) * STEP_BYTES < at_most:
        eaten.append(b"\1" * STEP_BYTES)  # every page is written to
        time.sleep(STEP_S)
    engine.wait()


if __name__ == "__main__":
    main()
