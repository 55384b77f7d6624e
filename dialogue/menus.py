"""Menus of keys in a conversation: which one is open, and what the keys that were pressed choose.

`Conversation.menu` is the way to the menu that is open, such as "main/bills"; "" where none is. It
closes when the caller speaks, and whatever is pressed then is told to the model. Keys may be
pressed ahead of what is said: "41" is the first choice of the fourth.

Pure. Errors: none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aybiza.config.menus import MAIN, Choice, Menu

_STEP: Final = "/"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen, and the way to the menu that is open behind it."""

    choice: Choice
    way: str


def chosen(menus: Mapping[str, Menu], way: str, keys: Sequence[str]) -> Chosen | None:
    """What `keys` choose from the menu at the end of `way`; None: nothing, so they are an entry."""
    found: Chosen | None = None
    for key in keys:
        menu = menus.get(_last(way))
        choice = menu.keys.get(key) if menu is not None else None
        if choice is None or (found is not None and _is_final(found.choice)):
            return None
        way = _after(choice, way)
        found = Chosen(choice, way)
    return found


def opening(menus: Mapping[str, Menu]) -> str:
    """What is said behind the greeting."""
    return menus[MAIN].prompt if menus else ""


def said(menus: Mapping[str, Menu], chosen: Chosen, filler: str) -> list[str]:
    """What the agent says to it by itself; `filler`: before a caller is put through."""
    choice = chosen.choice
    texts = [choice.say] if choice.say is not None else []
    if choice.menu is not None or choice.repeat or choice.back:
        menu = menus.get(_last(chosen.way))
        return [*texts, menu.prompt] if menu is not None else texts
    return texts or [filler]


def _is_final(choice: Choice) -> bool:
    return choice.ask is not None or choice.transfer is not None


def _after(choice: Choice, way: str) -> str:
    if choice.menu is not None:
        # A menu that leads to one that it came from leads back.
        steps = way.split(_STEP)
        if choice.menu in steps:
            return _STEP.join(steps[: steps.index(choice.menu) + 1])
        return f"{way}{_STEP}{choice.menu}"
    if choice.back:
        return way.rpartition(_STEP)[0] or MAIN
    return way


def _last(way: str) -> str:
    return way.rpartition(_STEP)[2]
