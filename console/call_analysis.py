"""What was made of a call when it was over, in lines for people.

    for key, text in told(analysis):     "summary", "A table for two is wanted."

`analysis` is what the call's journal has (`aybiza.actors.call.analysis_actor`); what of it is not
as this version writes it is passed over.

Errors: none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TALK: Final = (
    ("caller_s", "caller {:.1f} s"),
    ("agent_s", "agent {:.1f} s"),
    ("talk_over_s", "both at once {:.1f} s"),
    ("dead_air_s", "dead air {:.1f} s"),
    ("owed_s", "of it the agent's {:.1f} s"),
    ("interruptions", "{:.0f} interrupted"),
)
_RESPONSE: Final = (
    ("response_p50", "{:.2f} s (p50)"),
    ("response_p95", "{:.2f} s (p95)"),
    ("response_max", "{:.2f} s at the most"),
    ("responses", "of {:.0f}"),
)
_SOUND: Final = (
    ("mos", "MOS {:.2f}"),
    ("jitter_ms", "jitter {:.1f} ms"),
    ("lost", "{:.2%} lost"),
)


def told(analysis: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """See the module.

    >>> list(told({"summary": "All is well.", "figures": {"mos": 4.4, "lost": 0.01}}))
    [('summary', 'All is well.'), ('sound', 'MOS 4.40, 1.00% lost')]
    """
    if isinstance(summary := analysis.get("summary"), str):
        yield "summary", " ".join(summary.split())
    if data := analysis.get("data"):
        yield "data", json.dumps(data, ensure_ascii=False)
    if missing := analysis.get("missing"):
        yield "missing", f"no summary and no data: {missing}"
    yield from _scored(analysis.get("score"))
    figures = analysis.get("figures")
    for key, row in (("talk", _TALK), ("response", _RESPONSE), ("sound", _SOUND)):
        if isinstance(figures, Mapping) and (text := _filled(figures, row)):
            yield key, text
    yield from _turns(analysis.get("turns"))


def _scored(score: Any) -> Iterator[tuple[str, str]]:
    if isinstance(score, Mapping) and isinstance(score.get("parts"), Mapping):
        parts = ", ".join(f"{name} {value}" for name, value in score["parts"].items())
        yield "score", f"{score.get('score')} of 100: {parts}"


def _turns(turns: Any) -> Iterator[tuple[str, str]]:
    known = turns if isinstance(turns, list) else []
    rows = [row for row in known if isinstance(row, list) and len(row) == 3]
    moods = [f"{turn}: {mood}" for turn, mood, _ in rows if mood is not None]
    intents = [f"{turn}: {intent}" for turn, _, intent in rows if intent]
    if moods:
        yield "moods", ", ".join(moods)
    if intents:
        yield "intents", ", ".join(intents)


def _filled(figures: Mapping[str, Any], row: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(
        text.format(figures[name])
        for name, text in row
        if isinstance(figures.get(name), int | float)
    )
