"""Phone scripts over a socket: what can be played elsewhere, and a node that is called so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.faults import dialled
from aybiza.faults.dialled import Emulated, NotDialled, _batches, called, unplayable
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


async def test_the_emulators_are_told_what_the_scripts_need_and_go_on_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with BedrockEmulator() as bedrock, DeepgramEmulator() as deepgram:
        emulated = Emulated(bedrock.url, deepgram.url)
        paces = bedrock.service.pace, replace(deepgram.service.pace)
        length = bytes_per_char(deepgram)
        told: dict[str, Any] = {}
        placed = dialled._placed

        async def noted(*given: Any, **how: Any) -> Any:
            told["length"] = bytes_per_char(deepgram)
            told["first_token"] = bedrock.service.pace.first_token_ms
            asking = asked(bedrock, "Hello.")
            told["reply"] = await in_thread(
                lambda: asyncio.run_coroutine_threadsafe(asking, loop).result()
            )
            return await placed(*given, **how)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(dialled, "_placed", noted)

        def call() -> Any:
            nowhere = "ws://127.0.0.1:9/media"
            return called([script("a", "Yes."), load("tool_hangs")], nowhere, emulated)

        verdicts = await in_thread(call)
        assert [verdict.result for verdict in verdicts] == ["WRONG", "skipped"]
        assert told == {"length": 480, "first_token": 400.0, "reply": "Yes."}
        assert (bedrock.service.pace, deepgram.service.pace) == paces
        assert bytes_per_char(deepgram) == length
        assert await asked(bedrock, "Hello.") != "Yes."


def bytes_per_char(deepgram: DeepgramEmulator) -> int:
    length: int = deepgram.service.engine.bytes_per_char  # type: ignore[attr-defined]
    return length


async def asked(bedrock: BedrockEmulator, said: str) -> str:
    """What the emulated model answers."""
    body = {"messages": [{"role": "user", "content": [{"text": said}]}]}
    model = "us.anthropic.claude-sonnet-4-6"
    exchange = await bedrock.service.exchange("converse", model, body, arrived=0.0)
    return exchange.record.reply_text


async def test_an_emulator_that_hears_speech_or_refuses_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with BedrockEmulator() as bedrock, DeepgramEmulator() as deepgram:
        nowhere = "ws://127.0.0.1:9/media"

        def call(deepgram_url: str) -> Any:
            return called([load("asks")], nowhere, Emulated(bedrock.url, deepgram_url))

        with pytest.raises(NotDialled, match="no such endpoint"):
            await in_thread(lambda: call(f"{deepgram.url}/elsewhere"))
        hears_speech = "aybiza.emulators.deepgram.control.ScriptedEngine"
        monkeypatch.setattr(hears_speech, type("Another", (), {}))
        with pytest.raises(NotDialled, match="aybiza run --emulated=scripted"):
            await in_thread(lambda: call(deepgram.url))


async def in_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, call)
