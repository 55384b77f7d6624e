"""Guardrails: words that may not be said to the model, nor by it. Pure.

Contract: what the caller and the agent have said is looked at in the whole history, every turn
anew: a blocked turn that stays in the history blocks all later ones. Where any message has a
`guardContent`, only such blocks are looked at. `assess_input` and `assess_output` give what a
guardrail puts in place of the answer, or None.
Errors: `ValueError` for a guardrail that makes no sense, saying what is allowed.
Source: Bedrock: guardrails with Converse ("guardContent", "guardrail_intervened", trace).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aybiza.emulators.bedrock.reply import Reply, Text

INTERVENED = "guardrail_intervened"
BLOCKED_INPUT = "Sorry, the model cannot answer this question."
BLOCKED_OUTPUT = "Sorry, the model cannot answer this question."


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A version of a guardrail: the words that it blocks, and what it says instead."""

    identifier: str
    version: str
    words: tuple[str, ...]
    blocked_input: str = BLOCKED_INPUT
    blocked_output: str = BLOCKED_OUTPUT

    def __post_init__(self) -> None:
        texts = (self.identifier, self.version, self.blocked_input, self.blocked_output)
        if not all(isinstance(text, str) and text.strip() for text in (*texts, *self.words)):
            raise ValueError("a guardrail's names, words and messages are texts that are not blank")

    def found(self, text: str) -> str | None:
        """The first of its words that stands in `text`."""
        for word in self.words:
            if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I):
                return word
        return None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Guardrails:
    """The guardrails that there are. Without any, each one that is named blocks nothing."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Guardrail] = {}

    def add(self, guardrail: Guardrail) -> None:
        """Have it, in place of one of the same name and version."""
        self._known[guardrail.identifier, guardrail.version] = guardrail

    def clear(self) -> None:
        """Have none."""
        self._known.clear()

    def known(self) -> list[Guardrail]:
        """Those that there are."""
        return list(self._known.values())

    def of(self, body: Mapping[str, Any]) -> Guardrail | None:
        """The one that a request names. `LookupError` when there is none of that name."""
        config = body.get("guardrailConfig")
        if not isinstance(config, Mapping) or not self._known:
            return None
        name = str(config.get("guardrailIdentifier")), str(config.get("guardrailVersion"))
        if name not in self._known:
            raise LookupError(
                "The guardrail identifier or version provided in the request does not exist."
            )
        return self._known[name]


def assess_input(guardrail: Guardrail, messages: Sequence[Mapping[str, Any]]) -> str | None:
    """The word for which the whole request is blocked."""
    guarded = list(_guarded(messages))
    for text in guarded or list(_texts(messages)):
        word = guardrail.found(text)
        if word is not None:
            return word
    return None


def assess_output(guardrail: Guardrail, reply: Reply) -> str | None:
    """The word for which the answer is blocked."""
    return guardrail.found(reply.text)


def blocked(message: str) -> Reply:
    """What is answered in place of a blocked answer."""
    return Reply((Text(message),), INTERVENED)


def trace(guardrail: Guardrail, word: str, *, of_input: bool) -> dict[str, Any]:
    """What the trace says about a word that was found."""
    policy = {"customWords": [{"match": word, "action": "BLOCKED"}], "managedWordLists": []}
    assessed = {guardrail.identifier: {"wordPolicy": policy}}
    if of_input:
        return {"guardrail": {"inputAssessment": assessed}}
    listed = {name: [assessment] for name, assessment in assessed.items()}
    return {"guardrail": {"outputAssessments": listed}}


def from_json(members: object) -> Guardrail:
    """The guardrail that a JSON object describes."""
    if not isinstance(members, Mapping):
        raise ValueError(f"a guardrail is a JSON object, not {members!r:.80}")
    names = ("identifier", "version", "words", "blocked_input", "blocked_output")
    unknown = [name for name in members if name not in names]
    if unknown:
        raise ValueError(f"guardrail: unknown {unknown[0]!r:.80}; known: {list(names)}")
    words = members.get("words")
    if not isinstance(words, list) or not words:
        raise ValueError("a guardrail has `words`: a list of at least one text")
    given = {name: members[name] for name in names if name in members}
    return Guardrail(**{"identifier": "", "version": "DRAFT", **given, "words": tuple(words)})


def _guarded(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        for block in message["content"]:
            text = block.get("guardContent", {}).get("text", {}).get("text")
            if text is not None:
                yield str(text)


def _texts(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        yield from (str(block["text"]) for block in message["content"] if "text" in block)
