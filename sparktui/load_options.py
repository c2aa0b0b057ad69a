"""The options that say what load to put on a server: the same for `run`, over a profile's own, and for `bench`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import click

SHAPES = "Requests started and waited for together, or slots that each send their next request at once."
PRECISION = "End a level, before its runs, when its means are known this well (95 %); --runs is the most then."
UNTIL = "Measure a coarse ladder, and new levels only where topologies cross."
BODY_KEYS = "A further key of the request body, or a JSON object of some; may be repeated."


class Levels(click.ParamType[tuple[int, ...]]):
    """`1,2,4`: rising concurrency levels."""

    name = "levels"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            levels = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 1,2,4", param, ctx)
        if not levels or min(levels) < 1 or list(levels) != sorted(set(levels)):
            self.fail(f"{value!r}: expected rising levels from 1 on, such as 1,2,4", param, ctx)
        return levels


class BodyKeys(click.ParamType[dict[str, object]]):
    """`top_k=5`, or `{"top_k": 5}`: further keys of the request body."""

    name = "body keys"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, object]:
        text = str(value).strip()
        key, equals, rest = text.partition("=")
        whole = text.startswith("{")
        if not whole and not (equals and key.strip()):
            self.fail(f"{text!r}: expected KEY=JSON, such as top_k=5, or one JSON object", param, ctx)
        try:
            read = json.loads(text if whole else rest, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            self.fail(f"{text!r} is not JSON; text takes quotes: KEY='\"text\"'", param, ctx)
        return read if whole else {key.strip(): read}


class Share(click.ParamType[float]):
    """`2%` or `0.02`: a fraction between 0 and 1."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{text!r} is not a share such as 2% or 0.02", param, ctx)
        if not 0 < share < 1:
            self.fail(f"{text!r}: expected more than 0% and less than 100%", param, ctx)
        return share


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


NAMES = (
    *("concurrency", "pp", "tg", "depth", "runs", "shape", "pool_turns", "api"),
    *("seed", "exact_tg", "token_ids", "temperature", "extra_body"),
    *("precision", "min_runs", "until"),
)
MOST_RUNS = 50
"""Waves a level that a precision may take, where nothing says how many."""
Command = Callable[..., None]


def load_options(*, over_profile: bool) -> Callable[[Command], Command]:
    """Add the options, and hand them to the command as one mapping `load` of workload keys; None is not given.

    Args:
        over_profile: Whether what is not given is the profile's, and not the default that the help then names.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collected(**given: Any) -> None:
            load = {name: given.pop(name, None) for name in NAMES}
            load["extra_body"] = {key: value for keys in load["extra_body"] for key, value in keys.items()} or None
            if load["precision"] is not None and load["runs"] is None and not over_profile:
                load["runs"] = MOST_RUNS
            command(load=load, **given)

        decorated: Command = collected
        for option in reversed(_options(over_profile)):
            decorated = option(decorated)
        return decorated

    return decorate


def _options(over_profile: bool) -> tuple[Callable[[Command], Command], ...]:
    def option(*names: str, text: str, default: str, **kind: Any) -> Callable[[Command], Command]:
        said = "the profile's" if over_profile else default
        return click.option(*names, default=None, help=f"{text}  [default: {said}]", **kind)

    return (
        option("--concurrency", type=Levels(), text="Levels, rising: 1,2,4.", default="1,2,4,8"),
        option("--pp", type=click.IntRange(1), text="Prompt tokens.", default="1024"),
        option("--tg", type=click.IntRange(1), text="Tokens to generate.", default="128"),
        option("--depth", type=click.IntRange(0), text="Context tokens in front of the prompt.", default="0"),
        option("--runs", type=click.IntRange(1), text="Waves, or pool runs, per level.", default="3"),
        option("--precision", type=Share(), text=PRECISION, metavar="2%", default="none"),
        option("--min-runs", type=click.IntRange(3), text="Waves before that may end a level.", default="5"),
        *((option("--until", type=click.Choice(["crossover"]), text=UNTIL, default=""),) if over_profile else ()),
        option("--shape", type=click.Choice(["waves", "pool"]), text=SHAPES, default="waves"),
        option("--turns", "pool_turns", type=click.IntRange(2), text="Requests a slot in a pool run.", default="5"),
        option("--api", type=click.Choice(["chat", "completions"]), text="Which endpoint is asked.", default="chat"),
        option("--seed", type=click.IntRange(0, 2**63 - 1), text="Of the prompts' words.", default="another each time"),
        option("--exact-tg/--no-exact-tg", text="Ask for exactly TG tokens.", default="exact-tg"),
        option("--token-ids/--no-token-ids", text="Ask for the ids of each event's tokens.", default="token-ids"),
        option("--temperature", type=click.FloatRange(0), text="Of sampling.", default="the server's"),
        click.option("--extra-body", type=BodyKeys(), multiple=True, metavar="KEY=JSON", help=BODY_KEYS),
    )
