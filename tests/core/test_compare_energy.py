"""Energy: joules from a counter or from power over each wave, and no figure where samples leave gaps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.compare.energy import EnergyCurve, PowerSample, energy_curve, sampled_span, with_energy
from sparktui.compare.meter import EnergyMeter
from sparktui.compare.summary import summarise
from sparktui.measure.cell import CellFigures, cell_figures
from sparktui.measure.record import WaveRecord
from sparktui.nodes.sample import NodeSample
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import stream_at, wave


def samples(power_w: Callable[[float], float], *, counter: bool = False, until: float = 20.0) -> list[PowerSample]:
    """Return samples twice a second; the counter is that of a constant power."""
    times = [half / 2 for half in range(int(until * 2) + 1)]
    return [PowerSample(t, power_w(t), 5000.0 + power_w(0) * t if counter else None) for t in times]


def seconds_from(start: float, seconds: float = 4.0) -> WaveRecord:
    return wave(stream_at(50.0), started_at=start, duration_us=round(seconds * 1e6))


def figures(waves: list[WaveRecord], **curves: EnergyCurve | None) -> CellFigures:
    return with_energy(cell_figures(waves), waves, curves)


@pytest.mark.parametrize("counter", [True, False])
def test_a_constant_power_gives_its_joules_by_counter_and_by_samples(counter: bool) -> None:
    curve = energy_curve(samples(lambda _: 50.0, counter=counter))
    assert curve is not None
    assert curve.method == ("counter" if counter else "power")
    assert curve.taken_j(3.2, 7.7) == pytest.approx(4.5 * 50.0)


@given(st.floats(0.1, 9.0), st.floats(0.1, 9.0))
def test_the_joules_of_two_parts_are_those_of_the_whole(first: float, second: float) -> None:
    curve = energy_curve(samples(lambda t: 30 + 5 * t))
    assert curve is not None
    parts = [curve.taken_j(0.5, 0.5 + first), curve.taken_j(0.5 + first, 0.5 + first + second)]
    assert sum(part for part in parts if part is not None) == pytest.approx(curve.taken_j(0.5, 0.5 + first + second))


def test_tokens_per_joule_are_over_all_nodes_of_the_topology() -> None:
    by_counter, by_power = energy_curve(samples(lambda _: 40.0, counter=True)), energy_curve(samples(lambda _: 10.0))
    found = figures([seconds_from(1.0), seconds_from(6.0)], gf1=by_counter, gf2=by_power)
    assert found.values("joules_per_request") == pytest.approx((200.0, 200.0))
    assert found.values("tokens_per_joule") == pytest.approx((11 / 200, 11 / 200))


def test_what_energy_is_from_is_said_in_the_same_words_whichever_nodes_there_are() -> None:
    counter, power = energy_curve(samples(lambda _: 40.0, counter=True)), energy_curve(samples(lambda _: 10.0))
    waves = [seconds_from(1.0), seconds_from(6.0)]
    (counted,) = figures(waves, gf1=counter).notes
    (powered,) = figures(waves, gf2=power).notes
    assert counted == "energy is the GPUs' only, idle draw included, from their own counters"
    assert powered.endswith("from their power where they have no counter that can be relied on")
    assert figures(waves, gf1=counter, gf2=power).notes == figures(waves, gf1=power, gf2=power).notes == (powered,)


def test_energy_is_unknown_with_a_gap_a_silent_node_or_too_few_samples() -> None:
    whole = energy_curve(samples(lambda _: 10.0))
    gap = energy_curve([sample for sample in samples(lambda _: 10.0) if not 2 < sample.t < 6])
    assert "tokens_per_joule" in figures([seconds_from(1.0)], gf1=whole).figures
    for curves in ({"gf1": whole, "gf2": None}, {"gf1": gap}, {}):
        assert "tokens_per_joule" not in figures([seconds_from(0.25, 12.0)], **curves).figures
    assert "tokens_per_joule" not in figures([seconds_from(1.0, 0.4)], gf1=whole).figures
    assert "tokens_per_joule" not in figures([seconds_from(18.0)], gf1=whole).figures  # ends after the last sample


def test_where_energy_is_unknown_it_is_said_why_and_what_helps() -> None:
    whole = energy_curve(samples(lambda _: 10.0))
    known, short = figures([seconds_from(1.0)], gf1=whole), figures([seconds_from(1.0, 1.5)] * 3, gf1=whole)
    silent, few = figures([seconds_from(1.0)], gf1=whole, gf2=None), figures([seconds_from(1.0, 0.4)], gf1=whole)
    assert known.unknown == short.unknown == {}
    assert silent.unknown["tokens_per_joule"] == "gf2 told neither energy nor power"
    assert "fewer than 4 power samples of gf1; longer answers (--tg)" in few.unknown["tokens_per_joule"]
    assert any("known badly" in note for note in short.notes)
    assert not any("known badly" in note for note in known.notes)


def test_a_counter_that_is_asked_for_seldom_is_taken_and_one_that_ended_is_not() -> None:
    every_third = [
        PowerSample(s.t, s.power_w, s.energy_j if step % 3 == 0 else None)
        for step, s in enumerate(samples(lambda t: 40.0 + t, counter=True))
    ]
    curve = energy_curve(every_third)
    assert curve is not None
    assert curve.method == "counter"
    assert curve.taken_j(3.2, 7.7) == pytest.approx(4.5 * 40.0)
    ended = energy_curve([PowerSample(s.t, s.power_w, s.energy_j if s.t < 12 else None) for s in every_third])
    assert ended is not None
    assert ended.method == "power"


def test_a_counter_that_fell_was_reset_and_the_power_is_taken() -> None:
    reset = [PowerSample(s.t, s.power_w, s.t * 10 if s.t < 5 else s.t) for s in samples(lambda _: 10.0)]
    curve = energy_curve(reset)
    assert curve is not None
    assert curve.method == "power"
    assert energy_curve([PowerSample(0.0, None, None)] * 3) is None


PROFILE = """
name: race
nodes: {gf1: {host: simulated}, gf2: {host: simulated}}
model: {id: m, weights_gib: 1}
serving: {launcher: simulated}
topologies:
  solo: {kind: solo, nodes: [gf2]}
  both: {kind: cluster, nodes: [gf1, gf2]}
