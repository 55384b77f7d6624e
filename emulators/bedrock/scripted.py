"""Responders for tests: exact answers instead of a front desk.

Contract: each is a function from a request's body to a `Reply` and answers the same messages with
the same reply, so that a request made again after a crash gets what the first one got.
`from_json` builds a responder from what the control door was sent.
Errors: `ValueError` for a mode or an answer that is none; its text says what is allowed.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aybiza.emulators.bedrock.clinic.words import number_word
from aybiza.emulators.bedrock.continuation import Body, Responder, text_of
from aybiza.emulators.bedrock.reply import Block, Reasoning, Reply, Text, ToolUse, say

_REMEMBERED = 1024

MODES = ("agent", "clinic", "scripted", "answers", "echo", "long")

Answer = str | Reply


class Scripted:
    """Answers from a list, one for each new conversation state; the last one stays.

    The same messages get the same answer again.
    """

    def __init__(self, answers: Sequence[Answer]) -> None:
        if not answers:
            raise ValueError("a script needs at least one answer")
        self._answers = [say(a) if isinstance(a, str) else a for a in answers]
        self._given: OrderedDict[str, Reply] = OrderedDict()
        self._next = 0

    def __call__(self, body: Body) -> Reply:
        key = json.dumps(body["messages"], sort_keys=True, default=str)
        if key not in self._given:
            self._given[key] = self._answers[min(self._next, len(self._answers) - 1)]
            self._next += 1
            if len(self._given) > _REMEMBERED:
                self._given.popitem(last=False)
        return self._given[key]


def by_text(answers: Mapping[str, Sequence[Answer]]) -> Callable[[Body], Reply]:
    """To each text of the caller its own answers: the first to the words, the next to the results
    of its tools, and so on; a text that is not among `answers` is repeated."""

    def respond(body: Body) -> Reply:
        results = 0
        for message in reversed(body["messages"]):
            if message["role"] == "user":
                text = text_of(message)
                if text:
                    replies = answers.get(text, (f"You said, {text}",))
                    reply = replies[min(results, len(replies) - 1)]
                    return say(reply) if isinstance(reply, str) else reply
                results += 1
        return say("Hello.")

    return respond


def echo(body: Body) -> Reply:
    """The last user text, said back."""
    return say(text_of(body["messages"][-1]) or "Nothing was said.")


def long(sentences: int) -> Callable[[Body], Reply]:
    """An answer of so many numbered sentences: "Sentence one. Sentence two. …"."""
    text = " ".join(f"Sentence {number_word(n)}." for n in range(1, sentences + 1))
    return lambda body: say(text)


def from_json(members: object, clinic: Responder, agent: Responder) -> Responder:
    """The responder for `{"mode": …}` of `MODES`, with what that mode needs."""
    mode = members.get("mode") if isinstance(members, Mapping) else None
    if not isinstance(members, Mapping) or mode not in MODES:
        raise ValueError(f"mode is {mode!r:.80}; allowed: {', '.join(MODES)}")
    if mode == "scripted":
        answers = members.get("answers")
        if not isinstance(answers, list) or not answers:
            raise ValueError("scripted needs `answers`: a list of at least one answer")
        return Scripted([_answer(answer) for answer in answers])
    if mode == "answers":
        table = members.get("answers")
        if not isinstance(table, Mapping) or not all(isinstance(v, list) for v in table.values()):
            raise ValueError("answers needs `answers`: for each text a list of answers")
        return by_text({text: [_answer(one) for one in given] for text, given in table.items()})
    if mode == "long":
        sentences = members.get("sentences", 10)
        if not isinstance(sentences, int) or not 1 <= sentences <= 1000:
            raise ValueError(f"sentences is {sentences!r:.80}; allowed: 1 to 1000")
        return long(sentences)
    return {"echo": echo, "clinic": clinic, "agent": agent}[mode]


def _answer(answer: object) -> Answer:
    if isinstance(answer, str) and answer.strip():
        return answer
    if not isinstance(answer, Mapping):
        raise ValueError(f"an answer is a text or an object, not {answer!r:.80}")
    blocks: list[Block] = []
    if isinstance(answer.get("reasoning"), str):
        blocks.append(Reasoning(answer["reasoning"]))
    if isinstance(answer.get("text"), str) and answer["text"].strip():
        blocks.append(Text(answer["text"]))
    blocks += [_tool_use(tool) for tool in answer.get("tools", [])]
    if not blocks:
        raise ValueError("an answer needs at least one of text, reasoning, tools")
    return Reply(tuple(blocks), answer.get("stop_reason"))


def _tool_use(tool: Any) -> ToolUse:
    name = tool.get("name") if isinstance(tool, Mapping) else None
    if not isinstance(name, str) or not isinstance(tool.get("input", {}), dict):
        raise ValueError(f"a tool use is an object with name and input, not {tool!r:.80}")
    fragments = tool.get("fragments")
    if fragments is not None:
        if not isinstance(fragments, list) or not all(isinstance(f, str) for f in fragments):
            raise ValueError(f"fragments are a list of texts, not {fragments!r:.80}")
        return ToolUse(name, tool.get("input", {}), fragments=tuple(fragments))
    return ToolUse(name, tool.get("input", {}))
