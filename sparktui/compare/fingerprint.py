"""What makes two runs comparable, kept with every sweep: unlike runs are not ranked without being told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from sparktui.errors import StoreError

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
    "prompt_seed",
    "calculator",
    "token_source",
    "simulated",
)
"""What must be the same; the engine's own facts may differ, and are often what is being compared."""


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """Each field may be unknown: None is neither like nor unlike anything."""

    model: str | None = None
    pp: int | None = None
    tg: int | None = None
    depth: int | None = None
    shape: str | None = None
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
        """Return the fingerprint of a profile's runs; the token source is known only from what was measured."""
        load = profile.workload
        return cls(
            model=profile.model.id,
            pp=load.pp,
            tg=load.tg,
            depth=load.depth,
            shape=load.shape,
            api=load.api,
            sampling=load.sampling.model_dump(mode="json"),
            prompt_seed=load.seed,
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
        except msgspec.MsgspecError as error:
            raise StoreError(f"the store holds a damaged fingerprint: {error}") from error

    def to_json(self) -> str:
        """Return it as the store keeps it."""
        return msgspec.json.encode(self).decode()


def differences(a: Fingerprint, b: Fingerprint) -> tuple[str, ...]:
    """Say what keeps two runs from being ranked against each other; nothing where they are comparable."""
    return tuple(
        f"{name}: {_shown(mine)} against {_shown(theirs)}"
        for name in PROTOCOL
        if _unlike(mine := getattr(a, name), theirs := getattr(b, name))
    )


def engine_differences(a: Fingerprint, b: Fingerprint) -> tuple[str, ...]:
    """Say how the engines differ: shown above a comparison, never a reason against it."""
    return tuple(
        f"{name}: {_shown(a.engine.get(name))} against {_shown(b.engine.get(name))}"
        for name in sorted(a.engine.keys() | b.engine.keys())
        if a.engine.get(name) != b.engine.get(name)
    )


def _unlike(mine: object, theirs: object) -> bool:
    return mine is not None and theirs is not None and mine != theirs


def _shown(value: object) -> str:
    return "-" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
