"""Phone scripts over a socket: what can be played elsewhere, and a node that is called so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.faults.dialled import Emulated, _batches, called, unplayable
from aybiza.faults.phone_script import PhoneScript, load, names, parse

HELLO = '[answers]\n"Hello." = ["{answer}"]\n[[step]]\nsay = "Hello."\n[[step]]\nhang_up = true\n'


def script(name: str, answer: str) -> PhoneScript:
    return parse(HELLO.format(answer=answer), name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("final_comes_late", "needs a fault of a provider"),
        ("may_not_interrupt_the_greeting", "needs another agent"),
        ("put_through", "needs another agent"),
        ("line_breaks", "needs a webhook"),
        ("tool_hangs", "needs the tools of the desk"),
        ("model_is_slow", "needs a slower model"),
        ("asks", ""),
    ],
)
def test_what_a_node_elsewhere_cannot_be_called_with_says_why(name: str, why: str) -> None:
    assert unplayable(load(name).plan) == why


def test_many_scripts_can_be_played_elsewhere() -> None:
    assert sum(not unplayable(load(name).plan) for name in names()) >= 15


def test_scripts_with_other_answers_to_a_text_are_played_one_after_the_other() -> None:
    one, two, three = script("a", "Yes."), script("b", "No."), script("c", "Yes.")
    assert _batches([one, two, three]) == [[one, three], [two]]


async def test_the_emulators_are_told_what_the_scripts_need() -> None:
    async with BedrockEmulator() as bedrock, DeepgramEmulator() as deepgram:
        nowhere = "ws://127.0.0.1:9/media"
        emulated = Emulated(bedrock.url, deepgram.url)

        def call() -> Any:
            return called([script("a", "Yes."), load("tool_hangs")], nowhere, emulated)

        verdicts = await in_thread(call)
        assert [verdict.result for verdict in verdicts] == ["WRONG", "skipped"]
        assert deepgram.service.engine.bytes_per_char == 480  # type: ignore[attr-defined]
        assert bedrock.service.pace.first_token_ms == 400.0
        body = {"messages": [{"role": "user", "content": [{"text": "Hello."}]}]}
        exchange = await bedrock.service.exchange(
            "converse", "us.anthropic.claude-sonnet-4-6", body, arrived=0.0
        )
        assert exchange.record.reply_text == "Yes."


async def in_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, call)
