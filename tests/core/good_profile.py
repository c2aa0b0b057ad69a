"""A profile with nothing wrong in it, for tests to spoil."""

from __future__ import annotations

GOOD = """\
# two machines
name: two
nodes:
  gf1: {host: gf1, fragile: true}
  gf2: {address: 10.0.0.2}
model:
  id: org/model
serving:
  launcher: vllm
  port: 8001
  env: {NCCL_DEBUG: INFO}
topologies:
  solo: {kind: solo, nodes: [gf2]}
  pair: {kind: cluster, nodes: [gf2, gf1], distributed: ray}
workload:
  concurrency: [1, 2, 4]
  timeout_s: 60
  sampling:
    extra_body: {top_k: 5, chat_template_kwargs: {enable_thinking: false}}
"""
