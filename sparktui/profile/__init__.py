"""What is raced: YAML to a frozen `Profile`, found by name or path, with every problem told at once."""

from __future__ import annotations

from sparktui.profile.loader import dump_profile, load_profile, parse_profile, profile_from_data
from sparktui.profile.model import Profile

__all__ = ["Profile", "dump_profile", "load_profile", "parse_profile", "profile_from_data"]
