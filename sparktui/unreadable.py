"""What reading a value ends with that is not the JSON it should be."""

from __future__ import annotations

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError)
"""The last for one that is nested without end."""
