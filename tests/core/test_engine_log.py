from __future__ import annotations

import pytest

from sparktui.serving.engine_log import facts_in, in_words, trouble_in

CONFIG = (
    "(EngineCore pid=7) INFO 11-23 22:52:11 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: "
    "model='/m', speculative_config=None, dtype=torch.bfloat16, max_seq_len=131072, tensor_parallel_size=2, "
    "quantization=fp8, quantization_config=None, kv_cache_dtype=fp8, enable_prefix_caching=True, seed=0\n"
)


def test_a_gpu_engines_log_tells_what_it_runs_with() -> None:
    log = (
        CONFIG
        + "INFO [cuda.py:290] Using TRITON_ATTN attention backend out of potential backends: ['TRITON_ATTN'].\n"
        + "INFO [gpu_model_runner.py:5150] Model loading took 13.57 GiB memory and 90.100000 seconds\n"
        + "INFO [gpu_worker.py:760] Available KV cache memory: 59.23 GiB\n"
        + "INFO [kv_cache_utils.py:2327] GPU KV cache size: 1,234,567 tokens, Maximum concurrency for 4,096 tokens\n"
        + "gf1:7:7 [0] NCCL INFO Channel 00/0 : 1[0] -> 0[0] [receive] via NET/IB/0\n"
    )
    assert facts_in(log) == {
        "engine_version": "0.32.0",
        "attention_backend": "TRITON_ATTN",
        "quantization": "fp8",
        "kv_cache_dtype": "fp8",
        "max_context": "131072",
        "tensor_parallel": "2",
        "kv_cache_gib": "59.23",
        "kv_cache_tokens": "1234567",
        "weights_gib": "13.57",
        "prefix_caching": "True",
        "transport": "IB",
    }


def test_a_cpu_engines_log_tells_gloo_and_leaves_out_what_is_unset() -> None:
    log = (
        CONFIG.replace("quantization=fp8", "quantization=None")
        + "INFO [parallel_state.py:1906] world_size=1 rank=0 local_rank=0 backend=gloo\n"
        + "INFO [cpu_worker.py:260] Explicitly set (1.0/10.59) GiB for KV cache on node 0.\n"
    )
    facts = facts_in(log)
    assert facts["transport"] == "gloo"
    assert facts["kv_cache_gib"] == "1.0"
    assert "quantization" not in facts


def test_facts_are_said_in_one_line_and_unknown_ones_left_out() -> None:
    facts = {"version": "0.19.1", "attention_backend": "TRITON_ATTN", "kv_cache_gib": "59.23", "kv_cache_dtype": "fp8"}
    assert in_words(facts | {"tensor_parallel": "2", "transport": "IB"}) == (
        "0.19.1 · TRITON_ATTN · KV fp8, 59.23 GiB · TP 2 over IB"
    )
    assert in_words({}) == ""


@pytest.mark.parametrize("line", ["NCCL INFO Using network Socket", "a -> b via NCCL INFO x via NET/Socket/0"])
def test_nccl_on_sockets_is_told(line: str) -> None:
    assert facts_in(line).get("transport") == "Socket"


def test_a_log_of_something_else_tells_nothing() -> None:
    assert facts_in("") == {}
    assert facts_in("hello\nusing the backend") == {}
    assert trouble_in("INFO Application startup complete.") is None


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("OSError: [Errno 98] Address already in use", "port is taken"),
        ("ValueError: Free memory on device cuda:0 (20.1/121.7 GiB) on startup is less than desired", "less memory"),
        ("ValueError: No available memory for the cache blocks. Try", "too little for the KV cache"),
        ("torch.OutOfMemoryError: CUDA out of memory.", "ran out of memory"),
        ("Error: No such image: vllm-node-20260405", "image is not on the node"),
        ("OSError: nope is not a local folder and is not a valid model identifier listed on", "model is not there"),
        ("current platform cpu does not support ray.", "cannot run on Ray"),
        ("vllm: error: unrecognized arguments: --frobnicate", "does not know an option"),
        ("torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients.", "ranks did not find"),
    ],
)
def test_each_way_to_fail_has_its_own_message_and_what_to_do(line: str, what: str) -> None:
    trouble = trouble_in(f"INFO starting\n{line}\n")
    assert trouble is not None
    assert what in trouble.what
    assert trouble.hint
