"""The rules of selection, by name: which kind of model a turn of the caller asks for.

Contract: each rule of `RULES` is pure: a `Question` in, a `Decision` with every factor in it out.

    configured    the model that the settings name first
    current       the specification's ladder over today's models
    spec-3x       the Bedrock guide's rule, as printed
    spec-4        the Claude 4 guide's rule for a voice turn, as printed
    spec-4-best   the Claude 4 guide's rule by criteria, as printed

`current` has the printed ladder's thresholds, and not its faults: of what the conversation adds,
the weightiest counts and hides nothing; the default latency does not forbid thinking; a fast model
is taken when latency is at the threshold, for the settings' default stands there. Where costs are
optimised, a simple question that is wanted soon goes to the cheapest tier, and one that is not hard
and needs no tools to a fast one, however long it might take.
Errors: none.
Source: specification 000, section 2 (`select_optimal_model_and_region`); 001, "Real-time Streaming"
and "Model Selection Strategy".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.claude.elixir import truthy
from aybiza.claude.selection import (
    KINDS_OF_WORDING,
    LADDER,
    LONG_CONVERSATION,
    LONG_CONVERSATION_FACTOR,
    MULTI_TURN_FACTOR,
    PATTERN_WEIGHT,
    TOOLS_FACTOR,
    WORD_WEIGHT,
    WORDS_OF_A_LONG_PROMPT,
    Signs,
    assess_query_complexity,
    complexity_of,
    criteria_of,
    has_tool_intent,
    needs_deep_thinking,
    rung_of,
    select_best_model,
    select_optimal_model,
    select_optimal_model_and_region,
    should_use_extended_thinking,
)
from aybiza.claude.thinking import Thinking
from aybiza.config.catalogue import Tier
from aybiza.config.numbers import finite
from aybiza.config.rule_sets import CLAUDE_3_7_SONNET, CLAUDE_4_OPUS

SPEC_BUDGET: Final = 3_000
# A caller hears nothing while the model thinks: as little as a budget can be.
PHONE_THINKING: Final = Thinking(budget=1_024, effort="low")
# With less than this, in ms, nobody may be made to wait for thinking.
PATIENCE_MS: Final = 1_000
# Up to these latencies an answer is wanted at once, and soon.
AT_ONCE_MS: Final = 150
SOON_MS: Final = 200


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that was looked at. adds: what it adds to the complexity, `value` × `weight`."""

    name: str
    value: str | float | bool
    says: str = ""
    weight: float | None = None
    adds: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule decides on.

    context: the specification's keys `conversation_history`, `requires_tools`, `multi_turn`,
    `tools`, `agent_type`. options: `max_latency` in ms, `cost_optimize`, `extended_thinking`
    (True or False forbids or orders it), `thinking_budget`. The other three are the node's.
    """

    transcript: str
    context: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float = 200.0
    thinking_threshold: float = 0.9
    cost_optimize: bool = True

    @property
    def known(self) -> dict[str, Any]:
        """The context, its conversation history a list whatever was given."""
        history = self.context.get("conversation_history")
        turns = history if isinstance(history, list | tuple) else []
        return {**self.context, "conversation_history": turns}


@dataclass(frozen=True, slots=True)
class Decision:
    """tier: the kind of model that is wanted; None: the first of the settings. model: the id that a
    rule of the specification names. because: the rung that decided."""

    because: str
    tier: Tier | None = None
    model: str | None = None
    thinking: Thinking | None = None
    factors: tuple[Factor, ...] = ()


Rule = Callable[[Question], Decision]


def _configured(question: Question) -> Decision:
    return Decision("the settings name it first")


def _current(question: Question) -> Decision:
    options = question.options
    tools = _needs_tools(question)
    weight, because = _conversation(question, tools)
    complexity = complexity_of(question.transcript, weight)
    asked = _number(options.get("max_latency"))
    latency = question.latency_ms if asked is None else asked
    thinks, thinking_says = _worth_thinking(question, complexity.total, asked)
    cheap = options.get("cost_optimize")
    cheap = question.cost_optimize if cheap is None else truthy(cheap)
    signs = Signs(
        complexity=complexity.total,
        at_once=latency <= AT_ONCE_MS,
        soon=latency <= SOON_MS,
        thinks=thinks,
        tools=tools,
        economy=latency <= SOON_MS and cheap,
        thrifty=cheap,
    )
    rung = rung_of(signs)
    factors = (
        Factor(
            "words",
            complexity.word_count,
            f"of {WORDS_OF_A_LONG_PROMPT}",
            WORD_WEIGHT,
            complexity.word_factor * WORD_WEIGHT,
        ),
        Factor(
            "patterns",
            complexity.patterns,
            f"of {KINDS_OF_WORDING} kinds of wording",
            PATTERN_WEIGHT,
            complexity.pattern_score * PATTERN_WEIGHT,
        ),
        Factor("conversation", because, adds=weight),
        Factor("complexity", complexity.total, "sum of the above, at most 1"),
        Factor("max_latency_ms", latency, "the node's" if asked is None else "asked for"),
        Factor("thinking", thinks, thinking_says),
        Factor("tools", tools),
        Factor("cost_optimize", cheap),
        *(Factor(f"rung {at}", at == rung, LADDER[at][0]) for at in range(rung + 1)),
    )
    says, _, tier = LADDER[rung]
    return Decision(says, tier, thinking=PHONE_THINKING if thinks else None, factors=factors)


def _needs_tools(question: Question) -> bool:
    context = question.context
    if truthy(context.get("requires_tools")):
        return True
    return bool(context.get("tools", True)) and has_tool_intent(question.transcript)


def _conversation(question: Question, tools: bool) -> tuple[float, str]:
    """What the conversation adds: the weightiest of what holds."""
    turns = len(question.known["conversation_history"])
    signs = (
        (0.0, "adds nothing"),
        (TOOLS_FACTOR if tools else 0.0, "needs tools"),
        (LONG_CONVERSATION_FACTOR if turns > LONG_CONVERSATION else 0.0, f"{turns} turns"),
        (MULTI_TURN_FACTOR if truthy(question.context.get("multi_turn")) else 0.0, "multi-turn"),
    )
    return max(signs, key=lambda sign: sign[0])


def _worth_thinking(question: Question, complexity: float, asked: float | None) -> tuple[bool, str]:
    wanted = question.options.get("extended_thinking")
    if wanted is not None:
        return truthy(wanted), "ordered" if truthy(wanted) else "forbidden"
    if asked is not None and asked <= PATIENCE_MS:
        return False, f"no time: it takes more than {PATIENCE_MS} ms"
    if complexity > question.thinking_threshold:
        return True, f"complexity above {question.thinking_threshold:g}"
    if should_use_extended_thinking(question.transcript, question.known):
        return True, "the wording asks for it, and the question is long"
    return False, "neither complexity nor wording asks for it"


def _spec_3x(question: Question) -> Decision:
    context, options = question.known, question.options
    complexity = assess_query_complexity(question.transcript, context)
    model, _ = select_optimal_model_and_region(question.transcript, context, options, None)
    thinking = _printed_thinking(question) if model == CLAUDE_3_7_SONNET else None
    factors = (
        Factor("complexity", complexity, "as printed"),
        Factor("max_latency_ms", _shown(options.get("max_latency", 500)), "500 unless asked for"),
        Factor("cost_optimize", truthy(options.get("cost_optimize", False))),
        Factor("thinking", thinking is not None),
    )
    return Decision("the Bedrock guide's rule", None, model, thinking, factors)


def _spec_4(question: Question) -> Decision:
    deep = needs_deep_thinking(question.transcript)
    tools = has_tool_intent(question.transcript)
    model = select_optimal_model(question.transcript, question.context)
    thinking = _printed_thinking(question) if model == CLAUDE_4_OPUS else None
    factors = (
        Factor("needs_deep_thinking", deep),
        Factor("has_tool_requirements", tools),
        Factor("thinking", thinking is not None),
    )
    return Decision("the Claude 4 guide's rule for a turn", None, model, thinking, factors)


def _spec_4_best(question: Question) -> Decision:
    context, options = question.known, question.options
    criteria = criteria_of(question.transcript, context, options)
    model = select_best_model(criteria)
    thinking = _printed_thinking(question) if model == CLAUDE_4_OPUS else None
    factors = tuple(Factor(name, _shown(value)) for name, value in criteria.items())
    return Decision("the Claude 4 guide's criteria", None, model, thinking, factors)


def _printed_thinking(question: Question) -> Thinking | None:
    wanted = question.options.get("extended_thinking")
    if wanted is None:
        wanted = should_use_extended_thinking(question.transcript, question.known)
    if not truthy(wanted):
        return None
    budget = question.options.get("thinking_budget")
    return Thinking(budget if isinstance(budget, int) else SPEC_BUDGET)


def _number(value: Any) -> float | None:
    return finite(value)


def _shown(value: Any) -> str | float | bool:
    return value if isinstance(value, str | int | float) else repr(value)


RULES: Final[Mapping[str, Rule]] = {
    "configured": _configured,
    "current": _current,
    "spec-3x": _spec_3x,
    "spec-4": _spec_4,
    "spec-4-best": _spec_4_best,
}
