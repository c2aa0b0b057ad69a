"""What is going on on a node; standard library only, since it is carried to nodes."""

from __future__ import annotations

from typing import Literal, get_args

Phase = Literal["idle", "loading", "warming", "serving", "stopping"]
PHASES: tuple[Phase, ...] = get_args(Phase)
