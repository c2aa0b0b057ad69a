"""What an engine's log says: of itself, once it is up, and of why it did not come up; pure.

The patterns are of vLLM's V1 engine (0.11 to 0.32), NCCL, gloo and Ray. A line that is not there is an unknown fact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = r"([^,\s]{1,80})(?=[,\s]|$)"
_NAME = r"(?=[A-Z0-9_]{0,80}?[A-Z][A-Z0-9_])[A-Z0-9_]{2,80}|[A-Z]\w{1,80} Attention"
_FACTS: tuple[tuple[str, str], ...] = (
    ("engine_version", r"Initializing a V1 LLM engine \(v([^)\s]{1,80})\)"),
    ("attention_backend", rf"(?:Using|Selected) ({_NAME})(?: attention)? backend"),
    ("quantization", rf"[ ,]quantization={_WORD}"),
    ("kv_cache_dtype", rf"[ ,]kv_cache_dtype={_WORD}"),
    ("max_context", r"[ ,]max_seq_len=(\d{1,15})(?!\d)"),
    ("tensor_parallel", r"[ ,]tensor_parallel_size=(\d{1,15})(?!\d)"),
    ("kv_cache_gib", r"Available KV cache memory: ([\d.]{1,15}) GiB"),
    ("kv_cache_gib", r"Explicitly set \(([\d.]{1,15})/[\d.]{1,15}\) GiB for KV cache"),
    ("kv_cache_tokens", r"KV cache size: ([\d,]{1,20}) tokens"),
    ("weights_gib", r"Model loading took ([\d.]{1,15}) Gi?B"),
    ("prefix_caching", r"[ ,]enable_prefix_caching=(True|False)"),
    ("nccl_version", r"vLLM is using nccl==(\S{1,40})(?=\s|$)"),
    ("transport", r"NCCL INFO (?:Using network|.{0,300}? via NET/)(?: )?(IBext\w{0,20}|IB|Socket|AWS\S{0,20})"),
    ("transport", r"backend=(gloo)\b"),
)
"""Every repetition has an end: a log is what somebody else writes, and one line of it may be a megabyte."""
_UNSET = frozenset({"None", "none"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an engine did not come up, and what to do about it."""

    what: str
    hint: str


_TROUBLES: tuple[tuple[str, str, str], ...] = (
    (
        r"\[Errno 98\]|[Aa]ddress already in use|EADDRINUSE",
        "its port is taken",
        "stop what listens there (`ss -ltnp` names it), or choose another port in the profile",
    ),
    (
        r"Free memory on device .{0,300}? is less than desired|less than desired GPU memory utilization",
        "the node has less memory free than gpu_memory_utilization asks for",
        "stop what holds it, drop the page cache, or lower gpu_memory_utilization",
    ),
    (
        r"No available memory for the cache blocks|larger than the available KV cache",
        "what is left beside the weights is too little for the KV cache",
        "raise gpu_memory_utilization, or lower max_model_len",
    ),
    (
        r"NV_ERR_NO_MEMORY|CUDA out of memory|torch\.OutOfMemoryError|CUDA error: out of memory",
        "the GPU ran out of memory",
        "lower gpu_memory_utilization or max_model_len; docs/memory.md says how a Spark's memory is shared",
    ),
    (
        r"No such image|Unable to find image|manifest unknown|pull access denied",
        "the container image is not on the node",
        "pull or build it there first",
    ),
    (
        r"is not a local folder and is not a valid model identifier|Repository Not Found|does not appear to have a file"
        r" named config|offline mode is enabled|LocalEntryNotFoundError|GatedRepoError|401 Client Error",
        "the model is not there, or may not be fetched",
        "download it on every node first, or give the folder in model.path",
    ),
    (
        r"does not support ray|Ray is not installed|No module named 'ray'",
        "this vLLM cannot run on Ray here",
        "install ray in vLLM's environment, or use distributed: torch",
    ),
    (
        r"(?:GCS|gcs).{0,60}(?:timed out|unreachable|Failed to connect)|Failed to connect to GCS",
        "the Ray head does not answer",
        "look at `ray status` on the head; an older cluster may still hold the port",
    ),
    (
        r"Unable to find (?:address|interface)|no socket interface found|Bootstrap : no socket",
        "NCCL or gloo does not find the network interface it was told to use",
        "check GLOO_SOCKET_IFNAME and NCCL_SOCKET_IFNAME against `ip -br addr` on every node",
    ),
    (
        r"TCPStore.{0,200}timed out|DistStoreError|Timed out after .{0,40} waiting for clients|no route to host",
        "the ranks did not find each other",
        "check that every node reaches the head's address and master port",
    ),
    (
        r"unrecognized arguments: (.*)",
        "the engine does not know an option it was given",
        "compare extra_args with `vllm serve --help` of this version",
    ),
    (
        r"Permission denied|permission denied while trying to connect to the Docker daemon",
        "something it needs is not allowed to it",
        "check the owner of the file, or whether the user is in the docker group",
    ),
    (r"No space left on device", "the node's disk is full", "free some space there"),
)


def facts_in(log: str) -> dict[str, str]:
    """Return what an engine's log says of the engine: the first line that says each; what is unset is left out."""
    facts: dict[str, str] = {}
    for name, pattern in _FACTS:
        if name not in facts and (found := re.search(pattern, log)) and found[1] not in _UNSET:
            facts[name] = found[1].replace(",", "")
    if facts.get("tensor_parallel") == "1":
        facts.pop("transport", None)  # named, but there is nobody to talk to
    return facts


def in_words(facts: dict[str, str]) -> str:
    """Return the facts worth reading at a glance: `0.32.0 · TRITON_ATTN · fp8 · KV fp8, 59.23 GiB · TP 2 over IB`."""
    kv = [part for part in (facts.get("kv_cache_dtype"), _with_unit(facts, "kv_cache_gib", "GiB")) if part]
    ranks = facts.get("tensor_parallel")
    over = f" over {facts['transport']}" if "transport" in facts else ""
    parts = [
        facts.get("version") or facts.get("engine_version"),
        facts.get("attention_backend"),
        facts.get("quantization"),
        f"KV {', '.join(kv)}" if kv else None,
        f"context {facts['max_context']}" if "max_context" in facts else None,
        f"TP {ranks}{over}" if ranks else None,
    ]
    return " · ".join(part for part in parts if part)


def _with_unit(facts: dict[str, str], name: str, unit: str) -> str | None:
    return f"{facts[name]} {unit}" if name in facts else None


def trouble_in(log: str) -> Trouble | None:
    """Return why an engine did not come up, as far as its last lines tell."""
    for pattern, what, hint in _TROUBLES:
        if re.search(pattern, log):
            return Trouble(what, hint)
    return None
