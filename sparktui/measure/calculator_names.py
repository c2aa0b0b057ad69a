"""What the calculators are called: for whoever only offers them, and need not load the rules themselves."""

from __future__ import annotations

USAGE = "usage"
BENCHY_0_3_5 = "benchy-0.3.5"
BENCHY_0_4_0 = "benchy-0.4.0"
DEFAULT = USAGE
NAMES = (USAGE, BENCHY_0_3_5, BENCHY_0_4_0)
