"""Every figure on the History screen in words."""

from __future__ import annotations

from sparktui.ui.explain import Explanation

HISTORY = (
    Explanation(
        "done",
        "Topologies measured to their end, of all that the campaign races.",
        "",
        "the store",
        "all of them; `r` measures what is missing, but not what was skipped",
    ),
    Explanation(
        "fastest decode",
        "Who decodes fastest, all streams together, at the lowest concurrency that was measured, at one in the middle "
        "(c8 where there is one) and at the highest. `a = b` or `tie`: they cannot be told apart. `so far`: others are "
        "still to be measured; `only a`: none but that. Of a server alone, its tok/s. Compare says by how much.",
        "",
        "worked out from every wave when this screen is first opened; … until then",
    ),
    Explanation(
        "state",
        "done: every wave of every topology. partial: something failed. stopped: by its owner. guard: the memory guard "
        "ended a topology. interrupted: its runner ended without a word; `r` goes on where it was.",
    ),
    Explanation(
        "SIMULATED, PUBLISHED, IMPORTED",
        "Where the figures come from, where that is not your own nodes: the embedded engine, a published table that "
        "ships with sparktui, or a file. An own export that was imported keeps its mark beside IMPORTED.",
    ),
)
