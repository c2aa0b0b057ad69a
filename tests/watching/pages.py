"""Pages of /metrics as engines write them, and small servers that hand them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from sparktui.watching.page import Page, read_page
from tests.scripted_server import Peer, Script

VLLM = (Path(__file__).parent.parent / "core" / "data" / "vllm-0.32-metrics.txt").read_text()
LLAMA_CPP = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total {prompt}
# HELP llamacpp:tokens_predicted_total Number of generation tokens processed.
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total {generated}
# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing {running}
# HELP llamacpp:requests_deferred Number of requests deferred.
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 0
"""


def llama_cpp(*, prompt: int = 0, generated: int = 0, running: int = 0) -> str:
    """Return what llama.cpp's server says: counters and gauges, no histograms."""
    return LLAMA_CPP.format(prompt=prompt, generated=generated, running=running)


def sglang(*, generated: int = 0, ttft: Iterable[tuple[str, int]] = (), rank_copies: bool = True) -> str:
    """Return what SGLang says; further ranks of a group repeat it."""
    lines = ["# TYPE sglang:num_running_reqs gauge", "# TYPE sglang:time_to_first_token_seconds histogram"]
    for rank in ("0", "1") if rank_copies else ("0",):
        labels = f'model_name="m",tp_rank="{rank}"'
        lines += [
            f"sglang:num_running_reqs{{{labels}}} 5.0",
            f"sglang:num_queue_reqs{{{labels}}} 2.0",
            f"sglang:token_usage{{{labels}}} 0.28",
            f"sglang:generation_tokens_total{{{labels}}} {generated}.0",
            f"sglang:prompt_tokens_total{{{labels}}} {3 * generated}.0",
        ]
        lines += [f'sglang:time_to_first_token_seconds_bucket{{le="{le}",{labels}}} {n}.0' for le, n in ttft]
    return "\n".join(lines) + "\n"


def vllm(**changes: float) -> Page:
    """Return what vLLM says, with these counters and gauges."""
    names = {
        "running": "num_requests_running",
        "waiting": "num_requests_waiting",
        "kv": "kv_cache_usage_perc",
        "generated": "generation_tokens_total",
        "prompt": "prompt_tokens_total",
        "preempted": "num_preemptions_total",
        "queries": "prefix_cache_queries_total",
        "hits": "prefix_cache_hits_total",
    }
    lines = [f'vllm:{names[name]}{{engine="0",model_name="m"}} {value}' for name, value in changes.items()]
    return read_page("\n".join(lines) + "\n")


def answering(page: Callable[[], str], status: str = "200 OK") -> Script:
    """Return a script that answers every request for a page with what there is then."""

    async def script(peer: Peer) -> None:
        while await asked(peer):
            await peer.send(response(page(), status))

    return script


async def asked(peer: Peer) -> bool:
    """Wait for a request without a body; tell whether one came."""
    try:
        await peer.reader.readuntil(b"\r\n\r\n")
    except (EOFError, ConnectionError):
        return False
    return True


def response(text: str, status: str = "200 OK", *headers: str) -> bytes:
    """Return one whole answer."""
    body = text.encode()
    head = [f"HTTP/1.1 {status}", "Content-Type: text/plain", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body
