"""What a key of a profile takes, in words, taken from the model itself."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sparktui.profile.fields import Takes
from sparktui.profile.model import Profile
from sparktui.profile.problems import Path

PLAIN = {str: "text", bool: "true or false", int: "an integer", float: "a number", object: "any value"}


def hint_at(path: Path, data: object) -> Any:
    """Return the type hint of the key at a path of a profile's data; None where no such key exists."""
    hint: Any = Profile
    for part in path:
        hint = _child(hint, part, data)
        data = _value(data, part)
        if hint is None:
            return None
    return hint


def keys_at(path: Path, data: object) -> tuple[str, ...]:
    """Return the keys that the mapping at a path may have; empty where they are the owner's to choose."""
    hint = hint_at(path, data)
    model: Any = _arm(_strip(hint)[0], _at(data, path))
    return tuple(model.model_fields) if _is_model(model) else ()


def choices_of(hint: Any) -> tuple[str, ...]:
    """Return the words a key chooses from; empty where it takes more than a few."""
    bare = _strip(hint)[0]
    return get_args(bare) if get_origin(bare) is Literal else ()


def type_of(hint: Any) -> object:
    """Return the plain type a key takes: str, int, float, bool, or something larger."""
    return str if choices_of(hint) else _strip(hint)[0]


def key_hint(hint: Any) -> Any:
    """Return what the keys of a mapping must be."""
    return (get_args(_strip(hint)[0]) or (None,))[0]


def describe(hint: Any) -> str:
    """Return what a type hint takes, such as `an integer from 1 to 65535`."""
    bare, metadata = _strip(hint)
    for item in metadata:
        if isinstance(item, Takes):
            return item.words
    if choices := choices_of(bare):
        return "one of " + ", ".join(choices)
    origin = get_origin(bare)
    if origin is tuple:
        return f"a list of {_plural(describe(get_args(bare)[0]))}{_sized(metadata)}"
    if origin is dict:
        return f"a mapping{_sized(metadata)}"
    if _is_model(bare):
        return "a mapping with keys such as " + ", ".join(list(bare.model_fields)[:4])
    if _is_union(bare):
        return "a mapping with the key launcher"
    return PLAIN.get(bare, "a value") + _bounds(metadata)


def _child(hint: Any, part: str | int, value: object) -> Any:
    bare = _arm(_strip(hint)[0], value)
    if _is_model(bare):
        field = bare.model_fields.get(part) if isinstance(part, str) else None
        return _rebuilt(field) if field else None
    arguments = get_args(bare)
    if get_origin(bare) is dict:
        return arguments[1]
    return arguments[0] if get_origin(bare) is tuple else None


def _rebuilt(field: FieldInfo) -> Any:
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _arm(bare: Any, value: object) -> Any:
    """Return the arm of the launcher's union that a value chooses, or anything else as it is."""
    if not _is_union(bare):
        return bare
    chosen = value.get("launcher") if isinstance(value, dict) else None
    return launchers(bare).get(chosen) if isinstance(chosen, str) else None


def launchers(union: Any = None) -> dict[str, type[BaseModel]]:
    """Return what each launcher's name stands for."""
    bare = union or _strip(_rebuilt(Profile.model_fields["serving"]))[0]
    return {get_args(arm.model_fields["launcher"].annotation)[0]: arm for arm in get_args(bare)}


def _strip(hint: Any) -> tuple[Any, list[Any]]:
    """Return a hint without its metadata and its None, and the metadata."""
    metadata: list[Any] = []
    while True:
        if get_origin(hint) is Annotated:
            metadata += hint.__metadata__
            hint = hint.__origin__
        elif _is_union(hint) and type(None) in get_args(hint):
            hint = next(arm for arm in get_args(hint) if arm is not type(None))
        else:
            return hint, [
                flat for item in metadata for flat in (item.metadata if isinstance(item, FieldInfo) else [item])
            ]


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _value(data: object, part: str | int) -> object:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, tuple) and isinstance(part, int) and part < len(data) else None


def _at(data: object, path: Path) -> object:
    for part in path:
        data = _value(data, part)
    return data


def _bounds(metadata: list[Any]) -> str:
    bounds = {key: getattr(item, key) for item in metadata for key in ("ge", "gt", "le") if hasattr(item, key)}
    if bounds.keys() == {"ge", "le"}:
        return f" from {bounds['ge']} to {bounds['le']}"
    signs = {"ge": ">=", "gt": ">", "le": "<="}
    return (" " + " and ".join(f"{signs[key]} {bound}" for key, bound in bounds.items())) if bounds else ""


def _sized(metadata: list[Any]) -> str:
    return ", at least one" if any(hasattr(item, "min_length") for item in metadata) else ""


def _plural(words: str) -> str:
    return words.replace("an integer", "integers").replace("a name", "names") if words != "text" else "texts"
