"""Where the engines of one topology answer: addresses, ports, and what differs from node to node."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sparktui.profile.model import Node, Profile, Topology
from sparktui.serving.plan import Backend, Ports

LOOPBACK = "127.0.0.1"
HERE = ("local", "simulated")
PLACEHOLDER = re.compile(r"\{(port|model|node|address|addresses)\}")


@dataclass(frozen=True, slots=True)
class Layout:
    """One topology of a profile on its nodes."""

    profile: Profile
    name: str
    ports: Ports

    @property
    def topology(self) -> Topology:
        """The topology as the profile says it."""
        return self.profile.topologies[self.name]

    @property
    def head(self) -> str:
        """The first node: rank 0 of a cluster."""
        return self.topology.nodes[0]

    @property
    def serving_nodes(self) -> tuple[str, ...]:
        """The nodes whose engines answer requests: every replica, and of a cluster only the head."""
        return self.topology.nodes if self.topology.kind == "replicas" else self.topology.nodes[:1]

    def address(self, node: str) -> str:
        """Return where other nodes reach a node."""
        return address_of(self.profile.nodes[node])

    def listen_on(self, node: str) -> str:
        """Return the address to bind on a node: the declared one, or as little as it takes."""
        described = self.profile.nodes[node]
        return described.address or (LOOPBACK if described.host in HERE else "0.0.0.0")  # noqa: S104 - ssh alias: unknown

    def port(self, node: str, first: int) -> int:
        """Return the port of a node's engine; engines that share an address count up from the profile's."""
        if node in self.ports.engines:
            return self.ports.engines[node]
        before = self.serving_nodes[: self.serving_nodes.index(node)]
        return first + sum(self.address(other) == self.address(node) for other in before)

    def backend(self, node: str, first: int) -> Backend:
        """Return a node's engine as requests see it."""
        return Backend(node, url_of(self.address(node), self.port(node, first)))

    def backends(self, first: int) -> tuple[Backend, ...]:
        """Return every engine that answers requests."""
        return tuple(self.backend(node, first) for node in self.serving_nodes)

    def filled(self, word: str, node: str, first: int) -> str:
        """Return a word with its placeholders filled in, once: what is filled in is not looked at again."""
        values = {
            "port": str(self.port(node, first)),
            "model": self.profile.model.id,
            "node": node,
            "address": self.address(node),
            "addresses": ",".join(self.address(each) for each in self.topology.nodes),
        }
        return PLACEHOLDER.sub(lambda match: values[match[1]], word)

    def env(self, node: str, shared: Mapping[str, str]) -> dict[str, str]:
        """Return the environment on a node: what all share, and what is its own."""
        return {**shared, **self.profile.nodes[node].env}


def address_of(node: Node) -> str:
    """Return where a node is reached: its address, or the host that ssh is given."""
    if node.host == "simulated":
        return LOOPBACK
    if node.address is not None:
        return node.address
    if node.host == "local":
        return LOOPBACK
    destination = node.host.removeprefix("ssh://").rpartition("@")[2]
    return destination.partition(":")[0] if node.host.startswith("ssh://") else destination


def url_of(address: str, port: int) -> str:
    """Return the base address of a server."""
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def title_of(layout: Layout, node: str) -> str:
    """Return what a node's engine is called: an engine of its own, or a rank of a cluster."""
    if layout.topology.kind != "cluster":
        return f"engine on {node}"
    return f"rank {layout.topology.nodes.index(node)} on {node}"
