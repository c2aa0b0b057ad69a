"""A profile by its name or path, under a name that tells its campaigns from those of a profile that ships."""

from __future__ import annotations

import re
from pathlib import Path

from sparktui.profile.catalog import find_profile, shipped_folder
from sparktui.profile.fields import NAME
from sparktui.profile.loader import load_profile
from sparktui.profile.model import Profile


def profile_named(name_or_path: str) -> Profile:
    """Return the profile of that name or path.

    Raises:
        UsageError: No profile has that name.
        ProfileError: It cannot be read or used; `problems` holds every reason.
    """
    return profile_of(find_profile(name_or_path))


def profile_of(path: Path) -> Profile:
    """Return the profile of a file; a copy that kept the name of one that ships is called by its file's name instead.

    Raises:
        ProfileError: It cannot be read or used; `problems` holds every reason.
    """
    profile = load_profile(path)
    if _ships(profile.name) and path.resolve().parent != shipped_folder().resolve() and re.match(NAME, path.stem):
        return profile.model_copy(update={"name": path.stem})
    return profile


def _ships(name: str) -> bool:
    return (shipped_folder() / f"{name}.yaml").is_file()
