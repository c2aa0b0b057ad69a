"""What a cell was measured under, where a break has parted it."""

from __future__ import annotations

import json
from typing import Any

from sparktui.nodes.health_finding import Finding
from sparktui.nodes.stretch import Part, Stretch, conditions, whole
from tests.core.node_samples import MIB, samples

SLOW_LINK = Finding("slow-link", "gf1", "the link looks slow", "slow link, 13.0 of 200 Gbit/s", {"gbps": 13.0})


def stretch(began: float = 1.0, **known: Any) -> Stretch:
    said = {"after": 0, "until": 0, "newest": {}, "nodes": ("gf1",), "engines": (("gf1",),), **known}
    return Stretch(began=began, **said)


def part(began: float = 1.0, readings: dict[str, Any] | None = None, **known: Any) -> Part:
    return stretch(began, **known), {"gf1": samples(8.0, **(readings or {}))}


def test_what_was_wrong_before_a_break_stays_wrong_and_is_said_once() -> None:
    sick = {"sm_mhz": 850.0, "power_w": 28.0, "temp_c": 47.0}
    assert conditions([part(1.0, sick), part(2.0)]).unfair == ("gf1: stuck clock, 850 MHz, 28 W",)
    assert conditions([part(1.0, sick), part(2.0, sick | {"sm_mhz": 860.0})]).unfair == (
        "gf1: stuck clock, 850 MHz, 28 W",
    )
    assert conditions([part(1.0), part(2.0)]).unfair == ()


def test_what_was_told_before_a_break_holds_though_no_sample_says_it() -> None:
    assert conditions([part(1.0, told=(SLOW_LINK,)), part(2.0)]).unfair == ("gf1: slow link, 13.0 of 200 Gbit/s",)


def test_another_engine_in_any_stretch_is_told_once() -> None:
    mixed = [part(1.0), part(2.0, mixed="version: 2"), part(3.0, mixed="version: 2"), part(4.0)]
    assert conditions(mixed).mixed == ("version: 2",)


def test_prefix_hits_are_summed_over_what_is_known() -> None:
    assert conditions([part(1.0, prefix=(60, 100)), part(2.0), part(3.0, prefix=(0, 100))]).prefix == (60, 200)
    assert conditions([part(1.0)]).prefix is None


def test_what_a_node_did_between_two_stretches_is_not_of_the_cell() -> None:
    first, second = ({"swap_out_bytes": lambda t, at=at: at + int(t) * MIB} for at in (0, 500 * MIB))
    found = conditions([part(1.0, first), part(2.0, second)])
    stamp = json.loads(found.stamps)["gf1"]
    assert (stamp["samples"], stamp["swapped_bytes"]) == (34, 16 * MIB)
    assert found.unfair == ()


def test_a_stretch_is_as_it_was_at_its_last_wave() -> None:
    assert [(s.began, s.until) for s in whole([stretch(until=3), stretch(2.0, until=9), stretch(until=5)])] == [
        (1.0, 5),
        (2.0, 9),
    ]
