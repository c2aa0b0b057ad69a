"""Every figure on the screen of `sparktui watch` in words."""

from __future__ import annotations

from sparktui.ui.explain import Explanation

WATCH = (
    Explanation(
        "decode",
        "Tokens generated over the last 5 seconds, all requests together. vLLM counts tokens as it makes them; SGLang "
        "and llama.cpp count those of a request when it has ended, so there the rate comes in bursts.",
        "tok/s",
        "the engine's counter of generated tokens",
    ),
    Explanation(
        "prefill",
        "Prompt tokens worked through over the same seconds.",
        "tok/s",
        "the engine's counter of prompt tokens",
    ),
    Explanation("running, waiting", "Requests being served, and those in its queue.", "", "the engine's gauges"),
    Explanation("KV", "How full the KV cache is; at 100 requests are preempted.", "%", "the engine's gauge"),
    Explanation(
        "TTFT, ITL",
        "Time to first token and time between tokens of the last 30 seconds: half of them were shorter than p50, and "
        "95 in 100 than p95. By straight lines within the engine's histogram buckets, so they are no finer than those. "
        "Without requests, and with llama.cpp, which keeps no histograms, they are not known.",
        "ms",
        "the engine's histograms, as it measures itself",
    ),
    Explanation(
        "preempted",
        "Requests thrown out of the KV cache, to be computed again, since the watch began.",
        "",
        "the engine's counter",
        "0",
    ),
    Explanation("prefix hits", "Of the prompt tokens of the last 30 seconds, those found in the prefix cache.", "%"),
    Explanation(
        "all",
        "The engines that answer, together: rates and requests added, histograms added where their buckets are alike. "
        "What one of them does not tell is not known of all.",
    ),
    Explanation(
        "began anew",
        "A counter of the engine fell: it was started again. Everything is counted from there.",
    ),
    Explanation(
        "left, GPU holds",
        "What the node has left for anything (MemAvailable), and what GPU processes hold of it.",
        "GiB",
        "an agent on the node; it only looks",
    ),
)
