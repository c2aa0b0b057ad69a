"""One `docker run` a replica: the engine's own image, its arguments written down in the profile."""

from __future__ import annotations

from sparktui.profile.model import Docker
from sparktui.serving.layout import Layout
from sparktui.serving.plan import Step

LOG_LINES = 200
INSPECT_TIMEOUT_S = 30.0
RUN_TIMEOUT_S = 120.0
STOP_S = 30
"""Between SIGTERM and SIGKILL: an engine frees its GPU memory on the way out."""
REMOVE = 'docker stop --time "$1" "$2" >/dev/null; docker rm --force "$2"'
"""Stopped kindly before it is removed: not `--rm`, which takes the log of a container that died with it."""


def docker_steps(layout: Layout, serving: Docker) -> tuple[Step, ...]:
    """Return a look at the image on every node, then one container a replica."""
    looks = tuple(_image_step(serving, node) for node in layout.serving_nodes)
    return looks + tuple(_run_step(layout, serving, node) for node in layout.serving_nodes)


def container_of(serving: Docker, node: str) -> str:
    """Return the name of a node's container: nodes may share a machine."""
    return f"{serving.container}-{node}"


def _image_step(serving: Docker, node: str) -> Step:
    """Return a look at the image: where it is missing, `docker run` would pull it for an hour without a word."""
    return Step(
        node,
        f"image on {node}",
        ("docker", "image", "inspect", "--format", "{{.Id}}", serving.image),
        background=False,
        timeout_s=INSPECT_TIMEOUT_S,
        hint=f"the image is not there: `docker pull {serving.image}` on {node}",
    )


def _run_step(layout: Layout, serving: Docker, node: str) -> Step:
    name = container_of(serving, node)
    words = ["docker", "run", "--detach", "--name", name, "--network", "host", "--ipc", "host"]
    words += ["--gpus", serving.gpus] if serving.gpus else []
    words += [word for volume in serving.volumes for word in ("--volume", volume)]
    env = layout.env(node, serving.env)
    words += [word for key, value in env.items() for word in ("--env", f"{key}={value}")]
    words += [word for key in serving.pass_env for word in ("--env", key)]
    argv = (layout.filled(word, node, serving.port) for word in serving.argv)
    return Step(
        node,
        f"engine on {node}",
        (*words, serving.image, *argv),
        background=False,
        undo=("sh", "-c", REMOVE, "sh", str(STOP_S), name),
        logs=("docker", "logs", "--tail", str(LOG_LINES), name),
        container=name,
        starts_container=True,
        serves=True,
        timeout_s=RUN_TIMEOUT_S,
    )
