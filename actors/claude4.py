"""The Claude 4 guide's functions, with plain values: tools, thinking, memory, cache, voice.

    tools = [Tool("add", "Adds.", add, schema)]
    await execute_with_tools("What is 2 and 2?", tools)          -> ("ok", "It is four.")
    await think_deeply("Compare the two plans.")                 -> "Plan A …"

Each is put together of what a call is made of: the payload and the ladder (`aybiza.claude`), the
tools' rules (`aybiza.dialogue.tool_registry`), the journal and the conversation, the answer cache,
the voice. A call does the same with a caller to hear it, and with a process for each part of it.

Errors: `BedrockError` when no model answers; `ValueError` for a tool or a message that is none.
Source: Claude 4 guide; Bedrock guide, section 3 (`handle_user_input`).
"""

from __future__ import annotations

import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any, Final, Literal

from aybiza.actors.call.answer_tools import results_of
from aybiza.actors.memory.context import fold, messages
from aybiza.actors.memory.store import UNKNOWN, JournalStore, Part, Row
from aybiza.actors.memory.stores import stores
from aybiza.claude.client import BedrockClient
from aybiza.claude.errors import BedrockError
from aybiza.claude.generate import Response, client_of, generate_response
from aybiza.claude.selection import should_use_extended_thinking
from aybiza.claude.sentences import SentenceSplitter
from aybiza.claude.stream import ToolUse
from aybiza.config.agent_types import get_optimal_voice_for_context, get_system_prompt
from aybiza.config.rule_sets import CLAUDE_4_OPUS, CLAUDE_4_SONNET
from aybiza.config.settings import load
from aybiza.dialogue.answer_cache import AnswerCache, generate_cache_key
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Entry,
    SentenceHeard,
    encode,
)
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.aws import Aws
from aybiza.dialogue.tools.code_execution import code_execution_tool
from aybiza.dialogue.tools.knowledge import PASSAGES, Passage
from aybiza.dialogue.tools.local_index import LocalIndex
from aybiza.speech.spoken_text import spoken

ROUNDS: Final = 5
THINKING_BUDGET: Final = 32_000

Message = Mapping[str, Any]


async def execute_with_tools(
    prompt: str, tools: Sequence[Tool], *, bedrock: BedrockClient | None = None
) -> tuple[Literal["ok"], str] | tuple[Literal["error"], BedrockError]:
    """What the model says to `prompt` when it has used the tools that it wants.

    A tool that asks first is never run: there is no caller to say yes.
    """
    registry = ToolRegistry(tools)
    options = {"model": CLAUDE_4_SONNET, "temperature": 0.0, "max_tokens": 4096}
    history: list[Message] = []
    try:
        async with client_of(None, bedrock) as client:
            for _ in range(ROUNDS):
                context = {"conversation_history": history, "tools": registry.specs()}
                asked = "" if history else prompt
                answer = await _response(asked, context, options, client)
                uses = [_use(block) for block in answer.content if "toolUse" in block]
                if not uses:
                    break
                runs = [ToolRun(use.name, use.tool_use_id, use.input, "") for use in uses]
                outcomes = [await registry.run(run) for run in runs]
                history = [
                    *(history or [{"role": "user", "content": prompt}]),
                    {"role": "assistant", "content": answer.content},
                    {"role": "user", "content": results_of(uses, outcomes)},
                ]
            return "ok", answer.text
    except BedrockError as error:
        return "error", error


def _use(block: Mapping[str, Any]) -> ToolUse:
    use = block["toolUse"]
    return ToolUse(use["toolUseId"], use["name"], use["input"])


async def think_deeply(
    prompt: str, thinking_budget: int = THINKING_BUDGET, *, bedrock: BedrockClient | None = None
) -> str:
    """What the most capable model says when it has thought, with so many tokens for thinking."""
    options = {
        "model": CLAUDE_4_OPUS,
        "max_tokens": 8000,
        "extended_thinking": True,
        "thinking_budget": thinking_budget,
    }
    return (await _response(prompt, {}, options, bedrock)).text


async def _response(
    prompt: str,
    context: Mapping[str, Any],
    options: Mapping[str, Any],
    bedrock: BedrockClient | None,
) -> Response:
    answer = await generate_response(prompt, context, options, bedrock=bedrock)
    assert isinstance(answer, Response)
    return answer


def remember(call_id: str, message: Message, *, store: JournalStore | None = None) -> None:
    """Keep a message `{"role", "content"}` of a call, behind those that it has: as entries of a
    journal, so that a call can be taken up from it. A call that a node carries at the moment is
    taken from it. `store`: the first of the settings unless another is given. Blocks.
    """
    content = message.get("content")
    if not isinstance(content, str) or message.get("role") not in ("user", "assistant"):
        raise ValueError("a message has the role user or assistant, and a text as its content")
    with _store(store) as memory:
        epoch, rows = memory.claim(call_id, 1, UNKNOWN)
        turns = max(fold((row.event, row.entry) for row in rows).turns, default=0)
        entries: list[Entry] = [CallerTurn(turns + 1, content)]
        if message["role"] == "assistant":
            entries = [
                AgentSentence(turns, 1, content),
                SentenceHeard(turns, 1),
                AnswerComplete(turns, "end_turn"),
            ]
        last, at = len(rows), time.time()
        new = [
            Row(call_id, last + one, last + one, at, encode(entry))
            for one, entry in enumerate(entries, 1)
        ]
        memory.write([Part(call_id, epoch, None, new)])


