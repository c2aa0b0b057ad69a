"""What makes two runs comparable, kept with every sweep: unlike runs are not ranked without being told to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

import msgspec

from sparktui.errors import StoreError
from sparktui.measure.calculators import DEFAULT
from sparktui.unreadable import UNREADABLE

if TYPE_CHECKING:
    from sparktui.profile.model import Profile

PROTOCOL = (
    "model",
    "pp",
    "tg",
    "depth",
    "shape",
    "api",
    "sampling",
    "calculator",
    "token_source",
    "simulated",
)
"""What must be the same. The engine's own facts may differ, and are often what is being compared; so may the seed,
which only draws other words."""


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """Each field may be unknown: None is neither like nor unlike anything."""

    model: str | None = None
    pp: int | None = None
    tg: int | None = None
    depth: int | None = None
    shape: str | None = None
    pool_turns: int | None = None
    """How long its pool runs are; no reason against a comparison, since ramp and drain are trimmed."""
    api: str | None = None
    sampling: dict[str, object] | None = None
    prompt_seed: int | None = None
    calculator: str | None = None
    token_source: str | None = None
    simulated: bool | None = None
    engine: dict[str, str] = {}
    """What the engine says of itself: name, version, attention backend, quantisation, flags."""

    @classmethod
    def of(cls, profile: Profile, engine: dict[str, str] | None = None) -> Self:
        """Return the fingerprint of a profile's runs; the token source is known only from what was measured.

        Its calculator is the one that its figures are shown by where no other is asked for.
        """
        load = profile.workload
        return cls(
            model=profile.model.id,
            pp=load.pp,
            tg=load.tg,
            depth=load.depth,
            shape=load.shape,
            pool_turns=load.pool_turns if load.shape == "pool" else None,
            api=load.api,
            sampling=load.sampling.model_dump(mode="json"),
            prompt_seed=load.seed,
            calculator=DEFAULT,
            simulated=profile.simulated,
            engine=engine or {},
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            StoreError: It is no fingerprint.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except UNREADABLE as error:
            raise StoreError(f"the store holds a damaged fingerprint: {error}") from error

    def to_json(self) -> str:
        """Return it as the store keeps it."""
        return msgspec.json.encode(self).decode()


def differences(prints: Mapping[str, Fingerprint]) -> tuple[str, ...]:
    """Say what keeps runs, by name, from being ranked against each other; nothing where they are comparable."""
    return tuple(line for name in PROTOCOL if (line := _difference(name, _values(prints, name), unknown=False)))


def engine_differences(prints: Mapping[str, Fingerprint]) -> tuple[str, ...]:
    """Say how the engines differ: shown above a comparison, never a reason against it."""
    names = sorted({name for fingerprint in prints.values() for name in fingerprint.engine})
    lines = (
        _difference(name, {run: fingerprint.engine.get(name) for run, fingerprint in prints.items()}, unknown=True)
        for name in names
    )
    return tuple(line for line in lines if line)


def _values(prints: Mapping[str, Fingerprint], name: str) -> dict[str, object]:
    return {run: getattr(fingerprint, name) for run, fingerprint in prints.items()}


def _difference(name: str, values: Mapping[str, object], *, unknown: bool) -> str | None:
    """Return `name: a (runs) against b (runs)`; None where all are the same, the unknown ones counted only if asked."""
    runs: dict[str, list[str]] = {}
    for run, value in values.items():
        if unknown or value is not None:
            runs.setdefault(_shown(value), []).append(run)
    if len(runs) < 2:
        return None
    return f"{name}: " + " against ".join(f"{value} ({_named(names, values)})" for value, names in runs.items())


def _named(runs: Sequence[str], every: Iterable[str]) -> str:
    """Name some runs, those of a campaign by the campaign alone where all of it are among them."""
    of_campaign: dict[str, list[str]] = {}
    for run in every:
        of_campaign.setdefault(run.rpartition("/")[0], []).append(run)
    whole = {c for c, mine in of_campaign.items() if c and len(mine) > 1 and set(mine) <= set(runs)}
    return ", ".join(dict.fromkeys(f"all of {c}" if (c := run.rpartition("/")[0]) in whole else run for run in runs))


def _shown(value: object) -> str:
    return "-" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
