"""The figures of Sweep in words."""

from __future__ import annotations

from sparktui.ui.explain import TAINT, WAVE, Explanation

SWEEP = (
    Explanation(
        "the chart",
        "One figure over the number of requests at once, on a log2 axis: every step to the right is twice as many. A "
        "letter at each level that is measured, a line and a colour a topology; + where letters fall together. Levels "
        "to come are on the axis already.",
        source="the table's means, computed again when a level is done",
    ),
    Explanation(
        "the upright bars",
        "The 95 % interval of a mean, from its waves. Where none is seen it is smaller than its letter.",
        good="short: the topologies can be told apart",
    ),
    Explanation(
        "±",
        "The standard deviation over the waves of a level: how far single waves lie from their mean.",
        "as the figure",
    ),
    Explanation(
        "leads, ties, best +12 %",
        "Who wins the level under the cursor, by the rule of Compare, and by how much the best is ahead of each other. "
        "In the table of every level a tie has its margin only where it leads nobody.",
        "%",
        good="a lead whose interval does not hold zero; else it is called a tie",
    ),
    Explanation(
        "┊ and crosses",
        "Where the lead passes from one topology to another: the concurrency, and in brackets how sure that is.",
        "requests at once",
        "the logarithms of both, straight between two levels",
    ),
    Explanation(
        "dotted lines",
        "Behind the race: what is published of this model, or the last two campaigns of the same name, with small "
        "letters. They are not ranked. Where their load was another one, it is said.",
    ),
    Explanation(
        "each stream, between token events, send to last token",
        "What one user sees of it: tok/s after the first token; the median gap between two events, for which every "
        "token's stamp is read; the whole request from its sending on.",
        "tok/s, ms, ms",
        "as in `export`: decode_tps_stream, itl_p50_ms, e2e_ms",
    ),
    Explanation(
        "energy",
        "Tokens for every joule that the GPUs of a topology's nodes took, idle draw included.",
        "tok/J",
        "NVML on the nodes; there only where every node tells it",
        "higher",
    ),
    TAINT,
    WAVE,
)
