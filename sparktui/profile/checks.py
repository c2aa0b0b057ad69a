"""What a profile's keys must say together: nodes that exist, launchers that fit, addresses that can be reached.

The checks read plain data, not the finished profile, so that they still speak when something else is wrong too.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sparktui.profile.problems import Path, shown
from sparktui.profile.secrets import secrets

Finding = tuple[Path, str]
UNSPEAKABLE = re.compile("[\\0\\ud800-\\udfff]")
NO_COMMAND = "expected text without NUL characters or lone surrogates: no command can take them"
LOCAL_HOSTS = ("local", "simulated")


@dataclass(frozen=True, slots=True)
class Facts:
    """The parts of a profile's data that the checks look at, each empty where it is missing or of another type."""

    nodes: dict[str, dict[str, object]]
    topologies: dict[str, dict[str, object]]
    launcher: str
    serving: dict[str, object]
    model: dict[str, object]
    workload: dict[str, object]


def findings(data: object) -> Iterator[Finding]:
    """Yield what does not fit together in a profile's data."""
    facts = _facts(data)
    yield from _unusable(data, ())
    yield from secrets(data)
    yield from _hosts(facts)
    yield from _environments(facts)
    yield from _launcher(facts)
    for name, topology in facts.topologies.items():
        at: Path = ("topologies", name)
        yield from _nodes(facts, topology, at)
        yield from _router(facts, topology, at)
        yield from _distributed(facts, topology, at)
        yield from _addresses(facts, topology, at)
        yield from _context(facts, topology, at)


def _unusable(value: object, at: Path) -> Iterator[Finding]:
    """Yield the texts and numbers that no command line and no JSON can carry."""
    if isinstance(value, float) and not math.isfinite(value):
        yield at, f"expected a finite number, got {shown(value)}"
    if isinstance(value, str) and UNSPEAKABLE.search(value):
        yield at, NO_COMMAND
    if isinstance(value, dict):
        for key, inner in value.items():
            if UNSPEAKABLE.search(key):
                yield (*at, key), NO_COMMAND
            yield from _unusable(inner, (*at, key))
    if isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _unusable(inner, (*at, index))


def _hosts(facts: Facts) -> Iterator[Finding]:
    for name, node in facts.nodes.items():
        host = node.get("host", "local")
        if facts.launcher == "simulated" and host != "simulated":
            yield ("nodes", name, "host"), f"expected simulated, as launcher simulated needs, got {host!r}"
        if facts.launcher not in ("simulated", "") and host == "simulated":
            yield (
                ("nodes", name, "host"),
                f"a simulated node cannot run launcher {facts.launcher}; expected local or a host",
            )


def _environments(facts: Facts) -> Iterator[Finding]:
    for name, node in facts.nodes.items():
        if facts.launcher == "recipe" and node.get("env"):
            yield ("nodes", name, "env"), "run-recipe.sh gives every node the same environment: put it in serving.env"


def _launcher(facts: Facts) -> Iterator[Finding]:
    if facts.launcher == "simulated" and facts.model and facts.model.get("weights_gib") is None:
        yield ("model", "weights_gib"), "missing: launcher simulated needs to know how much memory the weights take"
    if facts.launcher == "simulated":
        yield from _fault(facts)
    if facts.launcher == "docker":
        yield from _docker(facts)
    if facts.launcher != "external":
        return
    if len(facts.topologies) > 1:
        yield ("topologies",), "launcher external measures the one server that is up: expected exactly one topology"
    for name, topology in facts.topologies.items():
        if topology.get("kind") in ("cluster", "replicas"):
            yield ("topologies", name, "kind"), f"launcher external fits only kind solo, got {topology['kind']!r}"


def _fault(facts: Facts) -> Iterator[Finding]:
    topology, node = facts.serving.get("fault_topology"), facts.serving.get("fault_node")
    if isinstance(topology, str) and facts.topologies and topology not in facts.topologies:
        yield ("serving", "fault_topology"), f"{topology!r} is not among topologies: {', '.join(facts.topologies)}"
    if isinstance(node, str) and facts.nodes and node not in facts.nodes:
        yield ("serving", "fault_node"), f"node {node!r} is not among nodes ({_listed(node, facts)}"
    elif isinstance(node, str) and isinstance(topology, str) and topology in facts.topologies:
        nodes = _texts(facts.topologies[topology].get("nodes"))
        if node not in nodes:
            yield ("serving", "fault_node"), f"node {node!r} is not in {topology}, which has {', '.join(nodes)}"


