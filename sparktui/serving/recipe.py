"""spark-vllm-docker's `run-recipe.sh`, as it is today and as it was in April 2026."""

from __future__ import annotations

import re

from sparktui.errors import LaunchError
from sparktui.profile.model import Recipe
from sparktui.serving.layout import Layout
from sparktui.serving.plan import Step

TODAY = frozenset({"--ray", "--no-ray"})
"""Since 2026-07-01 clusters run without Ray, and `--ray` asks for it."""
APRIL_2026 = frozenset({"--no-ray"})
"""Before, they ran on Ray, and `--no-ray` asked for PyTorch distributed."""

FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
FOLDER = "~/spark-vllm-docker"
LOG_LINES = 200
LAUNCH_TIMEOUT_S = 900.0
INSPECT_TIMEOUT_S = 30.0
RANK_UP = 'docker top "$1" -eo args | grep -qE "vllm|ray"'
"""The script's containers sleep, and outlive the engine that was started inside them."""


def known_flags(help_text: str) -> frozenset[str]:
    """Return the flags that `run-recipe.sh --help` names."""
    return frozenset(FLAG.findall(help_text))


def recipe_steps(layout: Layout, serving: Recipe, flags: frozenset[str]) -> tuple[Step, ...]:
    """Return the commands that bring the engines up: one script a replica, or one for a whole cluster.

    Raises:
        LaunchError: The script cannot do without Ray.
    """
    looks = tuple(_image_step(layout, serving, node) for node in layout.topology.nodes)
    launches = tuple(_launch_step(layout, serving, node, flags) for node in layout.serving_nodes)
    return looks + launches


def _image_step(layout: Layout, serving: Recipe, node: str) -> Step:
    """Return a look at the image: where it is missing, the script would ask whether to build it, and wait.

    On a cluster's other nodes this step also carries how the container that the head's script starts there is
    removed and read, so that a script that fails half-way leaves nothing behind.
    """
    remote = node not in layout.serving_nodes
    return Step(
        node,
        f"image on {node}",
        ("docker", "image", "inspect", "--format", "{{.Id}}", serving.image),
        background=False,
        undo=_stop(serving) if remote else (),
        logs=_logs(serving) if remote else (),
        container=serving.container,
        alive=_rank_up(serving) if remote else (),
        timeout_s=INSPECT_TIMEOUT_S,
        hint=f"the image is not there: `docker pull {serving.image}` on {node}, or build it as its recipe says",
    )


def _launch_step(layout: Layout, serving: Recipe, node: str, flags: frozenset[str]) -> Step:
    topology = layout.topology
    where: tuple[str, ...] = ("--solo", "--tp", "1")
    if topology.kind == "cluster":
        addresses = ",".join(layout.address(each) for each in topology.nodes)
        where = (*_ray_flag(topology.distributed, flags), "-n", addresses, "--tp", str(len(topology.nodes)))
    return Step(
        node,
        f"cluster from {node}" if topology.kind == "cluster" else f"engine on {node}",
        ("./run-recipe.sh", serving.recipe, *where, *_options(layout, serving, node)),
        cwd=layout.profile.nodes[node].workdir or FOLDER,
        background=False,
        undo=_stop(serving),
        logs=_logs(serving),
        container=serving.container,
        starts_container=True,
        serves=True,
        alive=_rank_up(serving),
        timeout_s=LAUNCH_TIMEOUT_S,
    )


def _ray_flag(distributed: str, flags: frozenset[str]) -> tuple[str, ...]:
    if "--ray" in flags:
        return ("--ray",) if distributed == "ray" else ()
    if distributed == "ray":
        return ()
    if "--no-ray" not in flags:
        raise LaunchError(
            "this run-recipe.sh knows neither --ray nor --no-ray: it cannot run a cluster without Ray",
            "update spark-vllm-docker, or set distributed: ray",
        )
    return ("--no-ray",)


def _options(layout: Layout, serving: Recipe, node: str) -> tuple[str, ...]:
    topology = layout.topology
    words = ["-d", "-t", serving.image, "--name", serving.container, "--port", str(layout.port(node, serving.port))]
    if topology.max_model_len is not None:
        words += ["--max-model-len", str(topology.max_model_len)]
    if serving.gpu_memory_utilization is not None:
        words += ["--gpu-memory-utilization", str(serving.gpu_memory_utilization)]
    if serving.eth_if is not None and topology.kind == "cluster":
        words += ["--eth-if", serving.eth_if]
    for name, value in serving.env.items():
        words += ["-e", f"{name}={value}"]
    return (*words, "--", *serving.extra_args) if serving.extra_args else tuple(words)


def _stop(serving: Recipe) -> tuple[str, ...]:
    return ("docker", "stop", serving.container)


def _logs(serving: Recipe) -> tuple[str, ...]:
    return ("docker", "logs", "--tail", str(LOG_LINES), serving.container)


def _rank_up(serving: Recipe) -> tuple[str, ...]:
    return ("sh", "-c", RANK_UP, "sh", serving.container)
