"""Menus of keys, and prompts that are heard from a file or are tones: data of an agent's file.

    [menus.main]                             open from the greeting on, behind which it is said
    prompt = "For orders press one, for our hours press two."
    [menus.main.keys]
    1 = { transfer = "orders" }
    2 = { say = "We are open from nine to five." }

    [prompts.welcome]                        wherever exactly this is said, the file is heard
    text = "Welcome to Napoli."
    file = "welcome.wav"

Pure. Errors: `ValueError` from what pydantic checks; `wrong(…)` says what of menus leads nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, StringConstraints, model_validator

from aybiza.config.file_names import path_of
from aybiza.config.languages import Spoken
from aybiza.config.shapes import shaped
from aybiza.config.tables import TABLE

MAIN: Final = "main"
"""The menu that is open when a call begins."""

Key = Annotated[str, shaped("[0-9*#]", "one key of a telephone: 0 to 9, * or #")]
Name = Annotated[
    str, shaped("[a-z][a-z0-9_]{0,31}", "a name of small letters, digits and _, 32 at most")
]
Tones = Annotated[
    str, shaped("[0-9*#A-D,]{1,32}", "keys (0 to 9, *, #, A to D) and commas, 32 at most")
]


class Choice(BaseModel):
    """What a key does: one of these, and `say` with each."""

    model_config = TABLE

    say: Spoken | None = None
    """Said by the agent, word for word."""
    ask: Spoken | None = None
    """What the model is asked, in the caller's place."""
    transfer: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Whom the caller is put through to, one of `transfer_numbers`."""
    menu: Name | None = None
    """The menu that is open from now on; its prompt is said."""
    repeat: bool = False
    """The prompt of the menu that is open is said again."""
    back: bool = False
    """The menu from which this one was chosen is open again."""

    @model_validator(mode="after")
    def _does_one_thing(self) -> Choice:
        deeds = [self.ask, self.transfer, self.menu, self.repeat, self.back]
        count = sum(map(bool, deeds))
        if count > 1 or (count == 0 and self.say is None):
            raise ValueError("a key does one thing: say, ask, transfer, menu, repeat or back")
        if self.ask is not None and self.say is not None:
            raise ValueError("the model answers what it is asked: leave say out")
        return self


class Menu(BaseModel):
    """A menu: what is said when it opens, and what its keys do."""

    model_config = TABLE

    prompt: Spoken
    keys: Annotated[dict[Key, Choice], Field(min_length=1)]


class Prompt(BaseModel):
    """A text that is heard from a file, or as tones."""

    model_config = TABLE

    text: Spoken
    """What is heard there, as it stands in the journal and as the model is told of it."""
    file: str = ""
    """A PCM WAV file, by its path from the agent's file."""
    tones: Tones = ""
    """Keys whose tones are heard; a comma is half a second of silence."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Prompt:
        if bool(self.file) == bool(self.tones):
            raise ValueError("a prompt has a file or tones, one of both")
        return self


def wrong(menus: Mapping[str, Menu], destinations: Collection[str]) -> str | None:
    """What of the menus leads nowhere; None: nothing. `destinations`: whom a caller may be put
    through to."""
    if menus and MAIN not in menus:
        return f"one of them is called {MAIN}: it is open when a call begins"
    for name, menu in menus.items():
        for key, choice in menu.keys.items():
            where = f"[menus.{name}] key {key}"
            if choice.menu is not None and choice.menu not in menus:
                return f"{where}: there is no menu {choice.menu}"
            if choice.transfer is not None and choice.transfer not in destinations:
                return f"{where}: {choice.transfer} is none of transfer_numbers"
            if choice.back and name == MAIN:
                return f"{where}: there is no menu before {MAIN}"
    return None


def placed(prompts: Any, folder: Path) -> Any:
    """A file's table of prompts, their files by their own paths."""
    if not isinstance(prompts, dict):
        return prompts
    return {name: _placed(prompt, folder) for name, prompt in prompts.items()}


def _placed(prompt: Any, folder: Path) -> Any:
    match prompt:
        case {"file": str(file)} if file:
            return {**prompt, "file": str(folder / path_of(file))}
    return prompt
