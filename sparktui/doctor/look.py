"""What is asked of a node: one read-only shell script, its answers one a line, `name<TAB>value`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from sparktui.errors import HostError
from sparktui.serving.host import Host

TIMEOUT_S = 45.0
DIGITS_AT_MOST = 15
LARGEST = 10.0**DIGITS_AT_MOST
"""What a node says beyond it, it does not know."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a node said: every value under its name, in order; a name that is not there is unknown."""

    values: dict[str, list[str]]
    asked_at: float
    """This machine's clock in the middle of the question."""
    took_s: float
    error: str = ""
    """Why the node could not be asked at all."""

    def one(self, name: str) -> str | None:
        """Return the only value of a name; None where there is none or it is empty."""
        found = self.values.get(name, [])
        return found[0] if found and found[0].strip() else None

    def number(self, name: str) -> float | None:
        """Return a value as a number; None where it is none, or none of a size that anything has."""
        try:
            number = float(self.one(name) or "")
        except ValueError:
            return None
        return number if 0 <= number < LARGEST else None


@dataclass(slots=True)
class Questions:
    """What is asked beside the usual, as pairs of words for the script."""

    pairs: list[tuple[str, str]] = field(default_factory=list)

    def add(self, kind: str, what: str) -> None:
        """Ask for one more thing, once."""
        if (kind, what) not in self.pairs:
            self.pairs.append((kind, what))


async def look(host: Host, questions: Sequence[tuple[str, str]], timeout_s: float = TIMEOUT_S) -> Answers:
    """Ask one node everything; or only how much memory it has, where the first question is `memory`.

    Raises:
        HostError: It cannot be asked.
    """
    before = time.time()
    words = [word for pair in questions for word in pair]
    script = files("sparktui.doctor").joinpath("look.sh").read_text(encoding="utf-8")
    done = await host.run(["sh", "-c", script, "sh", *words], timeout_s=timeout_s)
    after = time.time()
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise HostError(f"its shell cannot run what is asked: {said[0]}", "make its login shell sh, bash, zsh or fish")
    return Answers(parsed(done.stdout), (before + after) / 2, after - before)


def whole(text: str) -> int | None:
    """Return a number of digits alone; None where it is none, or too long to be one of anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_AT_MOST else None


def parsed(text: str) -> dict[str, list[str]]:
    """Return the script's answers by name; lines that are none are left out."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, tab, value = line.partition("\t")
        if tab:
            values.setdefault(name, []).append(value.strip())
    return values
