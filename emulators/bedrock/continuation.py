"""Going on with an answer that was cut.

Contract: a conversation may end with a user message that asks to continue exactly from where the
assistant stopped. `continuing` wraps a responder: it has the whole answer made anew from the
messages before the cut one and gives back what is left of it. The responder has to answer the
same messages with the same reply. `merged` undoes such a detour in the history. Pure.
Errors: none; what was said but does not stand in the answer is passed over.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aybiza.emulators.bedrock.reply import Block, Reply, Text, say

Message = Mapping[str, Any]
Body = Mapping[str, Any]
Responder = Callable[[Body], Reply | Awaitable[Reply]]

NOTHING_LEFT = "That was all. What else can I do for you?"

# The lengths are bounded, or a long text would be searched in quadratic time.
_ASKS = re.compile(
    r"[(\[]?[^.()\[\]]{0,40}\bcontinue exactly from where you stopped\b[^()\[\]]{0,80}[)\]]?"
    r"|[(\[] ?please go on\.? ?[)\]]",
    re.I,
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def continuing(responder: Responder) -> Callable[[Body], Awaitable[Reply]]:
    """The responder, able to go on with a cut answer."""

    async def respond(body: Body) -> Reply:
        messages = merged(body["messages"])
        if not messages or not _asks_to_continue(messages[-1]):
            return await answered(responder, {**body, "messages": messages})
        if len(messages) > 1 and messages[-2]["role"] == "assistant":
            before, cut = messages[:-2], text_of(messages[-2])
        else:
            before, cut = [*messages[:-1], _without_request(messages[-1])], ""
        if not before or not before[-1]["content"]:
            return say(NOTHING_LEFT)
        whole = await answered(responder, {**body, "messages": before})
        return rest_of(whole, cut)

    return respond


async def answered(responder: Responder, body: Body) -> Reply:
    """The reply of a responder that may be a coroutine function."""
    reply = responder(body)
    return await reply if inspect.isawaitable(reply) else reply


def merged(messages: Sequence[Message]) -> list[Message]:
    """The history with each cut answer and its continuation as one message.

    A request to continue that is the last message stays.
    """
    kept: list[Message] = []
    at = 0
    while at < len(messages):
        message = messages[at]
        following = messages[at + 1] if at + 1 < len(messages) else None
        if (
            kept
            and following is not None
            and kept[-1]["role"] == following["role"] == "assistant"
            and _asks_to_continue(message)
        ):
            kept[-1] = {
                "role": "assistant",
                "content": [*kept[-1]["content"], *following["content"]],
            }
            at += 2
            continue
        kept.append(message)
        at += 1
    return kept


def rest_of(whole: Reply, spoken: str) -> Reply:
    """What is left of a reply after the words that were spoken."""
    left = len(_WORD.findall(spoken)) and _common_words(whole.text, spoken)
    blocks: list[Block] = []
    for block in whole.blocks:
        if not isinstance(block, Text):
            blocks.append(block)
            continue
        words = list(_WORD.finditer(block.text))
        taken = min(left, len(words))
        left -= taken
        remainder = _after(block.text, words[taken - 1].end()) if taken else block.text
        if remainder.strip():
            blocks.append(replace(block, text=remainder))
    return replace(whole, blocks=tuple(blocks)) if blocks else say(NOTHING_LEFT)


def text_of(message: Message) -> str:
    """The text of a message, its blocks joined by spaces, those for a guardrail among them."""
    guarded = [block.get("guardContent", {}).get("text", block) for block in message["content"]]
    return " ".join(str(block["text"]) for block in guarded if "text" in block)


def _asks_to_continue(message: Message) -> bool:
    return message["role"] == "user" and _ASKS.search(text_of(message)) is not None


def _without_request(message: Message) -> Message:
    content = [
        {"text": _ASKS.sub("", block["text"]).strip()} if "text" in block else block
        for block in message["content"]
    ]
    return {"role": "user", "content": [block for block in content if block != {"text": ""}]}


def _common_words(text: str, spoken: str) -> int:
    count = 0
    for one, other in zip(_WORD.findall(text.lower()), _WORD.findall(spoken.lower()), strict=False):
        if one != other:
            break
        count += 1
    return count


def _after(text: str, end: int) -> str:
    """The text behind a word and the punctuation that clings to it."""
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[end:].lstrip()
