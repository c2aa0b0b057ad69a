"""What `sparktui watch` prints without screens: a line for each engine and node, or one JSON object."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sparktui.moments import local_time
from sparktui.units import UNKNOWN, duration, gib, milliseconds, rate, whole
from sparktui.watching.picture import SIMULATED, EngineNow, NodeNow, Picture
from sparktui.watching.rates import Figures

ALL = "all"


def plain_lines(picture: Picture) -> Iterator[str]:
    """Yield the lines of one moment."""
    moment = local_time(picture.taken)
    names = [ALL, *(engine.name for engine in picture.engines), *(node.name for node in picture.nodes)]
    width = max(map(len, names))
    for engine in picture.engines:
        yield f"{moment}  {engine.name:<{width}}  {_engine(engine)}"
    if len(picture.engines) > 1:
        yield f"{moment}  {ALL:<{width}}  {_marked(picture.mark, _figures(picture.all))}"
    for node in picture.nodes:
        yield f"{moment}  {node.name:<{width}}  {_node(node)}"


def _engine(engine: EngineNow) -> str:
    if engine.down:
        since = "" if engine.age_s is None else f", silent for {duration(engine.age_s)}"
        return f"{engine.trouble}: {engine.down}{since}"
    restarts = f" · began anew {engine.restarts} times" if engine.restarts > 1 else " · began anew"
    figures = _figures(engine.figures) + (restarts if engine.restarts else "")
    return _marked(SIMULATED if engine.simulated else "", figures)


def _marked(mark: str, figures: str) -> str:
    return f"{mark} · {figures}" if mark else figures


def _figures(figures: Figures) -> str:
    return " · ".join(
        (
            f"decode {rate(figures.decode_tps)} tok/s",
            f"prefill {rate(figures.prefill_tps)} tok/s",
            f"running {count(figures.running)}",
            f"waiting {count(figures.waiting)}",
            f"KV {percentage(figures.kv_pct)}",
            f"TTFT {_pair(figures, 'ttft')} ms",
            f"ITL {_pair(figures, 'itl')} ms",
            f"preempted {count(figures.preemptions)}",
            f"prefix hits {percentage(_times_100(figures.prefix_hit_share))}",
        )
    )


def _node(node: NodeNow) -> str:
    sample = node.sample
    if sample is None or node.why_not:
        return f"not watched: {node.why_not}"
    return (
        f"left {gib(sample.mem_available_bytes)} GiB · held by GPU {gib(sample.gpu_procs_bytes)} GiB · "
        f"{watts(sample.power_w)} · {celsius(sample.temp_c)}"
    )


def _pair(figures: Figures, name: str) -> str:
    return "/".join(milliseconds(figures.milliseconds(name, share)) for share in (0.5, 0.95))


def count(value: float | None) -> str:
    """Format a number of requests."""
    return UNKNOWN if value is None else whole(value)


def percentage(value: float | None) -> str:
    """Format a percentage, 0 to 100: `4.1 %`."""
    return UNKNOWN if value is None else f"{value:.1f} %"


def watts(value: float | None) -> str:
    """Format a power."""
    return f"{UNKNOWN if value is None else f'{value:.0f}'} W"


def celsius(value: float | None) -> str:
    """Format a temperature."""
    return f"{UNKNOWN if value is None else f'{value:.0f}'} C"


def _times_100(share: float | None) -> float | None:
    return None if share is None else 100 * share


def document(picture: Picture) -> dict[str, object]:
    """Return one moment as data; what is not known is null."""
    return {
        "t": picture.taken,
        "engines": [
            {
                "name": engine.name,
                "simulated": engine.simulated,
                "url": engine.url,
                "up": engine.mute or not engine.down,
                "error": engine.down or None,
                "age_s": engine.age_s,
                "restarts": engine.restarts,
                **_data(engine.figures),
            }
            for engine in picture.engines
        ],
        "all": {"simulated": bool(picture.mark), **_data(picture.all)},
        "nodes": [_node_data(node) for node in picture.nodes],
    }


def _data(figures: Figures) -> dict[str, object]:
    percentiles = {
        f"{name}_p{round(share * 100)}_ms": _finite(figures.milliseconds(name, share))
        for name in ("ttft", "itl")
        for share in (0.5, 0.95)
    }
    return {
        "decode_tps": figures.decode_tps,
        "prefill_tps": figures.prefill_tps,
        "running": figures.running,
        "waiting": figures.waiting,
        "kv_pct": figures.kv_pct,
        "preemptions": figures.preemptions,
        "prefix_hit_share": figures.prefix_hit_share,
        **percentiles,
    }


def _node_data(node: NodeNow) -> dict[str, object]:
    sample = node.sample
    return {
        "name": node.name,
        "error": node.why_not or None,
        "age_s": node.age_s,
        "mem_available_bytes": None if sample is None else sample.mem_available_bytes,
        "gpu_procs_bytes": None if sample is None else sample.gpu_procs_bytes,
        "power_w": None if sample is None else sample.power_w,
        "temp_c": None if sample is None else sample.temp_c,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
