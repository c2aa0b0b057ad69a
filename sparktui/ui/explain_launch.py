"""Everything on Launch in words."""

from __future__ import annotations

from sparktui.ui.explain import WAVE, Explanation

LAUNCH = (
    Explanation(
        "profiles",
        "What can be raced: nodes, a model, the topologies to compare and the load. Enter starts the ticked topologies "
        "of the one under the cursor in a process of its own, which goes on when this screen is closed. Your own are "
        "files in the folder that `sparktui list` names, and show here within seconds; any other file is raced by "
        "`sparktui run ./mine.yaml`. docs/profile.md has every key.",
    ),
    Explanation(
        "SIMULATED", "Played by the embedded engine on nodes that do not exist: a rehearsal, never a measurement."
    ),
    Explanation(
        "nodes now",
        "What each node has left (MemAvailable) of its memory. A fragile node has higher floors.",
        "GiB",
        "/proc/meminfo on the node, over ssh where it is another; asked again while nothing is being measured",
        "everything that a model needs, and the floor besides",
    ),
    Explanation(
        "needs",
        "What the topology will take of a node: what it took there before, else the share of memory the engine is told "
        "to take, else its weights; with what it needs beside the GPU's part.",
        "GiB",
        "the node's own history in the store, or the profile",
    ),
    Explanation(
        "safe, tight, refuse, unknown",
        "Each node's verdict, with what it would have left once everything is loaded. refuse: under its floor, and it "
        "cannot be started; tight: over it by less than the prediction may be wrong; unknown: the node does not "
        "answer, or nothing says what it takes. The sentence below has the arithmetic.",
        "GiB",
        "docs/memory.md",
        "safe on every node",
    ),
    Explanation(
        "about",
        "From the launch to the last wave, by what the last campaigns of this name and load took; - where there were "
        "none.",
        source="the store",
    ),
    Explanation(
        "exact commands",
        "Every command as it will be run, on which node, and how it is undone; d shows all of them, and so does "
        "`sparktui run PROFILE --dry-run`.",
    ),
    Explanation(
        "figures by",
        "What turns the tokens into figures: usage is our own rules, benchy-0.3.5 and benchy-0.4.0 those of that "
        "version of llama-benchy. Every token is kept, so any of them can be asked for later: c in Compare.",
        source="docs/measuring.md",
    ),
    Explanation(
        "check",
        "c looks at every node before a launch would: ssh, clock, disk, memory, ports, links, image, model. It changes "
        "nothing; `sparktui check PROFILE` prints the same.",
    ),
    Explanation("last campaigns", "What was run before. Enter opens the one under the cursor; History has all."),
    WAVE,
)
