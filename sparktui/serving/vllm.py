"""Plain `vllm serve`: on one node, over several with PyTorch distributed, over several with Ray."""

from __future__ import annotations

from pathlib import PurePosixPath

from sparktui.profile.model import Vllm
from sparktui.serving.layout import Layout
from sparktui.serving.plan import Step

RAY_TIMEOUT_S = 120.0
"""`ray start` waits for ever for a head that is not there."""


def vllm_steps(layout: Layout, serving: Vllm) -> tuple[Step, ...]:
    """Return the commands that bring the engines up."""
    if layout.topology.kind != "cluster":
        return tuple(_serve(layout, serving, node, f"engine on {node}", ()) for node in layout.topology.nodes)
    return _on_ray(layout, serving) if layout.topology.distributed == "ray" else _on_torch(layout, serving)


def _on_torch(layout: Layout, serving: Vllm) -> tuple[Step, ...]:
    """Return one process a rank; the head comes last, when the others are there to meet it."""
    nodes = layout.topology.nodes
    steps = []
    for rank, node in reversed(list(enumerate(nodes))):
        words = ["-tp", str(len(nodes)), "--nnodes", str(len(nodes)), "--node-rank", str(rank)]
        words += ["--master-addr", layout.address(layout.head), "--master-port", str(serving.master_port)]
        words += ["--distributed-executor-backend", "mp"]
        words += ["--headless"] if rank else []
        steps.append(_serve(layout, serving, node, f"rank {rank} on {node}", tuple(words)))
    return tuple(steps)


def _on_ray(layout: Layout, serving: Vllm) -> tuple[Step, ...]:
    """Return a Ray cluster, one GPU a node, and the one engine on its head."""
    nodes = layout.topology.nodes
    meeting = f"{layout.address(layout.head)}:{serving.ray_port}"
    words = ("-tp", str(len(nodes)), "--distributed-executor-backend", "ray")
    engine = _serve(layout, serving, layout.head, f"engine on {layout.head}", words, {"RAY_ADDRESS": meeting})
    return (*(_ray_node(layout, serving, node, meeting) for node in nodes), engine)


def _ray_node(layout: Layout, serving: Vllm, node: str, meeting: str) -> Step:
    ray = str(PurePosixPath(serving.executable).with_name("ray"))
    role = ("--head", "--port", str(serving.ray_port)) if node == layout.head else ("--address", meeting)
    return Step(
        node,
        f"ray on {node}",
        (ray, "start", *role, "--node-ip-address", layout.address(node), "--num-gpus", "1", "--disable-usage-stats"),
        env=_env(layout, serving, node),
        cwd=layout.profile.nodes[node].workdir,
        background=False,
        timeout_s=RAY_TIMEOUT_S,
    )


def _serve(
    layout: Layout, serving: Vllm, node: str, title: str, parallel: tuple[str, ...], env: dict[str, str] | None = None
) -> Step:
    model, topology = layout.profile.model, layout.topology
    words = [serving.executable, "serve", model.path or model.id]
    if model.path is not None:
        words += ["--served-model-name", model.id]
    if node in layout.serving_nodes:
        words += ["--host", layout.listen_on(node), "--port", str(layout.port(node, serving.port))]
    if topology.max_model_len is not None:
        words += ["--max-model-len", str(topology.max_model_len)]
    if serving.gpu_memory_utilization is not None:
        words += ["--gpu-memory-utilization", str(serving.gpu_memory_utilization)]
    return Step(
        node,
        title,
        (*words, *parallel, *serving.extra_args),
        env=_env(layout, serving, node) | (env or {}),
        cwd=layout.profile.nodes[node].workdir,
        serves=node in layout.serving_nodes,
    )


def _env(layout: Layout, serving: Vllm, node: str) -> dict[str, str]:
    """Return the environment on a node; the ranks of a cluster must also be told which of its addresses is meant."""
    shared = {"VLLM_HOST_IP": layout.address(node)} if layout.topology.kind == "cluster" else {}
    return shared | layout.env(node, serving.env)
