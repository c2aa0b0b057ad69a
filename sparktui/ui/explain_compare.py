"""Every figure of Compare in words."""

from __future__ import annotations

from sparktui.ui.explain import TAINT, WAVE, Explanation
from sparktui.ui.snapshot import Snapshot


def _by(snapshot: Snapshot) -> str:
    found = snapshot.comparison
    return "" if found is None else f"{found.calculator}, tokens counted by {found.token_source}"


COMPARE = (
    Explanation(
        "decode",
        "Tokens after each stream's first, over all streams of a wave, divided by the time from the first token of the "
        "wave to its last. The mean over the waves of a level.",
        "tok/s",
        "every token's time stamp, and the server's own count of tokens",
        "higher",
        _by,
    ),
    Explanation(
        "prefill",
        "Prompt tokens of a wave divided by the time to work through them.",
        "tok/s",
        "as above",
        "higher",
        _by,
    ),
    Explanation("TTFT", "From sending to the first token, mean over all requests.", "ms", "as above", "lower", _by),
    Explanation(
        "energy",
        "Tokens for every joule that the GPUs of a topology's nodes took, idle draw included.",
        "tok/J",
        "NVML on the nodes; the table is there only where every node tells it",
        "higher",
    ),
    Explanation(
        "output",
        "All tokens over the whole run, ramp and drain included: other tools' figure, only of imported campaigns.",
        "tok/s",
        good="higher",
    ),
    Explanation(
        "[value] and Winner",
        "The best topology of a row stands in brackets, and so do all that tie with it. Winner names it with its "
        "margin against the runner-up, or against the baseline chosen with b; in parentheses the margin's 95 % "
        "interval, from the waves.",
        "%",
        good="an interval that does not hold zero",
    ),
    Explanation(
        "So far",
        "In the place of Winner while others are still to be measured at some level. `only solo`: it has won against "
        "nobody. A race that was stopped is finished with r in History, or `sparktui resume`.",
    ),
    Explanation("±", "The standard deviation over the waves of a level: how far single waves lie from the mean."),
    Explanation(
        "tie",
        "The difference is too small to call: its interval holds zero, or it is under 1 %. Nobody wins among those in "
        "brackets; behind it stands how far they are ahead of the best of the others, where there is little room the "
        "least of it (≥+17 %). Who varies too much to be told from the best, behind others that are worse for sure, is "
        "in the notes.",
    ),
    Explanation(
        "calculator",
        "Whose rules turn token events into figures: usage is our own; benchy-0.3.5 and benchy-0.4.0 follow those "
        "versions of llama-benchy. c works all figures out anew from the stored events; docs/measuring.md has"
        " the rules.",
        now=_by,
    ),
    Explanation(
        "crossovers",
        "Up to how many users a topology leads, and who beyond: where two straight lines over log2 of the concurrency "
        "meet, and in parentheses how sure that is.",
        "requests at once",
    ),
    Explanation(
        "when to use which",
        "For each use case the topology that wins its levels, and by what. A tie goes with the winner beside it that "
        "is among those that tie; between two such winners, and where there is none, it is undecided.",
    ),
    TAINT,
    WAVE,
)
