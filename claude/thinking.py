"""How a request asks a model to think, or not to.

Purpose: one wish, `Thinking`, becomes what each model understands. Contract: `plan` is pure; the
answer keeps its room, whatever the thinking takes.

===========  =====================================  ==========================================
model        thinking is wanted                     it is not
===========  =====================================  ==========================================
none         dropped                                nothing is sent
budget       enabled, budget of 1024 tokens or      nothing is sent
             more, below maxTokens
adaptive     adaptive, and effort                   nothing, `disabled`, or the lowest effort
always       adaptive, and effort                   the lowest effort
===========  =====================================  ==========================================

maxTokens counts thinking and answer: it is raised by what the thinking may take, as far as the
model's limit allows. Errors: `ValueError` for a budget that is no number of tokens.
Source: Bedrock: Claude extended thinking, adaptive thinking; specification 000, section 3, and 001,
"Extended Thinking", whose parameters no API has taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aybiza.config.catalogue import Model

Effort = Literal["low", "medium", "high"]

MIN_BUDGET: Final = 1024
# Up to this budget an effort is low, up to the next one medium.
_LOW_BUDGET: Final = 2_048
_MEDIUM_BUDGET: Final = 8_192
_ROOM: Final[dict[Effort, int]] = {"low": 2_048, "medium": 8_192, "high": 32_768}


@dataclass(frozen=True, slots=True)
class Thinking:
    """The wish for it. budget: tokens that it may take, raised to 1024 where it is less. effort:
    for models that think by effort; None: as the budget suggests."""

    budget: int = 3_000
    effort: Effort | None = None

    def __post_init__(self) -> None:
        if self.budget < 0:
            raise ValueError(f"a thinking budget is a number of tokens, not {self.budget}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request carries. fields: for `additionalModelRequestFields`. effort: for
    `outputConfig`. max_tokens: for thinking and answer. thinks: whether the model will, or may."""

    max_tokens: int
    thinks: bool = False
    effort: Effort | None = None
    fields: dict[str, Any] = field(default_factory=dict)


def plan(model: Model, wanted: Thinking | None, max_tokens: int, *, resumes: bool = True) -> Plan:
    """The plan for a model.

    max_tokens: for the answer alone, at least 1. resumes: False if the request gives the results
    of tools that the model asked for without thinking; by budget it cannot begin to think then.
    """
    answer = min(max_tokens, model.max_output)
    mode = model.thinking[0] if model.thinking else None
    if wanted is None or mode is None or (mode == "budget" and not resumes):
        return _without(model, answer)
    if mode == "budget":
        return _by_budget(model, wanted, answer)
    return _by_effort(model, wanted, answer)


def _by_budget(model: Model, wanted: Thinking, answer: int) -> Plan:
    if model.max_output <= MIN_BUDGET:
        return _without(model, answer)
    answer = min(answer, model.max_output - MIN_BUDGET)
    budget = min(max(wanted.budget, MIN_BUDGET), model.max_output - answer)
    thinking = {"type": "enabled", "budget_tokens": budget}
    return Plan(budget + answer, thinks=True, fields={"thinking": thinking})


def _by_effort(model: Model, wanted: Thinking, answer: int) -> Plan:
    effort = wanted.effort or _effort(wanted.budget)
    room = max(wanted.budget, _ROOM[effort])
    most = min(answer + room, model.max_output)
    return Plan(most, thinks=True, effort=effort, fields={"thinking": {"type": "adaptive"}})


def _without(model: Model, answer: int) -> Plan:
    if model.no_thinking == "effort":
        most = min(answer + _ROOM["low"], model.max_output)
        return Plan(most, thinks=True, effort="low")
    if model.no_thinking == "disabled":
        return Plan(answer, fields={"thinking": {"type": "disabled"}})
    return Plan(answer)


def _effort(budget: int) -> Effort:
    if budget <= _LOW_BUDGET:
        return "low"
    return "medium" if budget <= _MEDIUM_BUDGET else "high"
