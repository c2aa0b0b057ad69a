"""One card a node: memory left against its floors, who holds it, and how hard the GPU works."""

from __future__ import annotations

from textual.containers import Container
from textual.content import Content

from sparktui.ui.snapshot import Node, Snapshot
from sparktui.ui.text import Part, lines, track
from sparktui.ui.widgets.panel import Panel
from sparktui.units import GIB, UNKNOWN, duration, gib

FALLING_GIB_S = 0.05
"""A slope under this is noise."""
HORIZON_S = 60.0
"""How far ahead a floor is announced."""


class Nodes(Container):
    """The cards, side by side where there is room; made anew only when the nodes change. They draw themselves."""

    def __init__(self) -> None:
        super().__init__(id="nodes")
        self._names: tuple[str, ...] = ()

    def show(self, snapshot: Snapshot) -> None:
        names = tuple(node.name for node in snapshot.nodes)
        if names != self._names:
            self._names = names
            self.remove_children()
            self.mount_all(NodeCard(name) for name in names)
            self.set_class(len(names) > 2, "-many")


class NodeCard(Panel):
    """One node at its last sample; dim when that is old."""

    def __init__(self, node: str) -> None:
        super().__init__(classes="box node")
        self._node = node

    def show(self, snapshot: Snapshot) -> None:
        node = _find(snapshot, self._node)
        if node is not None:
            over = snapshot.campaign is not None and not snapshot.campaign.running
            self._label(node, over)
        super().show(snapshot)

    def _label(self, node: Node, over: bool) -> None:
        note = f"last seen {duration(node.age_s)} ago" if node.stale or over else _countdown(node)
        words = [node.name, "fragile" if node.fragile else "", node.phase, note]
        title = " · ".join(word for word in words if word)
        if self.border_title != title:
            self.border_title = title
        self.set_class(node.stale and not over, "-stale")
        self.set_class(node.alarm == "warn", "-warn")
        self.set_class(node.alarm == "stop", "-stop")

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        node = _find(snapshot, self._node)
        if node is None:
            return Content(UNKNOWN)
        if self.content_size.height < 3:
            return lines([_memory(node, width), _figures(width, *_holding(node, "GPU"), *_gpu(node))])
        return lines(
            [
                _memory(node, width),
                _figures(width, *_holding(node, "GPU holds")),
                _figures(width, *_gpu(node), *_fabric(node)),
            ]
        )


def _find(snapshot: Snapshot, name: str) -> Node | None:
    return next((node for node in snapshot.nodes if node.name == name), None)


def _countdown(node: Node) -> str:
    """Say when the memory left will be at its stop floor, while it is falling fast enough to matter."""
    if node.slope_gib_s is None or node.slope_gib_s > -FALLING_GIB_S:
        return ""
    if node.stop_gib is None or node.mem_available_bytes is None:
        return ""
    seconds = (node.mem_available_bytes / GIB - node.stop_gib) / -node.slope_gib_s
    return f"stop floor in {max(0.0, seconds):.1f} s" if seconds < HORIZON_S else ""


def _memory(node: Node, width: int) -> Content:
    total = node.mem_total_bytes or 0
    left = node.mem_available_bytes
    floors = _floors(node)
    label = Content.assemble(("left ", "$dim"), (f"{gib(left, 6)} GiB ", "" if node.stale else "bold"))
    room = max(0, width - label.cell_length - len(floors) - 2)
    marks = [floor * GIB / total for floor in (node.stop_gib, node.warn_gib) if floor is not None and total]
    full, rest = track((left or 0) / total if total else 0.0, room, marks)
    style = {"": "$accent", "warn": "$warning", "stop": "$error"}[node.alarm]
    return Content.assemble(label, (full, "$dim" if node.stale else style), (rest, "$line"), "  ", (floors, "$dim"))


def _floors(node: Node) -> str:
    if node.stop_gib is None or node.warn_gib is None:
        return ""
    return f"stop {node.stop_gib:.0f}  warn {node.warn_gib:.0f}"


Figure = tuple[str, str, str]
"""Label, value, unit."""


def _holding(node: Node, label: str) -> list[Figure]:
    slope = UNKNOWN if node.slope_gib_s is None else f"{max(0.0, -node.slope_gib_s):.2f}"
    pressure = UNKNOWN if node.psi_some_pct is None else f"{node.psi_some_pct:.1f}"
    swap = "0" if node.swap_used_bytes == 0 else gib(node.swap_used_bytes)
    return [
        (label, gib(node.gpu_procs_bytes), "GiB"),
        ("falling", slope, "GiB/s"),
        ("swap", swap, ""),
        ("PSI", pressure, ""),
    ]


def _gpu(node: Node) -> list[Figure]:
    return [
        ("", _whole(node.gpu_util_pct), "%"),
        ("", _whole(node.power_w), "W"),
        ("", _whole(node.temp_c), "C"),
        ("", _whole(node.sm_mhz), "MHz"),
    ]


def _fabric(node: Node) -> list[Figure]:
    if node.rdma_rx_gb_s is None and node.rdma_tx_gb_s is None:
        return []
    return [("RDMA in", _tenth(node.rdma_rx_gb_s), ""), ("out", _tenth(node.rdma_tx_gb_s), "GB/s")]


def _figures(width: int, *figures: Figure) -> Content:
    parts: list[Part] = []
    for label, value, unit in figures:
        parts += ["  " if parts else "", (f"{label} " if label else "", "$dim"), value]
        parts.append((f" {unit}" if unit else "", "$dim"))
    return Content.assemble(*parts).truncate(width, ellipsis=True)


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def _tenth(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"
