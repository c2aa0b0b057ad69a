"""How long a screen keeps its event loop from everything else, in CPU time: others use this machine too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

LIMIT_S = 0.05
"""A handler that takes longer is felt at the next key."""


@contextmanager
def steps_taken() -> Iterator[list[tuple[float, str]]]:
    """Collect every uninterrupted step of the event loop with the CPU seconds that it took, while the block runs.

    A step is a handler, or several in a row: it is over when one of them waits for something.
    """
    steps = [(0.0, "nothing")]
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        begun = time.thread_time()
        run(handle)
        steps.append((time.thread_time() - begun, repr(handle)))

    with patch.object(asyncio.Handle, "_run", timed):
        yield steps