def _docker(facts: Facts) -> Iterator[Finding]:
    for name, topology in facts.topologies.items():
        if topology.get("kind") == "cluster":
            yield (
                ("topologies", name, "kind"),
                "launcher docker starts one container a replica: a cluster takes launcher recipe or vllm",
            )


def _nodes(facts: Facts, topology: dict[str, object], at: Path) -> Iterator[Finding]:
    for index, node in enumerate(_texts(topology.get("nodes"))):
        if facts.nodes and node not in facts.nodes:
            yield (*at, "nodes", index), f"node {node!r} is not among nodes ({_listed(node, facts)}"


def _router(facts: Facts, topology: dict[str, object], at: Path) -> Iterator[Finding]:
    router = topology.get("router")
    if router is None:
        return
    if topology.get("kind") in ("solo", "cluster"):
        yield (*at, "router"), f"only kind replicas has a router, not {topology['kind']}"
    node = router.get("node") if isinstance(router, dict) else None
    if isinstance(node, str) and facts.nodes and node not in facts.nodes:
        yield (*at, "router", "node"), f"node {node!r} is not among nodes ({_listed(node, facts)}"


def _distributed(facts: Facts, topology: dict[str, object], at: Path) -> Iterator[Finding]:
    if topology.get("kind") in ("solo", "replicas") and topology.get("distributed") == "ray":
        yield (*at, "distributed"), f"only kind cluster runs on Ray, not {topology['kind']}"
    if facts.launcher == "simulated" and topology.get("kind") == "cluster" and len(_texts(topology.get("nodes"))) > 2:
        yield (*at, "nodes"), "expected two nodes: launcher simulated knows no larger cluster"


def _addresses(facts: Facts, topology: dict[str, object], at: Path) -> Iterator[Finding]:
    names = [name for name in _texts(topology.get("nodes")) if name in facts.nodes]
    if topology.get("kind") == "cluster":
        talking = names
    elif topology.get("kind") == "replicas":
        router = topology.get("router")
        chosen = router.get("node") if isinstance(router, dict) else None
        talking = [*names, chosen] if isinstance(chosen, str) and chosen in facts.nodes else names
        home = chosen if isinstance(chosen, str) else (names or [""])[0]
        if _is_here(facts, home):
            return
    else:
        return
    if all(_is_here(facts, name) for name in talking):
        return
    for name in names:
        if _is_here(facts, name) and facts.nodes[name].get("address") is None:
            yield ("nodes", name, "address"), f"missing: the other nodes of topology {at[1]} must reach {name} at it"


def _context(facts: Facts, topology: dict[str, object], at: Path) -> Iterator[Finding]:
    asked = [facts.workload.get(key, default) for key, default in (("depth", 0), ("pp", 1024), ("tg", 128))]
    limit = topology.get("max_model_len")
    if not isinstance(limit, int) or not all(isinstance(tokens, int) for tokens in asked):
        return
    total = sum(tokens for tokens in asked if isinstance(tokens, int))
    if total > limit:
        yield (*at, "max_model_len"), f"expected at least depth + pp + tg of the workload, {total}, got {limit}"


def _listed(wrong: str, facts: Facts) -> str:
    near = difflib.get_close_matches(wrong, facts.nodes, n=1)
    return f"{', '.join(facts.nodes)})" + (f"; did you mean {near[0]!r}?" if near else "")


def _is_here(facts: Facts, name: str) -> bool:
    return name in facts.nodes and facts.nodes[name].get("host", "local") in LOCAL_HOSTS


def _facts(data: object) -> Facts:
    top = _mapping(data)
    serving = _mapping(top.get("serving"))
    launcher = serving.get("launcher")
    return Facts(
        nodes={name: _mapping(node) for name, node in _mapping(top.get("nodes")).items()},
        topologies={name: _mapping(topology) for name, topology in _mapping(top.get("topologies")).items()},
        launcher=launcher if isinstance(launcher, str) else "",
        serving=serving,
        model=_mapping(top.get("model")),
        workload=_mapping(top.get("workload")),
    )


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, tuple) else []
