"""What was said, as invariants compare it. Pure. Errors: none."""

from __future__ import annotations

import re

from aybiza.emulators.phone.report import Report, Turn
from aybiza.faults.caller import NOISE

_WORD = re.compile(r"[^\W_]+")


def letters(text: str) -> str:
    """The text without blanks, marks and case."""
    return "".join(_WORD.findall(text)).casefold()


def heard_letters(report: Report) -> str:
    """The letters of all that was heard. What was cut off does not go on in what comes next: a bar
    stands behind it."""
    return "".join(f"{letters(one.text)}{'|' * one.cut}" for one in report.heard)


def asks(turn: Turn) -> bool:
    """Whether the caller said something that asks for an answer."""
    return bool(turn.said) and turn.said != NOISE and not turn.said.startswith("keys ")
