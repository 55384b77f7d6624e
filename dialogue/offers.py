"""What the agent is to offer of its own accord, told by the caller's last turns.

    offer(agent.analysis.offers, said, moods)     what to offer with the next answer, or ""

`said` are the caller's turns, the one that is to be answered last; `moods` tell how those before it
sounded (`aybiza.dialogue.mood`), None where that is not known. An offer is made when its rule
begins to hold, and not again before `AGAIN_TURNS` turns have gone by.

Contract: pure; looks at the last `AGAIN_TURNS` turns. Errors: none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aybiza.config.analysis import Offer
from aybiza.dialogue.intents import bare
from aybiza.dialogue.mood import UNHAPPY

AGAIN_TURNS: Final = 20
NEAR_TURNS: Final = 6
"""What was said before these is not said again, but once more."""
ALIKE: Final = 0.6
"""The share of words in common with which two turns say much the same."""
FEWEST_WORDS: Final = 3
"""A shorter turn, such as "yes, please", says nothing again."""


def offer(offers: Sequence[Offer], said: Sequence[str], moods: Sequence[int | None]) -> str:
    """See the module."""
    said, moods = said[-AGAIN_TURNS:], moods[-AGAIN_TURNS:]
    for one in offers:
        holds = _RULES[one.when]
        turns = range(len(said), 0, -1)
        # Of the last turn first, for it mostly holds in none. It is made where it begins to.
        at = (holds(one.after, said[:n], moods[:n]) for n in turns)
        if next(at, False) and not any(at):
            return one.offer
    return ""


def _unhappy(after: int, said: Sequence[str], moods: Sequence[int | None]) -> bool:
    """This turn is judged beside its answer: it counts for the next one."""
    told = [one for one in moods[:-1] if one is not None][-after:]
    return len(told) == after and all(one <= UNHAPPY for one in told)


def _repeats(after: int, said: Sequence[str], moods: Sequence[int | None]) -> bool:
    last = _words(said[-1])
    near = said[-1 - NEAR_TURNS : -1]
    return sum(_alike(last, _words(one)) for one in near) >= after


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if min(len(one), len(other)) < FEWEST_WORDS:
        return False
    return len(one & other) >= ALIKE * len(one | other)


def _words(text: str) -> frozenset[str]:
    return frozenset(bare(text).split())


_RULES: Final[Mapping[str, Callable[[int, Sequence[str], Sequence[int | None]], bool]]] = {
    "unhappy": _unhappy,
    "repeats": _repeats,
}
