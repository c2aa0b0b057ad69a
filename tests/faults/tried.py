"""How many bad inputs the fault tests have tried, and what came of them; printed when they are over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sparktui.errors import SparktuiError

INPUTS, HANGS, UNTYPED = "inputs", "hangs", "untyped"
counts: Counter[str] = Counter()


@contextmanager
def bad_input() -> Iterator[None]:
    """Count one input that nobody well would send; what it ends with decides whether it hung or was not foreseen."""
    counts[INPUTS] += 1
    try:
        yield
    except TimeoutError:
        counts[HANGS] += 1
        raise
    except (SparktuiError, AssertionError):
        raise
    except Exception:
        counts[UNTYPED] += 1
        raise


def count(inputs: int) -> None:
    """Count inputs whose end the test itself has looked at."""
    counts[INPUTS] += inputs


def summary() -> str:
    """Return it as a line."""
    return f"bad inputs tried {counts[INPUTS]}, hangs {counts[HANGS]}, untyped errors {counts[UNTYPED]}"
