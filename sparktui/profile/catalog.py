"""Where profiles are found by name: the owner's own folder first, then the ones that come with sparktui."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from sparktui.errors import UsageError

SUFFIXES = (".yaml", ".yml")
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """One profile that can be run by its name."""

    name: str
    path: Path
    summary: str
    """The opening comment line of its file; empty where there is none."""


def find_profile(name_or_path: str) -> Path:
    """Return the file of a profile; whatever has a slash or ends in .yaml or .yml is a path, anything else a name.

    Raises:
        UsageError: No profile has that name.
    """
    if "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return Path(os.path.expanduser(name_or_path))
    entries = {entry.name: entry for entry in list_profiles()}
    if name_or_path in entries:
        return entries[name_or_path].path
    near = difflib.get_close_matches(name_or_path, entries, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"there is no profile named {name_or_path!r}",
        f"{hint}known: {', '.join(entries) or 'none'}; a path such as ./mine.yaml works too",
    )


def list_profiles() -> tuple[ProfileEntry, ...]:
    """Return every profile that has a name here, by name; the owner's own hides a shipped one of the same name."""
    found: dict[str, ProfileEntry] = {}
    for folder in (own_folder(), shipped_folder()):
        for path in _files(folder):
            found.setdefault(path.stem, ProfileEntry(path.stem, path, _summary(path)))
    return tuple(found[name] for name in sorted(found))


def own_folder() -> Path:
    """Return the folder of the owner's own profiles; it need not exist."""
    from sparktui.paths import data_dir

    return data_dir() / "profiles"


def shipped_folder() -> Path:
    """Return the folder of the profiles that come with sparktui: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "profiles"
    return inside if inside.is_dir() else package.parent / "profiles"


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    except OSError:
        return []


def _summary(path: Path) -> str:
    try:
        with path.open("rb") as file:
            first = file.read(HEAD_BYTES).decode("utf-8-sig", errors="replace").partition("\n")[0]
    except OSError:
        return ""
    text = first.removeprefix("#").strip() if first.startswith("#") else ""
    return "".join(character if character.isprintable() else "?" for character in text)
