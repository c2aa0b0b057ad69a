"""A profile's topology to a plan: pure, so that what is printed is what is run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from sparktui.profile.faulty import trouble
from sparktui.profile.model import Command, Docker, External, Profile, Recipe, Simulated, Topology, Vllm
from sparktui.serving.docker import docker_steps
from sparktui.serving.layout import LOOPBACK, Layout, title_of, url_of
from sparktui.serving.litellm import routed
from sparktui.serving.plan import Backend, Plan, Ports, Step
from sparktui.serving.recipe import TODAY, recipe_steps
from sparktui.serving.vllm import vllm_steps


def plan(
    profile: Profile,
    topology: str,
    ports: Ports,
    state_dir: Path,
    *,
    recipe_flags: frozenset[str] = TODAY,
    python: str = sys.executable,
) -> Plan:
    """Return everything that has to be typed for one topology.

    Args:
        profile: What is raced.
        topology: The name of one of its topologies.
        ports: See `assign_ports`.
        state_dir: The runner's folder: for simulated nodes' state, and files on this machine.
        recipe_flags: What this `run-recipe.sh` knows; see `recipe.known_flags`.
        python: The interpreter that simulated engines run in.

    Raises:
        LaunchError: This `run-recipe.sh` cannot launch the topology.
    """
    layout = Layout(profile, topology, ports)
    match profile.serving:
        case External() as serving:
            url = serving.url.rstrip("/").removesuffix("/v1").rstrip("/")
            backend = Backend(layout.head, url)
            env, file = serving.api_key_env, serving.api_key_file
            return Plan(topology, profile.model.id, url, (backend,), api_key_env=env, api_key_file=file)
        case Simulated() as serving:
            return _simulated(layout, serving, state_dir, python)
        case Recipe() as serving:
            return _behind_router(layout, serving.port, recipe_steps(layout, serving, recipe_flags), state_dir)
        case Vllm() as serving:
            return _behind_router(layout, serving.port, vllm_steps(layout, serving), state_dir)
        case Docker() as serving:
            return _behind_router(layout, serving.port, docker_steps(layout, serving), state_dir)
        case Command() as serving:
            return _behind_router(layout, serving.port, _command_steps(layout, serving), state_dir)


def assign_ports(profile: Profile, topology: str, free: Iterator[int]) -> Ports:
    """Return ports for what the profile gives none to: simulated engines and routers, each the next free one."""
    if profile.serving.launcher != "simulated":
        return Ports()
    layout = Layout(profile, topology, Ports())
    engines = {node: next(free) for node in layout.serving_nodes}
    return Ports(engines, next(free) if layout.topology.kind == "replicas" else None)


def _behind_router(layout: Layout, port: int, steps: tuple[Step, ...], state_dir: Path) -> Plan:
    backends = layout.backends(port)
    if layout.topology.kind == "replicas":
        return routed(layout, backends, steps, state_dir)
    return Plan(layout.name, layout.profile.model.id, backends[0].url, backends, steps)


def _simulated(layout: Layout, serving: Simulated, state_dir: Path, python: str) -> Plan:
    topology, model = layout.topology, layout.profile.model.id
    ranks = [_simulated_engine(layout, serving, node, state_dir, python) for node in reversed(topology.nodes)]
    backends = tuple(Backend(node, url_of(LOOPBACK, layout.ports.engines[node])) for node in layout.serving_nodes)
    if topology.kind != "replicas":
        return Plan(layout.name, model, backends[0].url, backends, tuple(ranks))
    assert layout.ports.router is not None, "assign_ports gives every simulated router a port"
    words = [python, "-m", "sparktui.sim.router", "--port", str(layout.ports.router), "--model", model]
    words += [word for backend in backends for word in ("--backend", f"{backend.node}={backend.url}")]
    node = (topology.router and topology.router.node) or layout.head
    router = Step(node, f"router on {node}", (*words, "--seed", str(serving.seed)))
    return Plan(layout.name, model, url_of(LOOPBACK, layout.ports.router), backends, (*reversed(ranks), router))


def _simulated_engine(layout: Layout, serving: Simulated, node: str, state_dir: Path, python: str) -> Step:
    topology, model = layout.topology, layout.profile.model
    ranks = len(topology.nodes) if topology.kind == "cluster" else 1
    headless = node not in layout.serving_nodes
    words = [python, "-m", "sparktui.sim.engine", "--topology", _step_model(topology), "--node", node]
    words += [] if headless else ["--port", str(layout.ports.engines[node])]
    words += ["--model", model.id, "--state-dir", str(state_dir), "--seed", str(serving.seed)]
    weights_gib = model.rank_weights_gib(ranks) or 0.0
    words += ["--load-seconds", str(serving.load_seconds), "--weights-gib", f"{weights_gib:.3f}"]
    words += ["--kv-gib", str(serving.kv_gib)]
    words += ["--max-model-len", str(topology.max_model_len)] if topology.max_model_len else []
    words += ["--headless"] if headless else []
    ill = trouble(layout.profile)
    if ill is not None and ill.topology == layout.name:
        words += ["--fault", ill.fault, "--fault-node", ill.node]
    return Step(node, title_of(layout, node), tuple(words), serves=not headless)


def _step_model(topology: Topology) -> str:
    """Return which of the embedded engine's step-time models a topology has."""
    if topology.kind != "cluster":
        return "solo"
    return "cluster-tp2-ray" if topology.distributed == "ray" else "cluster-tp2"


def _command_steps(layout: Layout, serving: Command) -> tuple[Step, ...]:
    """Return one command a replica; a cluster's runs once, on its head."""
    return tuple(
        Step(
            node,
            f"engine on {node}",
            tuple(layout.filled(word, node, serving.port) for word in serving.argv),
            env=layout.env(node, serving.env),
            cwd=layout.profile.nodes[node].workdir,
            serves=True,
        )
        for node in layout.serving_nodes
    )
