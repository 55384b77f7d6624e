"""ConsentGate: nothing is written unless the caller has agreed to that very thing.

The model uses a tool once: nothing is done, and it is told to read the details back. It uses the
tool again, with the same input, after the caller's yes: then it is done. So what is agreed to is
what was put to the caller, word for word of the input, and not what the model makes of it
afterwards.

    gate = ConsentGate()
    if not gate.agreed(use.name, given, use):
        return gate.ask(given, use)

Agreed is, when all of this holds: the same tool with the same input was put in an earlier turn, at
most `PATIENCE_TURNS` before; nothing else was put for that tool since; what the agent said in that
turn, and in the newest, was heard to its end, for what was taken back was put to nobody; the
caller's words are a consent (`aybiza.dialogue.assent`); and in no turn between they have refused. A
refusal takes back all that was put in the call. Where the caller speaks a language without a
catalogue, words that are neither yes nor no are the model's to judge.
The same tool use, run again, is agreed to as before.

Contract: no clock, no I/O; memory is bounded. Errors: none.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aybiza.dialogue.assent import assent
from aybiza.dialogue.consent_words import LANGUAGES
from aybiza.dialogue.tool_run import ToolRun

CONFIRMED: Final = "confirmed"
"""A member with which a model may deny the caller's yes; its claim of one changes nothing."""
PATIENCE_TURNS: Final = 3
REMEMBERED: Final = 10_000
"""Calls, and uses that were agreed to."""
FIRST_USE: Final = (
    " The first use does nothing: it gives the details to read back. Ask whether they are right,"
    " and use it again with the same input once the caller has said yes."
)
"""What the model is told of a tool that asks first, behind its description."""

_ASK: Final = (
    "Nothing was done yet. Read these details back to the caller, ask whether they are right, and"
    " use the tool again with the same input once the caller has said yes."
)
_REFUSED: Final = (
    "Nothing was done: the caller has not agreed. Do not use the tool again unless the caller asks"
    " for it."
)


class ConsentGate:
    """See the module. `language`: of the callers, BCP 47 or `multi`; a use that names its own
    (`ToolRun.language`) is of `others`."""

    def __init__(self, language: str = "multi", others: Iterable[str] = ()) -> None:
        self.language = language
        # What reads the words is made now, and not while a caller waits.
        for one in {language, *others}:
            assent("", one)
        self._put: OrderedDict[str, dict[str, tuple[str, int]]] = OrderedDict()
        self._granted: OrderedDict[tuple[str, int, str], None] = OrderedDict()

    def agreed(self, name: str, given: object, use: ToolRun) -> bool:
        """Whether the caller has agreed to this use; if not, it counts as put to them now."""
        if use.tool_use_id and use.which in self._granted:
            return True
        key = _key(given)
        put = self._put.setdefault(use.call_id, {})
        verdict = self._verdict(use)
        if any(self._has_refused(use, since) for _, since in put.values()):
            put.clear()
        known = put.get(name)
        same = known is not None and known[0] == key and known[1] not in use.unheard
        if isinstance(given, Mapping) and given.get(CONFIRMED) is False:
            verdict = None
        turns = use.turn - known[1] if known is not None else 0
        if same and verdict is True and 0 < turns <= PATIENCE_TURNS:
            del put[name]
            _remember(self._granted, use.which, None)
            return True
        if verdict is False:
            put.clear()
        if not same or verdict is False or turns > PATIENCE_TURNS:
            put[name] = (key, use.turn)
        _remember(self._put, use.call_id, put)
        return False

    def ask(self, given: object, use: ToolRun) -> dict[str, Any]:
        """The result of a use that was not agreed to."""
        message = _REFUSED if self._verdict(use) is False else _ASK
        return {"needs_confirmation": True, "message": message, "details": meant(given)}

    def _has_refused(self, use: ToolRun, since: int) -> bool:
        """Whether the caller has refused between turn `since` and this one, without any tool use
        that would have told it."""
        between = max(0, use.turn - since - 1)
        words = use.before[-between:] if between else ()
        language = use.language or self.language
        return any(assent(text, language) is False for text in words)

    def _verdict(self, use: ToolRun) -> bool | None:
        # What was cut off was not put to anybody.
        if use.asked.rstrip().endswith("…"):
            return None
        language = use.language or self.language
        verdict = assent(use.said, language, use.asked)
        tag = language.partition("-")[0].lower()
        if verdict is None and use.said.strip() and tag not in (*LANGUAGES, "multi"):
            return True
        return verdict


def meant(given: object) -> object:
    """The input without the claim of a yes."""
    if not isinstance(given, Mapping):
        return given
    return {name: value for name, value in given.items() if name != CONFIRMED}


def _key(given: object) -> str:
    return json.dumps(meant(given), sort_keys=True, default=str)


def _remember(memory: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
