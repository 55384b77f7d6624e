"""Which key was meant where a table of a file has one that is not known.

    meant(Agent, ("recording", "consnt"))     "; did you mean consent?"
    keys_at(Agent, ("menus", "main"))         the keys that stand there

`loc` is as pydantic's errors have it. Contract: pure. Errors: none; of what leads nowhere there are
no keys.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

FEW: Final = 12
"""So many keys are all that is told where none is near."""


def meant(model: type[BaseModel], loc: Sequence[Any]) -> str:
    """See the module.

    >>> class Door(BaseModel):
    ...     colour: str
    >>> meant(Door, ("color",)), meant(Door, ("x",))
    ('; did you mean colour?', '; there are: colour')
    """
    known = keys_at(model, loc[:-1])
    if near := difflib.get_close_matches(str(loc[-1]), known, n=1):
        return f"; did you mean {near[0]}?"
    return f"; there are: {', '.join(known)}" if known and len(known) <= FEW else ""


def keys_at(model: type[BaseModel], loc: Sequence[Any]) -> list[str]:
    """See the module."""
    kinds: list[Any] = [model]
    for part in loc:
        kinds = [inner for kind in kinds for inner in _within(kind, part)]
    tables = [kind for kind in kinds if _is_table(kind)]
    return [field.alias or name for table in tables for name, field in table.model_fields.items()]


def _within(kind: Any, part: Any) -> list[Any]:
    """What kinds of value a part of a value of this kind has."""
    if _is_table(kind):
        fields = kind.model_fields
        found = fields.get(part) or next((f for f in fields.values() if f.alias == part), None)
        return _plain(found.annotation) if found is not None else []
    match get_origin(kind), get_args(kind):
        case (origin, (_, value)) if isinstance(origin, type) and issubclass(origin, Mapping):
            return _plain(value)
        case (origin, (item, *_)) if origin in (list, tuple) and isinstance(part, int):
            return _plain(item)
    return [kind]  # a part by which pydantic names the branch of a union


def _plain(kind: Any) -> list[Any]:
    """The branches of a kind, without what is said about it."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _plain(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [branch for one in get_args(kind) for branch in _plain(one)]
    return [kind]


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
