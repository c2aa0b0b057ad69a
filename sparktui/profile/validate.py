"""Plain values to a profile, or to problems in the owner's words: nothing of pydantic's own language comes through."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sparktui.profile.checks import findings
from sparktui.profile.expected import choices_of, describe, hint_at, key_hint, keys_at, launchers, type_of
from sparktui.profile.model import Floors, Model, Node, Profile, Sampling, Topology, Workload
from sparktui.profile.problems import Path, Problem, dotted, shown
from sparktui.profile.source import Source

LAUNCHER: Path = ("serving", "launcher")
HOMES: dict[Path, tuple[str, ...]] = {
    (): tuple(Profile.model_fields),
    ("nodes", "NODE"): tuple(Node.model_fields),
    ("model",): tuple(Model.model_fields),
    ("topologies", "TOPOLOGY"): tuple(Topology.model_fields),
    ("workload",): tuple(Workload.model_fields),
    ("workload", "sampling"): tuple(Sampling.model_fields),
    ("memory", "floors"): tuple(Floors.model_fields),
}
"""Where keys live, to tell the owner of a key that stands in the wrong place."""


def validated(source: Source) -> tuple[Profile | None, list[Problem]]:
    """Return the profile that a source's data makes, or None, and what is wrong with it."""
    problems = [Problem(source.line(path), path, text) for path, text in findings(source.data)]
    try:
        profile = Profile.model_validate(source.data)
    except ValidationError as error:
        mine = list(_translated(error, source))
        hidden = _hidden_behind(mine, source)
        return None, [*mine, *hidden, *untold(problems, mine)]
    return profile, problems


def _hidden_behind(problems: list[Problem], source: Source) -> Iterator[Problem]:
    """Yield what a mapping's own rules say once its wrong keys are out of the way."""
    pruned = _without(source.data, {problem.path for problem in problems})
    try:
        Profile.model_validate(pruned)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            if details["type"] == "value_error":
                yield _as_problem(details, source)


def _without(data: object, paths: set[Path], at: Path = ()) -> object:
    if not isinstance(data, dict):
        return data
    return {key: _without(value, paths, (*at, key)) for key, value in data.items() if (*at, key) not in paths}


def _translated(error: ValidationError, source: Source) -> Iterator[Problem]:
    details = error.errors(include_url=False)
    unknown = {_path(each) for each in details if each["type"] == "extra_forbidden"}
    meant = {(*path[:-1], near) for path in unknown if (near := _nearest(path, source.data))}
    for each in details:
        if each["type"] != "missing" or _path(each) not in meant:
            yield _as_problem(each, source)


def _as_problem(details: ErrorDetails, source: Source) -> Problem:
    path = _path(details)
    match details["type"]:
        case "extra_forbidden":
            return Problem(source.line(path), path, _unknown_key(path, source.data))
        case "missing":
            return Problem(source.line(path), path, f"missing: expected {describe(hint_at(path, source.data))}")
        case "union_tag_not_found" | "union_tag_invalid":
            return _wrong_launcher(source)
        case "value_error":
            return Problem(source.line(path), path, _own_words(details))
    if details["loc"][-1] == "[key]":
        hint = key_hint(hint_at(path[:-1], source.data))
        return Problem(source.line(path), path, f"expected {describe(hint)}, got {shown(path[-1])}")
    return Problem(source.line(path), path, _wrong_value(path, details["input"], source))


def _path(details: ErrorDetails) -> Path:
    """Return where an error is, without the marks pydantic adds for dictionary keys and the launcher's union."""
    location = tuple(part for part in details["loc"] if part != "[key]")
    if len(location) > 1 and location[0] == "serving" and location[1] in launchers():
        return ("serving", *location[2:])
    return location


def _own_words(details: ErrorDetails) -> str:
    text = str(details["ctx"]["error"])
    return f"{text}, got {shown(details['input'])}" if text.startswith("expected") and ":" not in text else text


def _wrong_value(path: Path, value: object, source: Source) -> str:
    hint = hint_at(path, source.data)
    text = f"expected {describe(hint)}, got {shown(value)}"
    near = difflib.get_close_matches(value, choices_of(hint), n=1) if isinstance(value, str) else []
    if near:
        return f"{text}; did you mean {near[0]!r}?"
    return text + _surprise(source.unquoted.get(path, ""), value, type_of(hint))


def _surprise(written: str, value: object, wanted: object) -> str:
    """Explain what YAML made of a value without quotes."""
    if not written or value is None:
        return ""
    if isinstance(value, str):
        number = _number(value) if wanted in (int, float) else None
        return "" if number is None else f"; YAML reads {written} as text: write {number:.15g}"
    if wanted is str:
        why = "" if shown(value) == written else f"YAML reads {written} as {shown(value)}: "
        return f"; {why}put it in quotes"
    return "" if shown(value) == written.lower() else f"; YAML reads {written} as {shown(value)}"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if -1e15 < number < 1e15 else None


def _wrong_launcher(source: Source) -> Problem:
    serving = source.data["serving"] if isinstance(source.data, dict) else None
    names = ", ".join(launchers())
    if isinstance(serving, dict) and "launcher" in serving:
        value = serving["launcher"]
        near = difflib.get_close_matches(value, launchers(), n=1) if isinstance(value, str) else []
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return Problem(source.line(LAUNCHER), LAUNCHER, f"expected one of {names}, got {shown(value)}{hint}")
    misspelt = difflib.get_close_matches("launcher", serving, n=1) if isinstance(serving, dict) else []
    if misspelt:
        at: Path = ("serving", misspelt[0])
        return Problem(source.line(at), at, f"unknown key; did you mean 'launcher'? It takes one of {names}")
    return Problem(source.line(LAUNCHER), LAUNCHER, f"missing: expected one of {names}")


def _unknown_key(path: Path, data: object) -> str:
    key = path[-1]
    near = _nearest(path, data)
    if near:
        return f"unknown key; did you mean {near!r}?"
    known = keys_at(path[:-1], data)
    homes = [place for place, keys in HOMES.items() if key in keys and place[:1] != path[:1]]
    if path[0] == "serving" and (others := [name for name, arm in launchers().items() if key in arm.model_fields]):
        return f"unknown key; only launcher {' or '.join(others)} has it"
    if homes:
        return f"unknown key here; it belongs in {dotted((*homes[0], str(key)))}"
    return f"unknown key; expected one of {', '.join(known)}"


def _nearest(path: Path, data: object) -> str | None:
    key = path[-1]
    near = difflib.get_close_matches(key, keys_at(path[:-1], data)) if isinstance(key, str) else []
    given = _mapping_at(path[:-1], data)
    return next((known for known in near if known not in given), near[0] if near else None)


def _mapping_at(path: Path, data: object) -> Mapping[object, object]:
    for part in path:
        data = data[part] if isinstance(data, dict) and part in data else None
    return data if isinstance(data, dict) else {}


def untold(problems: Iterable[Problem], others: Iterable[Problem]) -> list[Problem]:
    """Return the problems with keys that no other problem speaks of already."""
    paths = {other.path for other in others}
    return [problem for problem in problems if problem.path not in paths]
