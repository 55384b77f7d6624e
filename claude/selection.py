"""Which model for which question: the specification's rules, word lists and thresholds.

Purpose: complexity, model, thinking, tools and length decided from a transcript. Contract: pure;
each function answers as the specification's Elixir does, term ordering and byte patterns included.
Contexts, options and criteria are mappings whose keys may be missing.
Errors: `TypeError` where the Elixir raises for a conversation history that is no list.
Source: Bedrock guide, sections 2 and 3; Claude 4 guide, "Real-time Streaming" and "Model Selection
Strategy".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aybiza.claude.elixir import byte_patterns, count_matching, greater, less, truthy, words
from aybiza.claude.graphemes import grapheme_count
from aybiza.claude.models import listed
from aybiza.config.catalogue import Tier
from aybiza.config.rule_sets import (
    BEDROCK_GUIDE,
    CLAUDE_3_5_HAIKU,
    CLAUDE_3_5_SONNET,
    CLAUDE_4_OPUS,
    CLAUDE_4_SONNET,
)

_COMPLEX_PATTERNS: Final = byte_patterns(
    rb"analyze|compare|evaluate|reasoning|logic|step.by.step",
    rb"troubleshoot|debug|diagnose|investigate",
    rb"calculate|compute|determine|solve",
    rb"explain.why|walk.me.through|break.down",
)
_THINKING_PATTERNS: Final = byte_patterns(
    rb"analyze|analyze\s+the|break\s+down|step\s+by\s+step",
    rb"complex|complicated|detailed\s+explanation",
    rb"troubleshoot|debug|diagnose|investigate",
    rb"compare|evaluate|assess|determine\s+the\s+best",
    rb"reasoning|logic|why\s+does|how\s+does\s+this\s+work",
)
_TOOL_PATTERNS: Final = byte_patterns(
    rb"look\s+up|search|find|check|verify",
    rb"create|update|modify|change|set",
    rb"send|email|notify|alert",
    rb"schedule|book|reserve|cancel",
    rb"transfer|escalate|connect",
)

_DEFAULT_MAX_LATENCY_MS: Final = 500
KINDS_OF_WORDING: Final = len(_COMPLEX_PATTERNS)
WORDS_OF_A_LONG_PROMPT: Final = 50
WORD_WEIGHT: Final = 0.3
PATTERN_WEIGHT: Final = 0.5
LONG_CONVERSATION: Final = 5
LONG_CONVERSATION_FACTOR: Final = 0.3
TOOLS_FACTOR: Final = 0.4
MULTI_TURN_FACTOR: Final = 0.2
_THINKING_HISTORY: Final = 3
_THINKING_LENGTH: Final = 100
_THINKING_LENGTH_WITH_HISTORY: Final = 50
_BASE_RESPONSE_WORDS: Final = 150
_MIN_RESPONSE_WORDS: Final = 50
_MAX_RESPONSE_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Complexity:
    """What a complexity is made of. word_count: of the prompt. patterns: how many of the kinds of
    wording it has. context: what the conversation adds, already weighted."""

    word_count: int
    patterns: int
    context: float

    @property
    def word_factor(self) -> float:
        """0.0 to 1.0."""
        return min(self.word_count / WORDS_OF_A_LONG_PROMPT, 1.0)

    @property
    def pattern_score(self) -> float:
        """0.0 to 1.0."""
        return self.patterns / KINDS_OF_WORDING

    @property
    def total(self) -> float:
        """0.0 to 1.0."""
        weighted = (self.word_factor * WORD_WEIGHT) + (self.pattern_score * PATTERN_WEIGHT)
        return min(weighted + self.context, 1.0)


def complexity_of(prompt: str, context: float) -> Complexity:
    """The complexity of a prompt in a conversation that adds `context`."""
    return Complexity(len(words(prompt)), count_matching(_COMPLEX_PATTERNS, prompt), context)


def assess_query_complexity(prompt: str, context: Mapping[str, Any]) -> float:
    """0.0 to 1.0 from the prompt's length, its wording and the conversation so far."""
    return complexity_of(prompt, _context_factor(context)).total


def _context_factor(context: Mapping[str, Any]) -> float:
    history = context.get("conversation_history")
    if truthy(history) and _turns(history) > LONG_CONVERSATION:
        return LONG_CONVERSATION_FACTOR
    if truthy(context.get("requires_tools")):
        return TOOLS_FACTOR
    return MULTI_TURN_FACTOR if truthy(context.get("multi_turn")) else 0.0


def _turns(history: object) -> int:
    if not isinstance(history, list | tuple):
        raise TypeError(f"conversation_history must be a list, not {type(history).__name__}")
    return len(history)


@dataclass(frozen=True, slots=True)
class Signs:
    """What the ladder of models looks at. at_once, soon: how quickly an answer is wanted. thinks:
    whether thinking is worth its wait. economy: whether a simple question may go to the cheapest
    tier; thrifty: whether one that is not hard may go to a fast one however long it may take."""

    complexity: float
    at_once: bool
    soon: bool
    thinks: bool = False
    tools: bool = False
    economy: bool = False
    thrifty: bool = False


LADDER: Final[tuple[tuple[str, Callable[[Signs], bool], Tier], ...]] = (
    ("worth thinking about", lambda s: s.thinks, "deep"),
    ("simple, and wanted cheap", lambda s: s.complexity < 0.3 and s.economy, "economy"),
    ("simple, and wanted at once", lambda s: s.complexity < 0.3 and s.at_once, "fast"),
    ("not hard, and wanted soon", lambda s: s.complexity < 0.6 and s.soon, "fast"),
    ("needs tools", lambda s: s.tools, "balanced"),
    ("hard", lambda s: s.complexity > 0.7, "balanced"),
    ("not hard, and wanted cheap", lambda s: s.thrifty, "fast"),
    ("nothing speaks for another", lambda s: True, "balanced"),
)
"""Why, when, and which tier: the first rung that holds. It is one ladder for the specification's
rules and for a call's, each with signs of its own."""

