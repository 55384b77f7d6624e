"""Draws docs/turns.md from the turn machine's table: `python -m docs.draw_turns`.

The page has a Mermaid diagram, which forges draw. The documentation site, which fetches nothing
from anywhere, has a drawing of the same arrows in its place: `on_site`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.turns import _TRANSITIONS
from docs.draw_arcs import svg

PAGE = Path(__file__).with_name("turns.md")

_MERMAID = re.compile(r"```mermaid\n.*?\n```", re.DOTALL)
_EVENTS = list(dict.fromkeys(event for event, _ in _TRANSITIONS))

HEAD = """\
# The turn machine

Drawn from the table in `dialogue/turns.py` by `python -m docs.draw_turns`. Names with a capital are
events, the others are timers that fire.

```mermaid
stateDiagram-v2
    [*] --> LISTENING
"""
MIDDLE = """\
    ENDED --> [*]
```

What has a row, and may leave the phase as it is; whatever is not here changes nothing.

| | {phases} |
|---|{rules}|
"""
GUARDS = """
Rows with a guard; where it does not hold, the next row of the event is taken.

| | in | if it | may lead to |
|---|---|---|---|
"""


def page() -> str:
    """The page in Markdown, with a Mermaid diagram and a table."""
    lines = [HEAD]
    for (start, end), names in arrows().items():
        lines.append(f"    {start} --> {end}: {', '.join(names)}\n")
    phases = " | ".join(phase.name for phase in Phase)
    lines.append(MIDDLE.format(phases=phases, rules="|".join(":-:" for _ in Phase)))
    for event in _EVENTS:
        cells = ("×" if (event, phase) in _TRANSITIONS else " " for phase in Phase)
        lines.append(f"| {_name(event)} | {' | '.join(cells)} |\n")
    lines.append(GUARDS)
    for (event, phase), rows in _TRANSITIONS.items():
        for row in rows:
            if row.guard is not None:
                leads = ", ".join(one.name for one in row.leads_to) or "–"
                words = _words(row.guard)
                lines.append(f"| {_name(event)} | {phase.name} | {words} | {leads} |\n")
    return "".join(lines)


def arrows() -> dict[tuple[str, str], list[str]]:
    """The events that lead from a phase to another."""
    found: dict[tuple[str, str], list[str]] = {}
    for phase, to in product(Phase, Phase):
        for event in _EVENTS:
            if any(to in row.leads_to for row in _TRANSITIONS.get((event, phase), ())):
                found.setdefault((phase.name, to.name), []).append(_name(event))
    return found


def on_site() -> tuple[str, str]:
    """The page as the site has it, and the drawing that stands in it as `turns.svg`."""
    names = [phase.name for phase in Phase]
    title = "The phases of a call, and what leads from one to another"
    drawn = svg(names, arrows(), first="LISTENING", last="ENDED", title=title)
    rows = [f"| {start} | {to} | {', '.join(why)} |" for (start, to), why in arrows().items()]
    text = "\n".join([f"![{title}](turns.svg)", "", "| from | to | by |", "|---|---|---|", *rows])
    return _MERMAID.sub(lambda _: text, page()), drawn


def _words(method: Callable[..., object]) -> str:
    return method.__name__.strip("_").replace("_", " ")


def _name(event: type | str) -> str:
    return event if isinstance(event, str) else event.__name__


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