"""


async def test_a_topology_pays_for_its_own_nodes_and_energy_has_its_own_winner_table(tmp_path: Path) -> None:
    async with await Writer.open(tmp_path / "s.db") as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml=PROFILE, source="simulated", host="here", version="0"
        )
        for seq, topology in enumerate(("solo", "both")):
            sweep = await writer.create_sweep(campaign, seq, topology, fingerprint="{}")
            cell = await writer.create_cell(sweep, 0, concurrency=1, pp=100, tg=11, depth=0, runs=2)
            await writer.set_cell_state(cell, "measuring")
            now = await started(tmp_path / "s.db", cell)
            for number in range(2):
                await writer.commit_wave(cell, number, False, seconds_from(now - 2 + 2.0 * number, 2.0))
            await writer.set_cell_state(cell, "done")
            await writer.add_node_samples(
                campaign,
                [
                    NodeSample(t=now - 4 + half / 2, node=node, power_w=watts)
                    for half in range(30)
                    for node, watts in (("gf1", 30.0), ("gf2", 20.0))
                ],
            )
    with Reader(tmp_path / "s.db") as reader:
        comparison = summarise(reader, campaign)
        (solo, _) = reader.sweeps(campaign)
        (cell_row,) = reader.cells(solo.id)
        first = [stored.record for stored in reader.waves(cell_row.id)][:1]
        curve = EnergyMeter(reader, solo).curves(first)["gf2"]
    assert curve is not None
    start, end = sampled_span(first)
    assert (curve.times[0] >= start, curve.times[-1] <= end) == (True, True), "more is read than the waves need"
    energy = next(table for table in comparison.tables if table.metric.name == "energy").rows[0]
    assert energy.values == pytest.approx({"solo": 11 / (2 * 20), "both": 11 / (2 * 50)})
    assert energy.winner == "solo"


async def started(path: Path, cell: int) -> float:
    with Reader(path) as reader:
        found = reader.cell(cell).started
    assert found is not None
    return found