_GUIDES_MODEL: Final[Mapping[Tier, str]] = {listed(each).tier: each for each in BEDROCK_GUIDE}


def rung_of(signs: Signs) -> int:
    """The number of the rung that decides."""
    return next(at for at, (_, holds, _) in enumerate(LADDER) if holds(signs))


def select_optimal_model_and_region(
    prompt: str,
    context: Mapping[str, Any],
    options: Mapping[str, Any],
    preferred_region: str | None,
) -> tuple[str, str | None]:
    """The Bedrock guide's model for a prompt, and the region, which passes through.

    options: `max_latency` in ms (default 500), `cost_optimize`. Tools need no rule of their own:
    every case that the latency rules leave open is 3.5 Sonnet's.
    """
    complexity = assess_query_complexity(prompt, context)
    latency = options.get("max_latency", _DEFAULT_MAX_LATENCY_MS)
    at_once = less(latency, 150)
    signs = Signs(
        complexity=complexity,
        at_once=at_once,
        soon=less(latency, 200),
        thinks=complexity > 0.9 and greater(latency, 1000),
        economy=at_once and truthy(options.get("cost_optimize", False)),
    )
    _, _, tier = LADDER[rung_of(signs)]
    return _GUIDES_MODEL[tier], preferred_region


def needs_deep_thinking(transcript: str) -> bool:
    """Whether the transcript asks for something that thinking helps with."""
    return count_matching(_THINKING_PATTERNS, transcript) > 0


def has_tool_intent(transcript: str) -> bool:
    """Whether the transcript asks for something to be looked up or done."""
    return count_matching(_TOOL_PATTERNS, transcript) > 0


def select_optimal_model_claude4(
    transcript: str,
    context: Mapping[str, Any],
    *,
    needs_deep_thinking: bool,
    has_tool_requirements: bool,
) -> str:
    """The Claude 4 guide's model for a transcript, by what it needs.

    The guide leaves both predicates open; `needs_deep_thinking` and `has_tool_intent` of this
    module are the ones to use.
    """
    if needs_deep_thinking:
        return CLAUDE_4_OPUS
    return CLAUDE_4_SONNET if has_tool_requirements else CLAUDE_3_5_SONNET


def select_optimal_model(transcript: str, context: Mapping[str, Any]) -> str:
    """The Claude 4 guide's model for a transcript.

    >>> select_optimal_model("Please book a table.", {})
    'anthropic.claude-4-sonnet-20250120'
    """
    return select_optimal_model_claude4(
        transcript,
        context,
        needs_deep_thinking=needs_deep_thinking(transcript),
        has_tool_requirements=has_tool_intent(transcript),
    )


def optimize_model_selection(request: Mapping[str, Any]) -> str:
    """The Claude 4 guide's model by the criteria of a request: `prompt`, `context`, and of its
    `options` `max_latency` and `cost_optimize`.

    >>> optimize_model_selection({"prompt": "Hello.", "options": {"max_latency": 100}})
    'anthropic.claude-3-5-haiku-20241022-v1:0'
    """
    prompt, context = request["prompt"], request.get("context", {})
    options = request.get("options", {})
    return select_best_model(criteria_of(prompt, context, options))


def criteria_of(
    prompt: str, context: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """What `select_best_model` goes by."""
    return {
        "complexity": assess_query_complexity(prompt, context),
        "latency_requirement": options.get("max_latency", _DEFAULT_MAX_LATENCY_MS),
        "has_tools": truthy(context.get("requires_tools")) or has_tool_intent(prompt),
        "cost_sensitive": truthy(options.get("cost_optimize", False)),
    }


def select_best_model(criteria: Mapping[str, Any]) -> str:
    """The Claude 4 guide's model by criteria: `complexity`, `has_tools`, `latency_requirement`
    (ms).

    A criterion that is missing does not count; one that is no number is above every number.
    """
    if "complexity" in criteria and greater(criteria["complexity"], 0.8):
        return CLAUDE_4_OPUS
    if criteria.get("has_tools") is True:
        return CLAUDE_4_SONNET
    if "latency_requirement" in criteria and less(criteria["latency_requirement"], 150):
        return CLAUDE_3_5_HAIKU
    return CLAUDE_3_5_SONNET


def should_use_extended_thinking(transcript: str, context: Mapping[str, Any]) -> bool:
    """Whether several signs agree that thinking is worth its wait. Lengths are in graphemes."""
    has_history = _turns(context.get("conversation_history", [])) > _THINKING_HISTORY
    if not needs_deep_thinking(transcript):
        return False
    length = grapheme_count(transcript)
    is_technical = context.get("agent_type") == "technical_support"
    long_enough = length > _THINKING_LENGTH or is_technical
    return long_enough or (has_history and length > _THINKING_LENGTH_WITH_HISTORY)


def determine_response_length(transcript: str, context: Mapping[str, Any]) -> int:
    """How many words the answer should have; the wording is looked at with its case."""
    if any(wish in transcript for wish in ("explain", "detail", "walk me through")):
        length = _BASE_RESPONSE_WORDS * 2.0
    elif any(wish in transcript for wish in ("quick", "fast", "briefly")):
        length = _BASE_RESPONSE_WORDS * 0.5
    elif context.get("agent_type") == "technical_support":
        length = _BASE_RESPONSE_WORDS * 1.5
    else:
        length = _BASE_RESPONSE_WORDS
    return min(max(round(length), _MIN_RESPONSE_WORDS), _MAX_RESPONSE_WORDS)
