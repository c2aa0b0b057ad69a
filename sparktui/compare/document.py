"""A comparison as plain data: what `--json` prints, in the shape of `schema.json` beside this file."""

from __future__ import annotations

from sparktui.compare.answers import advice_json, capacity_json
from sparktui.compare.comparison import Column, Comparison, Table
from sparktui.compare.crossover import Crossover
from sparktui.compare.gains import Gain
from sparktui.compare.goodput import NO_LIMITS, UserLimits
from sparktui.compare.winners import Row
from sparktui.compare.workload import Workload
from sparktui.store.rows import CampaignRow

FORMAT = "sparktui.comparison.v1"


def to_json(comparison: Comparison, limits: UserLimits = NO_LIMITS) -> dict[str, object]:
    """Return a comparison as plain data, with how many users keep the limits where there are any; unknown is None."""
    return {
        "format": FORMAT,
        "simulated": comparison.simulated,
        "ranked": comparison.ranked,
        "apart": list(comparison.apart),
        "campaigns": [_campaign(campaign) for campaign in comparison.campaigns],
        "topologies": list(comparison.topologies),
        "columns": [_column(column) for column in comparison.columns],
        "differences": list(comparison.differences),
        "engine_differences": list(comparison.engine_differences),
        "calculator": comparison.calculator,
        "token_source": comparison.token_source,
        "rows": [row for table in comparison.tables for row in _rows(table)],
        "crossovers": [
            {**_crossover(crossover), **_load(table.workload), "leaders": crossover in table.crossovers}
            for table in comparison.tables
            for crossover in dict.fromkeys((*table.crossovers, *table.pairs))
        ],
        "advice": advice_json(comparison),
        "capacity": capacity_json(comparison, limits) if limits else None,
        "health": [row for column in comparison.columns for row in _health(column)],
        "notes": list(comparison.notes),
    }


def _campaign(campaign: CampaignRow) -> dict[str, object]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "source": campaign.source,
        "state": campaign.state,
        "created": campaign.created,
    }


def _column(column: Column) -> dict[str, object]:
    return {
        "name": column.name,
        "campaign": column.campaign.id,
        "topology": column.sweep.topology,
        "source": column.campaign.source,
        "model": column.fingerprint.model,
        "calculator": column.fingerprint.calculator,
        "engine": dict(column.fingerprint.engine),
    }


def _health(column: Column) -> list[dict[str, object]]:
    return [
        {"topology": column.name, "concurrency": measured.cell.concurrency, **_load(measured.workload), "nodes": nodes}
        for measured in column.cells
        if (nodes := measured.cell.health_by_node) is not None
    ]


def _rows(table: Table) -> list[dict[str, object]]:
    gains = {gain.concurrency: gain for gain in table.gains}
    return [{**_row(table, row), "gain": _gain(gains.get(row.concurrency))} for row in table.rows]


def _row(table: Table, row: Row) -> dict[str, object]:
    return {
        "metric": row.metric,
        "unit": table.metric.unit,
        "better": table.metric.better,
        **_load(table.workload),
        "concurrency": row.concurrency,
        "values": row.values,
        "std": row.std,
        "winner": row.winner,
        "margin": row.margin,
        "against": row.against,
        "tie": row.tie,
        "only": row.only,
        "awaited": list(row.awaited),
        "tied": list(row.tied),
        "lead": min(row.leads, key=abs, default=None),
        "lead_over": row.lead_over,
        "interval": None if row.interval is None else list(row.interval),
        "decided_by": row.decided_by,
        "barred": row.barred,
        "drift": row.drift,
    }


def _load(workload: Workload) -> dict[str, object]:
    return {
        "pp": workload.pp or None,
        "tg": workload.tg or None,
        "depth": workload.depth,
        "shape": workload.shape,
    }


def _gain(gain: Gain | None) -> dict[str, object] | None:
    if gain is None:
        return None
    return {
        "of": gain.of,
        "over": gain.over,
        "value": gain.value,
        "interval": None if gain.interval is None else list(gain.interval),
        "tie": gain.tie,
    }


def _crossover(crossover: Crossover) -> dict[str, object]:
    return {
        "metric": crossover.metric,
        "below": crossover.below,
        "above": crossover.above,
        "concurrency": crossover.concurrency,
        "interval": None if crossover.interval is None else list(crossover.interval),
        "between": list(crossover.between),
    }
