"""One card a node: memory left against its floors, who holds it, how hard the GPU works, and what is not well."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import Container
from textual.content import Content

from sparktui.ui.node_values import STALE_S, Node
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, harmless, lines, squeezed, track
from sparktui.ui.widgets.panel import Panel
from sparktui.units import GIB, UNKNOWN, duration, gib

HORIZON_S = 60.0
"""How far ahead a floor is announced."""
GBPS_PER_GB_S = 8
FULL_ROWS = 4
CARD_ROWS, NARROW_CARD_ROWS = 6, 3
MOST_OF_THE_SCREEN = 1 / 3
"""What cards may take of its height: with more nodes than that, each is a line."""
NAME = 12
"""The most of a node's name that is read in a line."""


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
            self.set_class(len(names) == 1, "-one")
            self.set_class(len(names) > 2, "-many")
        self.set_class(self._rows_of_cards() > self.screen.size.height * MOST_OF_THE_SCREEN, "-lines")

    def _rows_of_cards(self) -> int:
        if self.screen.has_class("-narrow"):
            return len(self._names) * NARROW_CARD_ROWS
        columns = 4 if self.screen.has_class("-ultra") else 2
        return -(-len(self._names) // columns) * CARD_ROWS


class NodeCard(Panel):
    """One node at its last sample; dim when that is old, in the accent of what the guard says of it."""

    def __init__(self, node: str) -> None:
        super().__init__(classes="box node")
        self._node = node

    def show(self, snapshot: Snapshot) -> None:
        node = _find(snapshot, self._node)
        if node is not None:
            over = snapshot.campaign is not None and not snapshot.campaign.running
            self._label(node, snapshot, over)
        super().show(snapshot)

    def _label(self, node: Node, snapshot: Snapshot, over: bool) -> None:
        rank = "" if node.rank is None else f"rank {node.rank}"
        words = [node.name, "fragile" if node.fragile else "", rank, *_as_of(node, snapshot, over)]
        said = "; ".join(_troubles(node, snapshot)) or _limit_in_words(node)
        self.entitle(" · ".join(word for word in words if word), "" if over else said)
        alarm = "" if over else node.alarm
        self.set_class(node.stale and not over, "-stale")
        self.set_class(alarm == "warn", "-warn")
        self.set_class(alarm == "stop", "-stop")
        self.set_class(bool(node.findings) and not over, "-unwell")

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        node = _find(snapshot, self._node)
        if node is None:
            return Content(UNKNOWN)
        rows = self.content_size.height
        if rows == 1:
            return _line(node, snapshot, width)
        return lines((_full(node, width) if rows >= FULL_ROWS else _short(node, snapshot, width))[:rows])


def _find(snapshot: Snapshot, name: str) -> Node | None:
    return next((node for node in snapshot.nodes if node.name == name), None)


def _as_of(node: Node, snapshot: Snapshot, over: bool) -> list[str]:
    """Say what a node is doing and when it was heard; with a race its agents end, each in the middle of something."""
    finished = None if snapshot.campaign is None else snapshot.campaign.finished
    if not over or finished is None:
        return [node.phase, f"last seen {duration(node.age_s)} ago" if node.stale or over else _countdown(node)]
    before = finished - (snapshot.taken - node.age_s)
    if before > STALE_S:
        return [node.phase, f"last seen {duration(before)} before the end"]
    return [f"at the end, {duration(snapshot.taken - finished)} ago"]


def _countdown(node: Node) -> str:
    """Say when the memory left will be at its stop floor, where it falls fast enough to matter."""
    seconds = node.seconds_to_floor
    return f"floor in {seconds:.1f} s" if seconds is not None and seconds < HORIZON_S else ""


def _troubles(node: Node, snapshot: Snapshot) -> list[str]:
    """Say what is not well, the worst first, and what the guard will do about it."""
    what = "what runs there" if snapshot.current is None else snapshot.current.name
    found = []
    if node.alarm == "stop":
        found.append("stopped by the guard" if node.told == "stop" else "under its stop floor")
    elif node.alarm == "warn" and node.stop_gib is not None:
        found.append(f"under {node.stop_gib:.1f} GiB the guard stops {what}")
    found += [harmless(finding) for finding in node.findings]
    if node.nvml_hung:
        found.append(f"NVML hangs in {harmless(node.nvml_hung)}")
    if node.top and node.alarm:
        found.append(f"held by {harmless(node.top)}")
    return found


def _full(node: Node, width: int) -> list[Content]:
    strain = [("swap", _swap(node), ""), _pressure(node)]
    held, free = gib(node.gpu_procs_bytes), ("free", gib(node.mem_free_bytes), "")
    return [
        _memory(node, width, _floors(node)),
        _widest(width, [("GPU holds", held, "GiB"), free, _slope(node)], [("GPU", held, "GiB"), free, _slope(node)]),
        _widest(width, _gpu(node)),
        _widest(width, [*strain, *_fabric(node)], [*strain, *_fabric(node, link=False)]),
    ]


def _short(node: Node, snapshot: Snapshot, width: int) -> list[Content]:
    """Return two lines; there is no frame to say below what is not well, so it takes the second."""
    troubles = "; ".join(_troubles(node, snapshot))
    second = Content.styled(troubles, "bold $warning").truncate(width, ellipsis=True)
    held, strain = ("GPU", gib(node.gpu_procs_bytes), "GiB"), [("swap", _swap(node), ""), _pressure(node)]
    memory = _memory(node, width, _limit(node))
    return [memory, second if troubles else _widest(width, [held, _slope(node), *strain, *_gpu(node)])]


def _line(node: Node, snapshot: Snapshot, width: int) -> Content:
    """Return one line, which has no frame: the name, what is left, and what is not well or else what there is room for.

    What is old, or under a floor, says so in words, as no frame can by its colour.
    """
    over = snapshot.campaign is not None and not snapshot.campaign.running
    longest = min(NAME, max(len(one.name) for one in snapshot.nodes))
    style = "$dim" if node.stale else "bold"
    name = squeezed(harmless(node.name), longest).ljust(longest)
    left = gib(node.mem_available_bytes, 5)
    head = Content.assemble((name, style), (" left ", "$dim"), (left, style), (" GiB  ", "$dim"))
    said = [f"last seen {duration(node.age_s)} ago"] if node.stale and not over else []
    said += [word for word in (_countdown(node),) if word]
    troubles = "; ".join([*said, *([] if over else _troubles(node, snapshot))])
    room = max(0, width - head.cell_length)
    if troubles:
        worst = "bold $error" if node.alarm == "stop" and not over else "$warning"
        return head + Content.styled(troubles, worst).truncate(room, ellipsis=True)
    held = ("GPU", gib(node.gpu_procs_bytes), "GiB")
    return head + _widest(room, [held, _slope(node), *_gpu(node)], [held, *_gpu(node)])


def _memory(node: Node, width: int, floors: str) -> Content:
    total = node.mem_total_bytes or 0
    left = node.mem_available_bytes
    label = Content.assemble(("left ", "$dim"), (f"{gib(left, 6)} GiB ", "" if node.stale else "bold"))
    room = max(0, width - label.cell_length - len(floors) - 2)
    marks = [floor * GIB / total for floor in (node.stop_gib, node.warns_gib) if floor is not None and total]
    full, rest = track((left or 0) / total if total else 0.0, room, marks)
    style = {"": "$accent", "warn": "$warning", "stop": "$error"}[node.alarm]
    return Content.assemble(label, (full, "$dim" if node.stale else style), (rest, "$line"), "  ", (floors, "$dim"))


def _floors(node: Node) -> str:
    stop = "" if node.stop_gib is None else f"stop {node.stop_gib:.0f}"
    warn = "" if node.warns_gib is None else f"warn {node.warns_gib:.0f}"
    return "  ".join(floor for floor in (stop, warn) if floor)


def _limit(node: Node) -> str:
    """Say under what the guard stops a load and where that comes from; of a node that serves, its two floors."""
    if node.stop_gib is None or node.phase == "serving":
        return _floors(node)
    return f"stops under {node.stop_gib:.0f}{_origin(node)}"


def _limit_in_words(node: Node) -> str:
    """Say the same where there is a line for it, which a node that serves has no need of."""
    return "" if node.stop_gib is None or node.phase == "serving" else f"the guard {_limit(node)}"


def _origin(node: Node) -> str:
    if node.stop_gib is None or node.expected_gib is None:
        return ""
    return f" ({node.expected_gib:.0f} expected, less {node.expected_gib - node.stop_gib:.0f})"


Figure = tuple[str, str, str]
"""Label, value, unit."""


def _slope(node: Node) -> Figure:
    slope = UNKNOWN if node.slope_gib_s is None else f"{max(0.0, -node.slope_gib_s):.2f}"
    return ("falling", slope, "GiB/s")


def _pressure(node: Node) -> Figure:
    return ("PSI", _tenth(node.psi_some_pct), "%")


def _swap(node: Node) -> str:
    return "0" if node.swap_used_bytes == 0 else f"{gib(node.swap_used_bytes)} GiB"


def _gpu(node: Node) -> list[Figure]:
    found = [
        ("", _whole(node.gpu_util_pct), "%"),
        ("", _whole(node.power_w), "W"),
        ("", _whole(node.temp_c), "C"),
    ]
    throttle = [("", harmless(node.throttle), "")] if node.throttle else []
    return [*found, *throttle, ("", _whole(node.sm_mhz), "MHz")]


def _fabric(node: Node, *, link: bool = True) -> list[Figure]:
    if node.rdma_rx_gb_s is None and node.rdma_tx_gb_s is None:
        return []
    of = f" of {node.link_gbps / GBPS_PER_GB_S:.0f}" if link and node.link_gbps is not None else ""
    return [("RDMA in", _tenth(node.rdma_rx_gb_s), ""), ("out", _tenth(node.rdma_tx_gb_s), f"GB/s{of}")]


def _widest(width: int, *forms: list[Figure]) -> Content:
    """Return the first form that fits; of the last, as many figures as do: half a figure would be another one."""
    fewer = (forms[-1][:count] for count in range(len(forms[-1]), 0, -1))
    rows = map(_figures, (*forms, *fewer))
    return next((row for row in rows if row.cell_length <= width), Content())


def _figures(figures: Sequence[Figure]) -> Content:
    parts: list[Part] = []
    for label, value, unit in figures:
        parts += ["  " if parts else "", (f"{label} " if label else "", "$dim"), value]
        parts.append((f" {unit}" if unit else "", "$dim"))
    return Content.assemble(*parts)


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def _tenth(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"
