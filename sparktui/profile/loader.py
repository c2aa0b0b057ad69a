"""A profile's file or text to a frozen profile, or one error with every problem: file, line, key, what was expected."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from sparktui.errors import ProfileError
from sparktui.profile.model import Profile
from sparktui.profile.problems import Problem, dotted
from sparktui.profile.source import Source, read_source
from sparktui.profile.validate import untold, validated

MAX_BYTES = 1024 * 1024
MAX_TOLD = 100
EVERY_KEY = "docs/profile.md has every key, and an example for each launcher"


def load_profile(path: Path) -> Profile:
    """Return the profile a file holds.

    Raises:
        ProfileError: It cannot be read or used; `problems` holds every reason.
    """
    return parse_profile(_decoded(_read(path), str(path)), str(path))


def parse_profile(text: str, source_name: str) -> Profile:
    """Return the profile a YAML text holds; `source_name` is how messages call it.

    Raises:
        ProfileError: It cannot be used; `problems` holds every reason.
    """
    if len(text) > MAX_BYTES:
        raise _refused(source_name, "larger than 1 MiB; expected a profile of a few kilobytes")
    source = read_source(text)
    return _finished(source, source_name)


def profile_from_data(data: Mapping[str, object], source_name: str) -> Profile:
    """Return the profile that plain values make: mappings, tuples, text, numbers.

    Raises:
        ProfileError: They make none; `problems` holds every reason.
    """
    return _finished(Source(_as_tuples(data)), source_name)


def dump_profile(profile: Profile) -> str:
    """Return YAML text that `parse_profile` makes the same profile of."""
    return str(yaml.safe_dump(profile.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100))


def _finished(source: Source, source_name: str) -> Profile:
    problems = list(source.problems)
    profile = None
    if isinstance(source.data, dict):
        profile, found = validated(source)
        problems += untold(found, source.problems)
    if profile is None or problems:
        raise _error(problems, source_name)
    return profile


def _as_tuples(value: object) -> object:
    """Return plain values with tuples for lists, as the frozen model wants them."""
    if isinstance(value, Mapping):
        return {key: _as_tuples(inner) for key, inner in value.items()}
    return tuple(_as_tuples(inner) for inner in value) if isinstance(value, list | tuple) else value


def _read(path: Path) -> bytes:
    if not os.path.exists(path):
        raise _refused(str(path), f"there is no such file{_near_files(path)}")
    if not os.path.isfile(path):
        raise _refused(
            str(path), "expected a file, got a folder" if os.path.isdir(path) else "expected an ordinary file"
        )
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refused(str(path), f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise _refused(str(path), "larger than 1 MiB; expected a profile of a few kilobytes")
    return content


def _near_files(path: Path) -> str:
    try:
        names = sorted(name for name in os.listdir(path.parent) if name.endswith((".yaml", ".yml")))
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(str(path.parent / name) for name in near)}?" if near else ""


def _decoded(content: bytes, source_name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        raise _error([Problem(line, (), f"not a text file: {found}")], source_name) from error


def _refused(source_name: str, reason: str) -> ProfileError:
    return _error([Problem(0, (), reason)], source_name)


def _error(problems: Iterable[Problem], source_name: str) -> ProfileError:
    ordered = sorted(set(problems), key=_order)
    lines = [problem.reads(source_name) for problem in ordered[:MAX_TOLD]]
    if len(ordered) > MAX_TOLD:
        lines.append(f"{source_name}: and {len(ordered) - MAX_TOLD} more")
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    hint = EVERY_KEY if any(problem.path for problem in ordered) else ""
    return ProfileError(f"the profile {source_name} cannot be used: {count}", tuple(lines), hint)


def _order(problem: Problem) -> tuple[int, str, str]:
    return problem.line, dotted(problem.path), problem.text