def get_context(
    call_id: str, last_n: int = 10, *, store: JournalStore | None = None
) -> list[dict[str, Any]]:
    """The last turns of a call in their order, as Converse takes them. Blocks."""
    with _store(store) as memory:
        rows = memory.read(call_id)
    return messages(fold((row.event, row.entry) for row in rows), last_n)


def _store(store: JournalStore | None) -> AbstractContextManager[JournalStore]:
    return closing(stores(load())[0]) if store is None else nullcontext(store)


async def search(query: str, *, index: LocalIndex) -> list[Passage]:
    """What the documents of the index say of it."""
    return list(await index.search(query, PASSAGES))


async def execute_code(
    code: str, language: str = "python", *, aws: Aws, function: str
) -> dict[str, Any]:
    """What a program prints, run by the Lambda function of this name or ARN."""
    tool = code_execution_tool(aws, function, (language,))
    use = ToolRun(tool.name, "", {"code": code, "language": language}, "")
    return await ToolRegistry([tool]).run(use)


def optimize_streaming(stream: Iterable[str]) -> Iterator[str]:
    """The sentences of a stream of pieces of text, each as soon as it is complete, as a voice is to
    say them.

    >>> list(optimize_streaming(["Your ID is ", "7. It is", " done."]))
    ['Your I-D is 7.', 'It is done.']
    """
    splitter = SentenceSplitter()
    for piece in stream:
        yield from map(spoken, splitter.feed(piece))
    yield from map(spoken, splitter.flush())


_ANSWERS: Final = AnswerCache()


async def with_caching(
    request: Mapping[str, Any],
    *,
    execute: Callable[[Mapping[str, Any]], Awaitable[str]] | None = None,
    cache: AnswerCache = _ANSWERS,
) -> tuple[Literal["cached", "fresh"], str]:
    """An answer of the last five minutes to the same words, or a fresh one that is kept.

    request: `prompt`, `agent` and `tenant`, `context` and `options` of `generate_response`. What
    may be about somebody is not kept: a prompt with digits, or with a history before it.
    """
    context = request.get("context", {})
    key = generate_cache_key(
        request.get("agent", ""),
        request.get("tenant", ""),
        request["prompt"],
        first_words=not context.get("conversation_history"),
    )
    kept = cache.find(key, time.monotonic()) if key is not None else ()
    if kept:
        return "cached", " ".join(kept)
    answer = await (execute or execute_claude4_request)(request)
    if key is not None:
        cache.keep(key, [answer], time.monotonic())
    return "fresh", answer


async def execute_claude4_request(request: Mapping[str, Any]) -> str:
    """The answer to a request of `with_caching`."""
    options = {**request.get("options", {}), "stream": False}
    return (await _response(request["prompt"], request.get("context", {}), options, None)).text


async def handle_user_input(
    call_id: str,
    transcript: str,
    context: Mapping[str, Any],
    *,
    bedrock: BedrockClient | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """The answer to what a caller has said, sentence by sentence, as a voice is to say it:
    `{"text", "sequence", "voice"}`.

    context: `agent_type`, `custom_instructions`, `conversation_history`, `tools`, `country`.
    """
    kind = {"agent_type": context["agent_type"]} if "agent_type" in context else {}
    config = {"type": context.get("agent_type", "customer_service"), **context}
    asked = {
        **context,
        "call_sid": call_id,
        "system_prompt": get_system_prompt(config),
        "cloudflare_country": context.get("country", ""),
    }
    options = {
        "stream": True,
        "temperature": 0.3,
        "extended_thinking": should_use_extended_thinking(transcript, context),
        "thinking_budget": 3000,
    }
    events = await generate_response(transcript, asked, options, bedrock=bedrock)
    assert not isinstance(events, Response)
    voice = get_optimal_voice_for_context(kind, rules="call")
    async for event in events:
        if event["type"] == "error":
            raise event["error"]
        if event["type"] == "sentence_complete" and (text := spoken(event["text"])):
            yield {"text": text, "sequence": event["sequence"], "voice": voice}


async def handle_voice_input(
    transcript: str, context: Mapping[str, Any], *, bedrock: BedrockClient | None = None
) -> list[str]:
    """The sentences of an answer to what a caller has said, as a voice is to say them."""
    call_id = str(context.get("call_sid", ""))
    events = handle_user_input(call_id, transcript, context, bedrock=bedrock)
    return [event["text"] async for event in events]
