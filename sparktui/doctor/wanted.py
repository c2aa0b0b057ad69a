"""What a profile needs of each node, and the questions that find out: pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from sparktui.doctor.judge import Wanted
from sparktui.doctor.look import Questions
from sparktui.profile.model import Command, Docker, Profile, Recipe, Router, Serving, Topology, Vllm
from sparktui.serving.layout import Layout, address_of
from sparktui.serving.plan import Ports
from sparktui.serving.recipe import FOLDER

INTERFACE_VARIABLES = ("GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME")
NCCL_INTERFACE = "NCCL_SOCKET_IFNAME"


def wanted_of(profile: Profile, node: str) -> Wanted:
    """Return what a profile needs of one of its nodes."""
    mine = {name: topology for name, topology in profile.topologies.items() if node in topology.nodes}
    clusters = [topology for topology in mine.values() if topology.kind == "cluster"]
    serving = profile.serving
    return Wanted(
        refuse_gib=profile.floors(node).refuse_gib,
        address=profile.nodes[node].address,
        ports=tuple(sorted({port for name in mine for port in _ports(profile, name, node)})),
        interfaces=tuple(dict.fromkeys(_interfaces(profile, node))) if clusters else (),
        image=serving.image if isinstance(serving, Recipe | Docker) else None,
        programs=_programs(profile, node),
        ray=_ray(profile, node) if any(topology.distributed == "ray" for topology in clusters) else None,
        model=_model(profile),
        docker=isinstance(serving, Recipe | Docker),
        clustered=bool(clusters),
        others={
            other: address_of(profile.nodes[other])
            for topology in clusters
            for other in topology.nodes
            if other != node
        },
    )


def questions_for(wanted: Wanted, profile: Profile, node: str) -> tuple[tuple[str, str], ...]:
    """Return what to ask a node beside the usual."""
    questions = Questions()
    for program in wanted.programs:
        questions.add("program", program)
    if wanted.ray is not None:
        questions.add("ray", wanted.ray)
    if wanted.image is not None:
        questions.add("image", wanted.image)
    if wanted.model is not None:
        local = wanted.model.startswith(("/", "~", "."))
        questions.add("path" if local else "hub", wanted.model if local else wanted.model.replace("/", "--"))
    if isinstance(profile.serving, Recipe):
        folder = profile.nodes[node].workdir or FOLDER
        questions.add("program", f"{folder}/run-recipe.sh")
    for address in wanted.others.values():
        questions.add("reach", f"{address}|22")
    return tuple(questions.pairs)


def _ports(profile: Profile, name: str, node: str) -> list[int]:
    serving, topology = profile.serving, profile.topologies[name]
    if not isinstance(serving, Recipe | Vllm | Docker | Command):
        return []
    layout = Layout(profile, name, Ports())
    ports = [layout.port(node, serving.port)] if node in layout.serving_nodes else []
    if topology.kind == "cluster" and node == layout.head and isinstance(serving, Vllm):
        ports.append(serving.ray_port if topology.distributed == "ray" else serving.master_port)
    router = _router_of(topology)
    if router is not None and (router.node or layout.head) == node:
        ports.append(router.port)
    return ports


def _interfaces(profile: Profile, node: str) -> list[str]:
    """Return the interfaces that are named; to NCCL a name is the beginning of some, unless `=` stands before it."""
    serving = profile.serving
    exact = [serving.eth_if] if isinstance(serving, Recipe) and serving.eth_if else []
    env = {**_env(serving), **profile.nodes[node].env}
    exact += [env[name].split(",")[0] for name in INTERFACE_VARIABLES if name in env]
    nccl = env.get(NCCL_INTERFACE, "").split(",")[0]
    if nccl.startswith("="):
        exact.append(nccl.removeprefix("="))
    elif nccl and not nccl.startswith("^") and not any(name.startswith(nccl) for name in exact):
        exact.append(f"{nccl}*")
    return exact


def _env(serving: Serving) -> dict[str, str]:
    return serving.env if isinstance(serving, Recipe | Vllm | Docker | Command) else {}


def _programs(profile: Profile, node: str) -> tuple[str, ...]:
    """Return what is started directly; the router's program is looked at apart, by its version."""
    serving = profile.serving
    if not isinstance(serving, Vllm | Command):
        return ()
    program = serving.executable if isinstance(serving, Vllm) else serving.argv[0]
    if _is_found_elsewhere(program, profile, node):
        return ()
    return (_found_from(profile.nodes[node].workdir, program),)


def _ray(profile: Profile, node: str) -> str | None:
    """Return where Ray's program is looked for; a container keeps its own."""
    if not isinstance(profile.serving, Vllm) or _is_found_elsewhere(profile.serving.executable, profile, node):
        return None
    ray = PurePosixPath(profile.serving.executable).with_name("ray")
    return _found_from(profile.nodes[node].workdir, str(ray))


def _is_found_elsewhere(program: str, profile: Profile, node: str) -> bool:
    """Tell whether a program is found on a PATH of the profile's own, which a look at the node does not have."""
    return "/" not in program and "PATH" in {**_env(profile.serving), **profile.nodes[node].env}


def _found_from(folder: str | None, program: str) -> str:
    """Return a program as it is found from a login folder: a relative path starts at the folder it is run in."""
    return program if folder is None or "/" not in program else str(PurePosixPath(folder) / program)


def _router_of(topology: Topology) -> Router | None:
    return (topology.router or Router()) if topology.kind == "replicas" else None


def _model(profile: Profile) -> str | None:
    if not isinstance(profile.serving, Vllm):
        return None  # a container keeps its own
    return profile.model.path or profile.model.id
